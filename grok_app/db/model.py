"""What every table shares: one metadata with one naming convention, and times as milliseconds."""

import time
from typing import Any, ClassVar

from sqlalchemy import BigInteger, MetaData
from sqlmodel import SQLModel

UtcMs = BigInteger
"""Column type of a moment: Unix milliseconds, as the wire shows them."""

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class TableModel(SQLModel):
    """Base of all tables. Named constraints let a migration drop what it once made."""

    metadata: ClassVar[Any] = MetaData(naming_convention=_NAMES)


def now_ms() -> int:
    """This moment as Unix milliseconds."""
    return time.time_ns() // 1_000_000

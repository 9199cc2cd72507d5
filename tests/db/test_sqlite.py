"""The file of a SQLite database, when somebody else takes it away."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from grok_app.db import Database, open_database, upgrade
from grok_app.settings import SettingRow


def remove(path: Path) -> None:
    """As `rm grok_app.db*` does."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def replace(path: Path) -> None:
    """Another file, without our tables."""
    remove(path)
    path.touch()


async def write(database: Database, name: str) -> None:
    """Store something."""
    async with database.session() as session:
        session.add(SettingRow(name=name, value="1"))


@pytest.mark.parametrize("harm", [remove, replace])
async def test_nothing_is_acknowledged_that_is_lost(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """Without its file the database doesn't answer, nor take anything; with its copy in place it goes on."""
    path, copy = tmp_path / "test.db", tmp_path / "copy"
    url = f"sqlite:///{path}"
    upgrade(url)
    shutil.copy(path, copy)
    async with open_database(url) as database:
        await database.ping()
        harm(path)
        with pytest.raises(SQLAlchemyError):
            await database.ping()
        with pytest.raises(SQLAlchemyError):
            await write(database, "never")
        assert path.exists() is (harm is not remove)  # none is made in its place

        remove(path)
        copy.rename(path)
        await database.ping()
        await write(database, "kept")
    async with open_database(url) as again, again.session() as session:
        assert [row.name for row in (await session.exec(select(SettingRow))).all()] == ["kept"]

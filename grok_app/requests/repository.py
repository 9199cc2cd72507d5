"""Finished requests to and from the database."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, Subquery, delete, func, insert, literal, or_, select
from sqlmodel import col

from grok_app.db import Database, Vault
from grok_app.errors import ConfigurationError
from grok_app.logs import get_logger
from grok_app.requests.record import account_of, content_of, first_id, read_detail, read_record, values_of, words_of
from grok_app.requests.table import RequestContentRow, RequestRow
from grok_app.requests.types import FoundRequests, RequestDetail, RequestQuery

log = get_logger(__name__)
MOST_FOUND: Final = 10_000
"""More can't be leafed through, and are not counted."""
_SEARCHED: Final = 50_000
"""A text is looked for in so many of the newest requests."""
_WIDE: Final = ("attempts", "reason")
_COLUMNS: Final = RequestRow.metadata.tables["request"].columns
_LISTED: Final = [column for column in _COLUMNS if column.name not in _WIDE]
_TALLIED: Final = [
    _COLUMNS[name] for name in ("id", "started_at", "duration_ms", "model", "outcome", "first_chunk_ms", "attempts")
]
_CHUNK: Final = 2_000


class RequestRepository:
    """Reads and writes finished requests; content is sealed on its way in and opened on its way out."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def save(self, details: Sequence[RequestDetail]) -> None:
        """Write these, all or none."""
        rows, contents = await asyncio.to_thread(self._as_rows, details)
        async with self._database.session() as session:
            connection = await session.connection()
            await connection.execute(insert(RequestRow), rows)
            if contents:
                await connection.execute(insert(RequestContentRow), contents)

    async def find(self, query: RequestQuery) -> FoundRequests:
        """One page of these requests, newest first. See `RequestQuery`."""
        row_id = col(RequestRow.id)
        matching = select(row_id).where(*_conditions(query)).order_by(row_id.desc()).limit(MOST_FOUND + 1).subquery()
        rows = await self._read(_page(matching, query))
        total = rows[0].total if rows else 0
        if not rows and query.page > 1:
            [(total,)] = await self._read(select(func.count()).select_from(matching))
        items = tuple(read_record(row) for row in rows)
        return FoundRequests(items, min(total, MOST_FOUND), total > MOST_FOUND)

    async def get(self, record_id: str) -> RequestDetail | None:
        """One request; None when there is none. Content that can't be opened any more is missing."""
        one = select(*_COLUMNS).where(col(RequestRow.id) == record_id)
        sealed = select(col(RequestContentRow.content)).where(col(RequestContentRow.id) == record_id)
        async with self._database.session() as session:
            connection = await session.connection()
            row = (await connection.execute(one)).one_or_none()
            content = (await connection.execute(sealed)).scalar_one_or_none()
        return None if row is None else read_detail(row, content and self._opened(content))

    async def delete_before(self, at_ms: int) -> int:
        """Delete some of the requests that began before; how many. Call it until there are none.

        What another process deletes just now is left to it: two of them never wait for each other.
        """
        row_id = col(RequestRow.id)
        oldest = select(row_id).where(row_id < first_id(at_ms)).order_by(row_id).limit(_CHUNK)
        async with self._database.session() as session:
            connection = await session.connection()
            ids = (await connection.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
            if not ids:
                return 0
            await connection.execute(delete(RequestContentRow).where(col(RequestContentRow.id).in_(ids)))
            return (await connection.execute(delete(RequestRow).where(row_id.in_(ids)))).rowcount

    async def delete_content(self) -> int:
        """Delete some of what was said; of how many requests. Call it until there is none."""
        row_id = col(RequestContentRow.id)
        oldest = select(row_id).order_by(row_id).limit(_CHUNK).with_for_update(skip_locked=True)
        async with self._database.session() as session:
            connection = await session.connection()
            ids = (await connection.execute(oldest)).scalars().all()
            if ids:
                await connection.execute(delete(RequestContentRow).where(row_id.in_(ids)))
        return len(ids)

    async def begun_between(self, from_ms: int, to_ms: int, *, most: int) -> AsyncGenerator[Sequence[Row[Any]], None]:
        """What is counted of the requests that began in this time, newest first, in parts."""
        floor, below, left = first_id(from_ms), first_id(to_ms), most
        while left > 0:
            rows = await self._read(_tallied(floor, below).limit(min(_CHUNK, left)))
            if rows:
                yield rows
            if len(rows) < _CHUNK:
                return
            below, left = rows[-1].id, left - len(rows)

    async def _read(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        async with self._database.session() as session:
            rows: Sequence[Row[Any]] = (await (await session.connection()).execute(statement)).all()
            return rows

    def _as_rows(self, details: Sequence[RequestDetail]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        contents = [
            {"id": detail.record.id, "content": self._vault.seal(content_of(detail))}
            for detail in details
            if detail.prompt is not None
        ]
        return [values_of(detail) for detail in details], contents

    def _opened(self, sealed: str) -> str | None:
        try:
            return self._vault.open(sealed)
        except ConfigurationError:
            log.warning("the content of a request was sealed with a key that is gone")
            return None


def _tallied(floor: str, below: str) -> Select[Any]:
    between = (col(RequestRow.id) >= floor, col(RequestRow.id) < below)
    return select(*_TALLIED).where(*between).order_by(col(RequestRow.id).desc())


def _page(matching: Subquery, query: RequestQuery) -> Select[Any]:
    """One page of them, each with the count of all: one look at the table answers both."""
    size = max(1, min(query.page_size, 200))
    offset = (max(1, query.page) - 1) * size
    counted = select(matching.c.id, func.count().over().label("total")).order_by(matching.c.id.desc())
    page = counted.offset(offset).limit(max(0, min(size, MOST_FOUND - offset))).subquery()
    listed = select(*_LISTED, page.c.total).join(page, page.c.id == col(RequestRow.id))
    return listed.order_by(col(RequestRow.id).desc())


def _conditions(query: RequestQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.show != "all":
        wanted.append(col(RequestRow.outcome) == {"ok": "ok", "errors": "error"}[query.show])
    if query.route:
        wanted.append(col(RequestRow.route) == query.route)
    if query.model:
        wanted.append(col(RequestRow.model) == query.model)
    if words_of(query):
        wanted += _search(query)
    return wanted


def _search(query: RequestQuery) -> list[ColumnElement[bool]]:
    """Looking through everything would take a second for each million."""
    row_id = col(RequestRow.id)
    oldest = select(row_id).order_by(row_id.desc()).offset(_SEARCHED).limit(1).scalar_subquery()
    joined: ColumnElement[str] = literal("")
    for name in ("request_id", "model", "route", "key", "error", "reason"):
        joined = joined.concat("\n").concat(func.coalesce(_COLUMNS[name], ""))
    found = joined.icontains(words_of(query), autoescape=True)
    if (account_id := account_of(query)) is not None:
        attempts = _COLUMNS["attempts"]
        found = or_(found, *(attempts.contains(f"{before}[{account_id},") for before in ("[", "],")))
    return [row_id > func.coalesce(oldest, ""), found]

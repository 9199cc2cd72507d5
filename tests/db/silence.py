"""A database that takes connections and says nothing."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from grok_app.db import Database, open_database
from grok_app.settings import SettingRow
from tests.redis import Cable


async def check_silence_is_left(url: str) -> None:
    """In the middle of a unit of work and before one; when the server speaks again, so does the database."""
    cable = Cable(url)
    await cable.plug()
    async with open_database(cable.url) as database:
        async with asyncio.timeout(10):
            with pytest.raises(OperationalError):
                await _ask_into_silence(database, cable)
            with pytest.raises(OperationalError):
                await database.ping()
        await cable.let_go()
        await database.ping()
    await cable.cut()


async def _ask_into_silence(database: Database, cable: Cable) -> None:
    async with database.session() as session:
        await session.exec(select(SettingRow))
        await cable.hold()
        await session.exec(select(SettingRow))

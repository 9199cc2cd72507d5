"""How a cell is played: its accounts are hired, the fault is switched on, its clients ask, and others after them."""

import asyncio
from typing import Final
from uuid import uuid4

from tests.faults.stage import CLIENT_LIMIT_S, Stage
from tests.faults.table import Ask, Fault, Seen, Workload
from tests.faults.workloads import TOKENS, chat

ORDINARY: Final = Seen(200, None, TOKENS)


async def play(stage: Stage, fault: Fault, workload: Workload, *, limit_s: float = CLIENT_LIMIT_S) -> list[Seen]:
    """What each of the fault's callers got, within this time."""
    stage.expect(silence=fault.is_silence)
    stage.hire(fault.accounts, fault.in_name)
    prompt = f"What about {uuid4().hex}?" + (f" @{fault.word}" if fault.word else "")
    with fault.switch(stage):
        async with asyncio.timeout(limit_s):
            return await asyncio.gather(*(workload.run(Ask(stage, prompt)) for _ in range(fault.callers)))


async def serves(stage: Stage, accounts: int = 1) -> bool:
    """Whether an ordinary chat is answered, by as many accounts at once as there are: none is lent any more."""
    asked = Ask(stage, "Are you still there?")
    return set(await asyncio.gather(*(chat(asked) for _ in range(accounts)))) == {ORDINARY}

"""docs/reliability.md, written from the tables."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.faults.machine import CLOCK, DISK, SERVERS
from tests.faults.table import Table
from tests.faults.upstream import TABLES as UPSTREAM

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
TABLES: Final[Sequence[Table]] = (*UPSTREAM, DISK, SERVERS, CLOCK)
_HEAD: Final = """\
# What clients get when something fails

<!-- Written by `python -m tests.faults`. -->

Each cell is a test in `tests/faults/`, played against a gateway that runs as a process of its own. A cell says what the
client gets: the HTTP status and the error's `code`, or for a stream what comes before the error, the error, and how the
stream ends. After each cell the test makes sure of this too:

- no call is open at Grok any more, and the gateway has no more sockets and files open than before;
- no half-written file is left in the data folder;
- every account that was lent is back, and the next ordinary chat on it is answered;
- memory stayed within bounds while it happened, and nothing was logged that is a crash.

What the codes mean is said in the API's description at `/docs`. A stream that has begun never just ends: a chat's ends
with the error and `[DONE]`, a stream of pictures with the error, an endless run tells the error as an event, pauses and
goes on.
"""
_TAIL: Final = """\
## Clients that leave

Within the headers, within the body of an upload, before the answer, in the middle of it, between two frames of a
WebSocket, or while they wait for an account, politely or with an RST: for each kind of request Grok's work is stopped
within a second and the account is free; nobody has it who has left. No temporary file stays (`test_leaving.py`).

## The end of the gateway

On SIGTERM and on `kill -9` under load: accounts and settings that were acknowledged are there after a start, and each
file that was named in an answer is whole. No half-written file and no temporary one stays, and the database is sound
(`test_ending.py`). What requests use of accounts is written within `token.save_delay_ms`; a kill costs that much of it.
"""


def write_page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *(_write_table(table) for table in TABLES), _TAIL])


def _write_table(table: Table) -> str:
    head = ("What goes wrong", *(workload.title for workload in table.workloads))
    return "\n".join((f"## {table.title}", "", table.about, "", *_rows(head, _cells(table)), ""))


def _cells(table: Table) -> Iterator[Sequence[str]]:
    for fault in table.faults:
        promised = table.promises[fault.name]
        yield fault.does, *(str(promised.get(workload.name, "")) for workload in table.workloads)


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"

"""Every operation of `/openapi.json`, asked for as the document allows and forbids. The large form is `make fuzz`."""

from typing import Any, Final

import pytest

from benchmarks.processes import memory
from tests.fuzz.campaign import CALLERS, OPERATORS, ask
from tests.servers import Gateway

MOST_GROWTH_MIB: Final = 80.0
"""More than what is loaded with a first request takes."""
FEW: Final[dict[str, Any]] = {
    "generation": {"max-examples": 3, "allow-x00": True, "no-shrink": True},
    "phases": {"stateful": {"generation": {"max-examples": 3}}},
}
ALIASES: Final = "^/(api|grok)/"
"""Where the same operations are once more."""


@pytest.mark.timeout(300)  # a thousand requests
@pytest.mark.parametrize("has_key", [True, False], ids=["key", "no key"])
@pytest.mark.parametrize(
    ("whose", "others"), [("callers", OPERATORS), ("operators", CALLERS)], ids=["callers", "operators"]
)
def test_operations_keep_the_promises_of_the_document(
    request: pytest.FixtureRequest, whose: str, others: str, has_key: bool
) -> None:
    """Status, content type, headers and body are what it says; keys are asked for; no crash, hang or lost memory."""
    gateway: Gateway = request.getfixturevalue(whose)
    before = memory(gateway.process.pid)

    tally = ask(gateway.url, left_out=f"{ALIASES}|{others}", has_key=has_key, seed=1, rules=FEW)

    assert not tally.failures, "\n\n".join(f"{what}: {told}" for what, told in tally.failures.items())
    assert tally.server_errors == 0
    assert tally.cases.total() > 500
    assert memory(gateway.process.pid).rss_mib - before.rss_mib < MOST_GROWTH_MIB

"""Requests made of `/openapi.json` by schemathesis: where they go, what counts as a failure, how many there were."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import schemathesis
from schemathesis import Case, Config, HookContext
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, QUICK_RETRIES

KEY: Final = "key-of-every-door"
"""Of programs, visitors and the operator alike: no request has to know which one is asked for."""
ACCOUNTS: Final = {
    pool: tuple(f"sandbox-{tier}-fuzz-{number}-{ENDLESS}" for number in range(100))
    for pool, tier in ((Pool.BASIC, "basic"), (Pool.SUPER, "super"))
}
SETTINGS: Final = {
    **QUICK_RETRIES,
    **dict.fromkeys(("app.api_key", "app.app_key", "app.public_key"), KEY),
    "app.public_enabled": "true",
    "public.max_runs_per_address": "1000",
    "public.requests_per_minute": "100000",
    "token.auto_refresh": "false",
    "token.fail_threshold": "100",
}
"""Of a gateway that is asked. Its environment has them: no request can change them."""
OPERATORS: Final = "/admin/"
CALLERS: Final = "^(?!.*/admin/)"
"""Expressions for paths. What operators ask for changes accounts: it has a gateway of its own."""
SERVER_ERRORS: Final = range(500, 600)
_RULES: Final = Path(__file__).with_name("schemathesis.toml")
_ADDRESSES: Final = ("http://", "https://")
_FRAMING: Final = ("content-length", "transfer-encoding")
_NOWHERE: Final = "http://127.0.0.1/"


@dataclass
class Tally:
    """What came of requests.

    Attributes:
        cases: How many there were, by operation.
        server_errors: How many were answered with 5xx, or not at all.
        failures: What is wrong, by operation and check: what was said, and how to ask again.
    """

    cases: Counter[str] = field(default_factory=Counter)
    server_errors: int = 0
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def count(self, event: events.EngineEvent) -> None:
        """Add what schemathesis tells."""
        if isinstance(event, events.ScenarioFinished):
            self._count_cases(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.failures[event.label, "no answer"] = str(event.info)
        elif isinstance(event, events.FatalError):
            raise event.exception

    def add(self, other: "Tally") -> None:
        """Add what another one has."""
        self.cases += other.cases
        self.server_errors += other.server_errors
        self.failures |= other.failures

    def _count_cases(self, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            label = recorder.cases[case_id].value.operation.label
            self.cases[label] += 1
            if interaction.response is None or interaction.response.status_code in SERVER_ERRORS:
                self.server_errors += 1
            for check in recorder.checks.get(case_id, ()):
                if check.status is Status.FAILURE and check.failure_info:
                    told = f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                    self.failures.setdefault((label, check.name), told)


def ask(url: str, *, left_out: str, has_key: bool, seed: int, rules: Mapping[str, Any]) -> Tally:
    """Ask for operations in every way that the document allows, and in many that it forbids.

    Args:
        url: Of the gateway.
        left_out: An expression for the paths that are not asked for.
        has_key: Whether the key is shown.
        seed: The same one makes the same requests.
        rules: Beside those of schemathesis.toml, and in its words.
    """
    headers = {"Authorization": f"Bearer {KEY}"} if has_key else {}
    given = {"base-url": url, "headers": headers, "seed": seed, **rules}
    config = Config.from_dict({**tomllib.loads(_RULES.read_text()), **given})
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    tally = Tally()
    for event in from_schema(schema.exclude(path_regex=left_out)).execute():
        tally.count(event)
    return tally


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Let no address in a body lead anywhere else, which the gateway would fetch, and no header say where a body ends.

    A server refuses wrong ones before there is an operation; `tests.fuzz.raw` asks so.
    """
    case.body = _without_addresses(case.body)
    for name in [name for name in case.headers if name.lower() in _FRAMING]:
        del case.headers[name]


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_addresses(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_addresses(item) for item in value]
    return _NOWHERE if isinstance(value, str) and value.lower().startswith(_ADDRESSES) else value

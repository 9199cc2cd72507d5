"""What Prometheus reads. Source: API contract, sections 1 and 2."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from grok_app.catalog import Pool
from tests.conftest import API_KEY, APP_KEY, ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.wire import CHAT, ask, body, error_of
from tests.redis import redis_url
from tests.servers import RUNNING, Gateway, Sandbox, eventually, start_gateway

__all__ = ["redis_url"]

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:grok_app|process)_\w+")
TOKENS = tuple(f"sandbox-basic-measured-{number}-{ENDLESS}" for number in range(20))
ONLY_WITH_REDIS = "grok_app_redis_away"
CALLERS = 12
"""The kernel spreads connections by chance: that one worker of two has none of so many happens once in 2,000 runs."""


@pytest.fixture(scope="module")
def measured(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that nobody else asks."""
    return make_gateway({Pool.BASIC: TOKENS}, {**KEYS, **QUICK_RETRIES})


def scrape(gateway: Gateway, accept: str = "") -> httpx.Response:
    """What the operator reads."""
    headers = {"Authorization": f"Bearer {APP_KEY}", "Accept": accept}
    return gateway.stranger.get("/metrics", headers=headers).raise_for_status()


def families(gateway: Gateway) -> dict[str, Metric]:
    """All of it, by name."""
    return {family.name: family for family in read_text(scrape(gateway).text)}


def total(found: Iterable[Metric], sample: str, **labels: str) -> float:
    """The sum of all samples of this name that have these labels."""
    return sum(
        it.value
        for family in found
        for it in family.samples
        if it.name == sample and labels.items() <= it.labels.items()
    )


def value(gateway: Gateway, sample: str, **labels: str) -> float:
    """The same of a scrape."""
    return total(families(gateway).values(), sample, **labels)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {API_KEY}"}, {"x-api-key": APP_KEY}],
    ids=["none", "wrong", "of programs", "as programs show it"],
)
def test_nobody_else_reads_it(measured: Gateway, headers: dict[str, str]) -> None:
    """Without the operator's key there is a 401 in the contract's form."""
    answer = measured.stranger.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error_of(answer)["code"] == "invalid_api_key"


def test_the_console_reads_it(measured: Gateway) -> None:
    """Its session is enough."""
    with httpx.Client(base_url=measured.url) as browser:
        browser.post("/v1/admin/session", json={"app_key": APP_KEY}).raise_for_status()
        assert browser.get("/metrics").status_code == 200


def test_everybody_reads_it_when_it_is_public(measured: Gateway) -> None:
    """From the next request on, and until it is closed again."""
    operator = {"Authorization": f"Bearer {APP_KEY}"}
    for is_public, status in ((True, 200), (False, 401)):
        change = {"app.metrics_public": is_public}
        measured.stranger.post("/v1/admin/config", headers=operator, json=change).raise_for_status()
        assert measured.stranger.get("/metrics").status_code == status


@pytest.mark.parametrize(
    ("accept", "content_type", "read"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8", read_text),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", read_text),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            "application/openmetrics-text",
            read_openmetrics,
        ),
    ],
    ids=["unsaid", "anything", "OpenMetrics"],
)
def test_both_formats_are_written(measured: Gateway, accept: str, content_type: str, read: Any) -> None:
    """The one that is asked for, and readers of each understand it."""
    ask(measured, "Hello").raise_for_status()
    answer = scrape(measured, accept)
    assert answer.headers["content-type"].startswith(content_type)
    assert "grok_app_requests" in {family.name for family in read(answer.text)}


def test_a_chat_is_counted(measured: Gateway) -> None:
    """Once each: the request, its times, the account that was asked, its tokens, what it takes from the quota."""
    before = families(measured).values()
    ask(measured, "Hello", model="grok-4", stream=True).raise_for_status()
    after = families(measured).values()

    def grown(sample: str, **labels: str) -> float:
        return total(after, sample, **labels) - total(before, sample, **labels)

    assert grown("grok_app_requests_total", route=CHAT, model="grok-4", status="200") == 1
    assert grown("grok_app_first_chunk_seconds_count", model="grok-4") == 1
    assert grown("grok_app_first_chunk_seconds_bucket", model="grok-4", le="+Inf") == 1
    assert grown("grok_app_request_duration_seconds_count", route=CHAT) == 1
    assert grown("grok_app_upstream_attempts_total", failure="none") == 1
    assert grown("grok_app_tokens_total", model="grok-4", kind="completion") > 0
    assert grown("grok_app_quota_left", pool="ssoBasic") == -1
    assert grown("grok_app_request_errors_total") == 0


def test_a_failure_is_counted_by_its_kind(measured: Gateway) -> None:
    """What the caller was told, and what Grok did to each account that was asked."""
    before = families(measured).values()
    failed = ask(measured, "Hello @503")
    after = families(measured).values()
    code = error_of(failed)["code"]
    assert total(after, "grok_app_request_errors_total", route=CHAT, code=code) == 1 + total(
        before, "grok_app_request_errors_total", route=CHAT, code=code
    )
    name = "grok_app_upstream_attempts_total"
    assert total(after, name, failure="unavailable") > total(before, name, failure="unavailable")


def test_what_callers_write_makes_no_series(measured: Gateway) -> None:
    """A model that nobody knows, a path, an id: however many of them are sent, there are no more lines."""
    ask(measured, "Hello", model="no-such-model-0")
    before = scrape(measured).text
    for number in range(3):
        ask(measured, "Hello", model=f"no-such-model-{number}")
        measured.http.get(f"/v1/no-such-path-{number}")
    after = scrape(measured).text
    assert "no-such" not in after
    assert after.count("grok_app_requests_total{") == before.count("grok_app_requests_total{")


def test_no_secret_is_told(measured: Gateway) -> None:
    """No key, no token of an account, no caller's address."""
    ask(measured, "A prompt that is nobody's business").raise_for_status()
    text = scrape(measured).text
    assert not [
        word for word in (*KEYS.values(), API_KEY, *TOKENS, "measured-", "127.0.0.1", "nobody's") if word in text
    ]


def test_requests_under_way_are_shown(measured: Gateway) -> None:
    """While they are, and not afterwards; so are the accounts that are lent for them."""
    asking = Thread(target=ask, args=(measured, "Hello @slow"), kwargs={"stream": True})
    asking.start()
    eventually(lambda: value(measured, "grok_app_requests_in_flight", route=CHAT) == 1)
    eventually(lambda: value(measured, "grok_app_leases") == 1)
    asking.join()
    eventually(lambda: value(measured, "grok_app_requests_in_flight", route=CHAT) == 0)
    eventually(lambda: value(measured, "grok_app_leases") == 0)


def test_an_account_is_counted_by_its_state(measured: Gateway) -> None:
    """As soon as an operator has changed it."""
    operator = {"Authorization": f"Bearer {APP_KEY}"}
    count = value(measured, "grok_app_accounts", pool="ssoBasic", state="active")
    for status, change in (("disabled", -1), ("active", 0)):
        measured.stranger.patch(
            "/v1/admin/tokens", headers=operator, json={"token": TOKENS[0], "status": status}
        ).raise_for_status()
        assert value(measured, "grok_app_accounts", pool="ssoBasic", state="active") == count + change
        assert value(measured, "grok_app_accounts", pool="ssoBasic", state="disabled") == -change


def documented() -> dict[str, tuple[str, str, str]]:
    """The table of docs/monitoring.md: type, labels and meaning by name."""
    text = (ROOT / "docs" / "monitoring.md").read_text()
    return {name: (kind, labels, meaning) for name, kind, labels, meaning in ROW.findall(text)}


def scraped(gateway: Gateway) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """What the table must say of a scrape in which everything has happened."""
    for family in families(gateway).values():
        suffix = {"counter": "_total"}.get(family.type, "")
        labels = sorted({label for it in family.samples for label in it.labels} - {"le"})
        told = ", ".join(f"`{label}`" for label in labels)
        yield family.name + suffix, (family.type, told, family.documentation)


def test_the_table_is_current(measured: Gateway) -> None:
    """docs/monitoring.md names every metric, with its type, its labels and its meaning, and no other."""
    ask(measured, "Hello").raise_for_status()
    ask(measured, "Hello", model="no-such-model")
    table = documented()
    assert table.pop(ONLY_WITH_REDIS)[0] == "gauge"
    assert dict(scraped(measured)) == table


def test_every_query_of_the_dashboard_finds_something(measured: Gateway) -> None:
    """deploy/grafana.json asks for metrics and labels that there are."""
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    queries += [variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable]
    assert len(queries) > 20
    ask(measured, "Hello").raise_for_status()
    ask(measured, "Hello", model="no-such-model")
    found = families(measured).values()
    labels = {it.name: set(it.labels) for family in found for it in family.samples}
    labels[ONLY_WITH_REDIS] = {"worker"}
    for query in queries:
        [name] = NAME.findall(query)
        assert name in labels, query
        for wanted in re.findall(r"by \(([^)]*)\)", query):
            assert set(re.split(r",\s*", wanted)) - {"instance"} <= labels[name], query


@pytest.fixture
def crew(sandbox: Sandbox, redis_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with two workers."""
    folder = tmp_path / "measured"
    folder.mkdir()
    settings = {**KEYS, "workers": "2", "redis_url": redis_url}
    gateway = start_gateway(folder, sandbox, {Pool.BASIC: TOKENS}, settings)
    yield gateway
    if gateway.process in RUNNING:
        gateway.kill()


def test_one_scrape_has_the_figures_of_all_workers(crew: Gateway) -> None:
    """Whichever answers: each worker's own by its number, what all know alike once; none is counted twice."""
    eventually(lambda: value(crew, "grok_app_worker_up") == 2)
    for _ in range(CALLERS):
        with httpx.Client(base_url=crew.url, headers=crew.auth) as caller:
            caller.post(CHAT, json=body("Hello")).raise_for_status()
    for _ in range(3):
        with httpx.Client(base_url=crew.url, headers={"Authorization": f"Bearer {APP_KEY}"}) as prometheus:
            found = list(read_text(prometheus.get("/metrics").raise_for_status().text))
        counts = [total(found, "grok_app_requests_total", worker=worker) for worker in ("1", "2")]
        assert sum(counts) == CALLERS
        assert all(counts)
        assert total(found, "grok_app_accounts", state="active") == len(TOKENS)
        assert total(found, "process_resident_memory_bytes", worker="2") > 0
        assert total(found, ONLY_WITH_REDIS) == 0
    crew.stop()

"""Settings that change while it runs. Source: API contract, sections 2, 3 and 10."""

from collections.abc import Generator
from itertools import permutations
from typing import Any, Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import APP_KEY, ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import PREFIXES, operator, set_up
from tests.contract.wire import error_of
from tests.servers import Gateway

ACCOUNTS: Final = {Pool.BASIC: tuple(f"sandbox-basic-config-{number}-{ENDLESS}" for number in range(20))}
HELD: Final = {**QUICK_RETRIES, "app.app_key": APP_KEY, "app.language": "zh-CN", "retry.max_retry": "2"}
"""What the environment holds."""
SECRET: Final = "letmein-5f1c"
SPELLINGS: Final[dict[str, tuple[tuple[str, ...], list[Any]]]] = {
    "app.public_key": (("app.public_key", "app_public_key", "public_key"), ["one", "two", "three"]),
    "app.public_enabled": (("app.public_enabled", "app_public_enabled", "public_enabled"), [True, False, False]),
    "app.stream": (("app.stream", "app_stream", "stream"), [False, True, True]),
    "image.nsfw": (("image.nsfw", "image_nsfw"), [True, False]),
    "image.final_min_bytes": (("image.final_min_bytes", "image_final_min_bytes"), [111, 222]),
    "image.medium_min_bytes": (("image.medium_min_bytes", "image_medium_min_bytes"), [11, 22]),
}
"""The contract's table: the spellings of a setting, the leftmost first, and values to tell them apart."""
ALIASES: Final = [
    pytest.param(name, spelling, value, id=spelling)
    for name, (spellings, (value, *_)) in SPELLINGS.items()
    for spelling in spellings
]
CONFLICTS: Final = [
    pytest.param(name, spellings[first:], values[first:], id=f"{name} in {len(spellings) - first} spellings")
    for name, (spellings, values) in SPELLINGS.items()
    for first in range(len(spellings) - 1)
]


@pytest.fixture(scope="module")
def configured(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose settings are at their defaults, but for a few that the environment holds."""
    return make_gateway(ACCOUNTS, HELD)


@pytest.fixture(params=PREFIXES)
def admin(configured: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The operator, at each prefix, who begins without an API key and leaves everything as it was."""
    with operator(configured, request.param) as client:
        before = client.get("/config").json()
        set_up(client, app__api_key="")
        yield client
        client.post("/config", json=before).raise_for_status()
        assert client.get("/config").json() == before


def value_of(admin: httpx.Client, name: str) -> Any:
    """What the configuration shows for this setting."""
    section, key = name.split(".")
    return admin.get("/config").raise_for_status().json()[section][key]


def test_the_operator_is_told_what_there_is(admin: httpx.Client) -> None:
    """Whether the key is right, where things are stored, and every setting at its default."""
    assert admin.get("/verify").json() == {"status": "success"}
    assert admin.get("/storage").json() == {"type": "sqlite", "redis": False}
    config = admin.get("/config").json()
    assert {"app", "proxy", "retry", "token", "cache", "chat", "image", "video", "voice", "asset", "nsfw", "usage",
            "upstream"} <= config.keys()  # fmt: skip
    assert (config["app"]["stream"], config["app"]["thinking_format"]) == (True, "think_tags")
    assert (config["image"]["nsfw"], config["chat"]["concurrent"]) == (False, 1000)
    assert config["app"]["filter_tags"] == ["xaiartifact", "xai:tool_usage_card", "grok:render"]
    assert config["voice"]["livekit_url"].startswith("ws://127.0.0.1:")  # the sandbox, as the environment says
    assert config["retry"]["retry_status_codes"] == [401, 403, 429, 502, 503, 504]


@pytest.mark.parametrize(
    "change",
    [{"chat": {"timeout": 7}}, {"chat.timeout": 7}, {"chat": {"timeout": "7"}}, {"network": {"timeout": 7}}],
    ids=["nested", "dotted", "as text", "deprecated"],
)
def test_a_partial_object_changes_only_what_it_names(admin: httpx.Client, change: dict[str, Any]) -> None:
    """Sections and dot-keys mean the same, and the rest of a section stays."""
    set_up(admin, chat__stream_timeout=8, chat__timeout=9, app__thinking=False)
    answer = admin.post("/config", json=change)

    assert answer.status_code == 200
    assert answer.json()["status"] == "success"
    assert isinstance(answer.json()["message"], str)
    config = admin.get("/config").json()
    assert (config["chat"]["timeout"], config["chat"]["stream_timeout"]) == (7, 8)
    assert config["app"]["thinking"] is False


@pytest.mark.parametrize(("name", "spelling", "value"), ALIASES)
def test_each_spelling_reaches_its_setting(admin: httpx.Client, name: str, spelling: str, value: Any) -> None:
    """What scripts for grok2api send is understood."""
    assert value_of(admin, name) != value
    admin.post("/config", json={spelling: value}).raise_for_status()
    assert value_of(admin, name) == value


@pytest.mark.parametrize(("name", "spellings", "values"), CONFLICTS)
def test_the_leftmost_spelling_wins(
    admin: httpx.Client, name: str, spellings: tuple[str, ...], values: list[Any]
) -> None:
    """Whatever the order in which they are given."""
    for order in permutations(zip(spellings, values, strict=True)):
        set_up(admin, **{name.replace(".", "__"): values[-1]})
        admin.post("/config", json=dict(order)).raise_for_status()
        assert value_of(admin, name) == values[0], order


def test_a_section_counts_as_the_setting_s_own_name(admin: httpx.Client) -> None:
    """`app.stream` wins over `stream`, nested or not."""
    admin.post("/config", json={"stream": True, "app_stream": True, "app": {"stream": False}}).raise_for_status()
    assert value_of(admin, "app.stream") is False


@pytest.mark.parametrize(
    ("former", "name", "value"),
    [
        ({"grok": {"temporary": False}}, "app.temporary", False),
        ({"chat": {"disable_memory": False}}, "app.disable_memory", False),
        ({"grok.filter_tags": "one,two"}, "app.filter_tags", ["one", "two"]),
        ({"security": {"cf_clearance": "clear"}}, "proxy.cf_clearance", "clear"),
        ({"timeout": {"stream_idle_timeout": 33}}, "image.stream_timeout", 33),
        ({"performance": {"usage_max_concurrent": 44}}, "usage.concurrent", 44),
    ],
    ids=["grok", "chat", "dotted", "security", "timeout", "performance"],
)
def test_deprecated_sections_reach_the_new_ones(
    admin: httpx.Client, former: dict[str, Any], name: str, value: Any
) -> None:
    """A configuration of grok2api's is taken as it is; the new name, where it is given too, decides."""
    before = value_of(admin, name)
    assert before != value
    admin.post("/config", json=former).raise_for_status()
    assert value_of(admin, name) == value
    admin.post("/config", json={**former, name: before}).raise_for_status()
    assert value_of(admin, name) == before


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"app": {"stream": "perhaps"}}, "app.stream"),
        ({"app.stream": "perhaps"}, "app.stream"),
        ({"app": {"thinking_format": "loud"}}, "app.thinking_format"),
        ({"app.image_format": "gif"}, "app.image_format"),
        ({"app.video_format": 3}, "app.video_format"),
        ({"chat.timeout": 0}, "chat.timeout"),
        ({"chat.timeout": -1}, "chat.timeout"),
        ({"chat.timeout": "soon"}, "chat.timeout"),
        ({"chat.concurrent": 1.5}, "chat.concurrent"),
        ({"chat.concurrent": None}, "chat.concurrent"),
        ({"token.fail_threshold": 0}, "token.fail_threshold"),
        ({"token.max_inflight": 10**9}, "token.max_inflight"),
        ({"retry.retry_status_codes": "429,many"}, "retry.retry_status_codes"),
        ({"retry": {"retry_status_codes": [429, 99]}}, "retry.retry_status_codes"),
        ({"image.final_min_bytes": -1}, "image.final_min_bytes"),
        ({"upstream.grok_url": "grok"}, "upstream.grok_url"),
        ({"upstream.extra_headers": ["X-A"]}, "upstream.extra_headers"),
        ({"nsfw.birth_date": "tomorrow"}, "nsfw.birth_date"),
        ({"app": 1}, "app"),
        ({"app": {"steam": True}}, "app.steam"),
        ({"nothing": {"at": "all"}}, "nothing"),
        ({"nothing": 1}, "nothing"),
    ],
    ids=str,
)
def test_a_bad_value_is_named_and_changes_nothing(admin: httpx.Client, wrong: dict[str, Any], param: str) -> None:
    """A 400 with the field's name in `param` and message; the good values beside it are not taken over either."""
    before = admin.get("/config").json()
    answer = admin.post("/config", json={**wrong, "asset.list_timeout": 12.5})

    assert answer.status_code == 400
    error = error_of(answer)
    assert error["type"] == "invalid_request_error"
    assert error["code"]
    assert (error["param"] or "").startswith(param)
    assert param.rpartition(".")[2] in error["message"]
    assert admin.get("/config").json() == before


@pytest.mark.parametrize(
    "spelling",
    ["public_key", "app_stream", "image_final_min_bytes", "network.timeout"],
)
def test_a_bad_value_under_another_spelling_is_named_too(admin: httpx.Client, spelling: str) -> None:
    """The operator finds what to mend by the setting's name or the one that was given."""
    before = admin.get("/config").json()
    answer = admin.post("/config", json={spelling: [SECRET]})
    assert answer.status_code == 400
    assert spelling.rpartition(".")[2].removeprefix("app_").removeprefix("image_") in (error_of(answer)["param"] or "")
    assert admin.get("/config").json() == before


@pytest.mark.parametrize(
    ("content", "param", "code"),
    [(b'{"app": {"stream": true,}}', "body", "json_invalid"), (b"", "body", "json_invalid"), (b"[]", "body", None)],
    ids=["trailing comma", "nothing", "a list"],
)
def test_a_body_that_is_no_object_is_refused(admin: httpx.Client, content: bytes, param: str, code: str | None) -> None:
    """With the words that every route has for it."""
    answer = admin.post("/config", content=content)
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    if code:
        assert error["code"] == code
        assert error["message"] == ("Invalid JSON in request body. Please check for trailing commas or syntax errors.")


@pytest.mark.parametrize(
    "change",
    [{"app.language": "en"}, {"app": {"language": "en"}}, {"retry.max_retry": 5}, {"app.app_key": SECRET}],
    ids=["dotted", "nested", "number", "key"],
)
def test_what_the_environment_holds_can_t_be_changed(admin: httpx.Client, change: dict[str, Any]) -> None:
    """A 409 that names it and changes nothing, the settings beside it included."""
    before = admin.get("/config").json()
    answer = admin.post("/config", json={**change, "asset.list_timeout": 12.5})

    assert answer.status_code == 409
    error = error_of(answer)
    assert error["code"] == "set_by_environment"
    assert error["param"] in {"app.language", "retry.max_retry", "app.app_key"}
    assert error["param"] in error["message"]
    assert SECRET not in answer.text
    assert admin.get("/config").json() == before


def test_the_same_value_as_the_environment_s_is_fine(admin: httpx.Client) -> None:
    """A page that sends back the whole form with one change gets through."""
    config = admin.get("/config").json()
    config["asset"]["list_timeout"] = 12.5
    assert admin.post("/config", json=config).status_code == 200
    assert admin.post("/config", json={"retry.max_retry": "2", "app.app_key": APP_KEY}).status_code == 200
    assert admin.get("/config").json() == config


@pytest.mark.parametrize(
    "change",
    [
        {"app.app_key": {"key": SECRET}},
        {"app.api_key": [SECRET, {"key": SECRET}]},
        {"app": {"public_key": {SECRET: 1}}},
        {"public_key": [SECRET]},
        {"app.api_key": f"{SECRET}\n"},
        {"proxy.cf_clearance": [SECRET]},
        {"proxy.base_proxy_url": f"ftp://user:{SECRET}@proxy.example"},
        {"proxy.asset_proxy_url": f"user:{SECRET}@"},
        {"grok": {"base_proxy_url": f"ftp://user:{SECRET}@proxy.example"}},
        {"upstream.extra_headers": {"Cookie": [SECRET]}},
        {"upstream.extra_headers": f'{{"Cookie": "{SECRET}"'},
    ],
    ids=str,
)
def test_an_error_never_quotes_a_secret(admin: httpx.Client, configured: Gateway, change: dict[str, Any]) -> None:
    """Neither in the answer nor in the log."""
    answer = admin.post("/config", json=change)
    assert answer.status_code in {200, 400, 409}
    assert SECRET not in answer.text
    assert SECRET not in configured.process.log()

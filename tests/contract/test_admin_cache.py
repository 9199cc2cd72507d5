"""The cache through the operator's API. Source: API contract, section 10."""

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.conftest import KEYS, GatewayFactory
from tests.contract.admin import PREFIXES, operator
from tests.contract.wire import error_of
from tests.servers import Gateway

HALF_MB: Final = bytes(1 << 19)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the gateway's files."""
    return tmp_path_factory.mktemp("cache") / "media"


@pytest.fixture(scope="module")
def keeping(make_gateway: GatewayFactory, media: Path) -> Gateway:
    """A gateway whose data folder we know."""
    return make_gateway({}, {**KEYS, "data_dir": str(media.parent)})


@pytest.fixture(params=PREFIXES)
def admin(keeping: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The operator, at each prefix, who begins with an empty cache."""
    with operator(keeping, request.param) as client:
        for kind in ("image", "video"):
            client.post("/cache/clear", json={"type": kind}).raise_for_status()
        yield client


def fill(gateway: Gateway, media: Path, *names: str) -> None:
    """Put files into the cache, half a megabyte each, and let the gateway know of them."""
    for name in names:
        kind = "video" if name.endswith("mp4") else "image"
        (media / kind / name).write_bytes(HALF_MB)
        assert gateway.stranger.head(f"/v1/files/{kind}/{name}").status_code == 200


def listed(admin: httpx.Client, **asked: Any) -> dict[str, Any]:
    """A page of the list."""
    content: dict[str, Any] = admin.get("/cache/list", params=asked).raise_for_status().json()
    return content


def test_the_operator_sees_how_much_there_is(admin: httpx.Client, keeping: Gateway, media: Path) -> None:
    """Counts and sizes of both kinds."""
    fill(keeping, media, "a.png", "b.png", "c.png", "d.mp4")
    content = admin.get("/cache").raise_for_status().json()

    assert content["local_image"] == {"count": 3, "size_mb": 1.5}
    assert content["local_video"] == {"count": 1, "size_mb": 0.5}


def test_files_are_listed(admin: httpx.Client, keeping: Gateway, media: Path) -> None:
    """Newest first, page by page, pictures unless videos are asked for; the link leads to the file."""
    fill(keeping, media, "a.png", "b.png", "c.png", "d.mp4")
    first, second, third = (listed(admin, page=page, page_size=2) for page in (1, 2, 3))

    assert {name: first[name] for name in ("status", "total", "page", "page_size")} == {
        "status": "success", "total": 3, "page": 1, "page_size": 2,
    }  # fmt: skip
    assert [item["name"] for page in (first, second, third) for item in page["items"]] == ["c.png", "b.png", "a.png"]
    [video] = listed(admin, type="video")["items"]
    mtime_ms = (media / "video" / "d.mp4").stat().st_mtime_ns // 1_000_000
    assert video == {
        "name": "d.mp4", "size_bytes": len(HALF_MB), "mtime_ms": mtime_ms, "view_url": "/v1/files/video/d.mp4",
    }  # fmt: skip
    assert keeping.stranger.get(video["view_url"]).content == HALF_MB


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"type": "audio"}, "type"),
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 10_001}, "page_size"),
        ({"page": 10**30}, "page"),
    ],
)
def test_a_wrong_question_is_refused(admin: httpx.Client, asked: dict[str, Any], param: str) -> None:
    """400 with the name of the parameter."""
    answer = admin.get("/cache/list", params=asked)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_one_kind_is_cleared(admin: httpx.Client, keeping: Gateway, media: Path) -> None:
    """Pictures unless videos are named; the others stay."""
    fill(keeping, media, "a.png", "b.png", "d.mp4")

    assert admin.post("/cache/clear", json={}).json() == {
        "status": "success", "result": {"count": 2, "size_mb": 1.0},
    }  # fmt: skip
    content = admin.get("/cache").json()
    assert (content["local_image"]["count"], content["local_video"]["count"]) == (0, 1)
    assert admin.post("/cache/clear", json={"type": "video"}).json()["result"]["count"] == 1
    assert keeping.stranger.get("/v1/files/image/a.png").status_code == 404


def test_one_file_is_deleted(admin: httpx.Client, keeping: Gateway, media: Path) -> None:
    """It alone; that it wasn't there is said."""
    fill(keeping, media, "a.png", "b.png")
    answers = [admin.post("/cache/item/delete", json={"type": "image", "name": "a.png"}).json() for _ in range(2)]

    assert answers == [{"status": "success", "result": {"deleted": deleted}} for deleted in (True, False)]
    assert [item["name"] for item in listed(admin)["items"]] == ["b.png"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/cache/clear", {"type": "audio"}, "type"),
        ("/cache/item/delete", {"type": "image"}, "name"),
        ("/cache/item/delete", {"type": "image", "name": "../../grok_app.db"}, "name"),
        ("/cache/item/delete", {"type": "image", "name": "a.mp4"}, "name"),
    ],
)
def test_a_wrong_order_is_refused(
    admin: httpx.Client, media: Path, path: str, body: dict[str, str], param: str
) -> None:
    """400 with the field, and nothing outside the cache is touched."""
    answer = admin.post(path, json=body)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == param
    assert (media.parent / "grok_app.db").exists()


@pytest.mark.parametrize("path", ["/cache", "/cache/list"])
def test_strangers_learn_nothing(keeping: Gateway, path: str) -> None:
    """Without the operator's key there is no list of names."""
    assert keeping.stranger.get(f"/v1/admin{path}").status_code == 401
    assert keeping.stranger.post("/v1/admin/cache/clear", json={}).status_code == 401

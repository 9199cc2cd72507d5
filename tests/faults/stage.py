"""Where the cells are played: one gateway, the sandbox, and a relay between them that can break the connection."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from grok_app.catalog import Pool
from tests.conftest import APP_KEY, ENDLESS, KEYS, PUBLIC_KEY, QUICK_RETRIES
from tests.contract.admin import bearer, employ, fresh, operator
from tests.faults.relay import Relay, open_relay
from tests.servers import Gateway, Sandbox, start_gateway

PATIENCE_S: Final = 60.0
"""How long the gateway waits for Grok: longer than anything takes on a busy machine."""
SILENCE_S: Final = 0.5
"""The same where the fault is that nothing comes."""
DRAWING_S: Final = 1.0
"""The same there for pictures: before the silence, the sandbox really draws them."""
WAITS: Final = {
    **dict.fromkeys(("chat.timeout", "chat.stream_timeout", "video.timeout", "video.stream_timeout"), SILENCE_S),
    **dict.fromkeys(("asset.upload_timeout", "asset.download_timeout", "usage.timeout"), SILENCE_S),
    **dict.fromkeys(("image.timeout", "image.stream_timeout", "image.final_timeout"), DRAWING_S),
    "image.blocked_grace_seconds": SILENCE_S,
}
"""The settings that decide how long, and what they are where nothing comes."""
TLS: Final = ssl.create_default_context()
"""One for all clients: httpx reads all certificates for each that has none."""
CLIENT_LIMIT_S: Final = 10.0
"""A client that hears nothing for so long has been left hanging: the cell fails."""
SETTINGS: Final = {
    **KEYS,
    **QUICK_RETRIES,
    "app.public_enabled": "true",
    "public.requests_per_minute": "100000",
    "public.max_runs_per_address": "1000",
    "token.auto_refresh": "false",
    "token.fail_threshold": "100",
    "token.max_inflight": "1",
    "image.blocked_parallel_enabled": "false",
}
"""An account serves one request at a time, so that one that is not given back is missed at once."""


@dataclass
class Stage:
    """The servers of a module's cells."""

    gateway: Gateway
    sandbox: Sandbox
    relay: Relay
    admin: httpx.Client
    """The operator, at their API."""
    accounts: list[str] = field(default_factory=list)
    """The tokens of the only accounts there are."""
    _expects_silence: bool = False

    @property
    def folder(self) -> Path:
        """The gateway's data folder, also its place for temporary files."""
        return self.gateway.process.folder

    def hire(self, count: int, in_name: str = "") -> None:
        """Let these be all the accounts: so many that Grok has never seen, with a magic word in their names."""
        ending = f"-{ENDLESS}-@{in_name}" if in_name else f"-{ENDLESS}"
        self.accounts = fresh(*[ending] * count, tier="super")
        employ(self.admin, self.accounts, Pool.SUPER)

    def reinstate(self) -> None:
        """Let the accounts serve again, whatever happened to them; those that are lent stay lent."""
        fields = {"status": "active", "quota": 1000, "fail_count": 0}
        employ(self.admin, [{"token": token, **fields} for token in self.accounts], Pool.SUPER)

    def expect(self, *, silence: bool) -> None:
        """Let the gateway lose its patience soon, or not."""
        if silence is not self._expects_silence:
            waits = WAITS if silence else dict.fromkeys(WAITS, PATIENCE_S)
            self.admin.post("/config", json=waits).raise_for_status()
            self._expects_silence = silence

    def client(self) -> httpx.AsyncClient:
        """A program that has the key."""
        return self._client(self.gateway.auth)

    def visitor(self) -> httpx.AsyncClient:
        """A visitor of the studio."""
        return self._client(bearer(PUBLIC_KEY))

    def operator(self) -> httpx.AsyncClient:
        """The operator."""
        return self._client(bearer(APP_KEY))

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.gateway.url, headers=headers, timeout=CLIENT_LIMIT_S, verify=TLS)


@contextmanager
def open_stage(folder: Path, sandbox: Sandbox, settings: dict[str, str] | None = None) -> Generator[Stage]:
    """Start a gateway that reaches the sandbox over a relay, until the block ends.

    Args:
        folder: Empty; for its data.
        sandbox: Grok's place.
        settings: That differ from `SETTINGS`, by name.
    """
    with open_relay(sandbox.url) as relay:
        upstream = {f"upstream.{host}_url": relay.url for host in ("grok", "accounts", "assets")}
        accounts = {Pool.SUPER: ("sandbox-super-first",)}
        gateway = start_gateway(folder, sandbox, accounts, {**SETTINGS, **upstream, **(settings or {})})
        try:
            with operator(gateway, "/v1/admin") as admin:
                yield Stage(gateway, sandbox, relay, admin)
        finally:
            gateway.stop()

"""Pictures, endless runs and large files, each with a gateway of its own in front of the demo's sandbox."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.listening import Way
from benchmarks.pictures import Drawing, Plan, measure_drawing, print_drawings
from benchmarks.processes import Served, start_drawing, start_gateway, start_painting
from benchmarks.runs import SETTINGS as OPEN
from benchmarks.runs import Runs, measure_deaf, measure_runs, print_runs
from benchmarks.soak import SETTINGS, Soak, print_soak, run_soak
from benchmarks.uploads import Upload, keep_own_picture, measure_uploads, print_uploads

NAMES: Final = ("pictures", "runs", "uploads", "soak")
"""What can be measured; each takes minutes, so only what is asked for is."""
_ACCOUNTS: Final = 1000
_AT_ONCE: Final = (1, 8)
_MOST_PACED_ROUNDS: Final = 2
"""One takes 45 s, and pauses have little noise."""
_REQUESTS: Final = {1: 4, 8: 16}
"""In a round without pauses, by how many are asked at once; with pauses each asks once."""


@dataclass(frozen=True, slots=True)
class Media:
    """What a run has found."""

    drawings: list[Drawing] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    soak: Soak | None = None
    runs: Runs | None = None

    @property
    def meets_bar(self) -> bool:
        """Whether everything that was measured is as good as it has to be."""
        are_quick = all(drawing.meets_bar for drawing in self.drawings)
        are_small = all(upload.meets_bar for upload in self.uploads)
        return are_quick and are_small and all(row is None or row.meets_bar for row in (self.soak, self.runs))


def measure_media(name: str, rounds: int) -> Media:
    """Measure one of `NAMES`; anything else is nothing.

    Raises:
        RuntimeError: An answer was not what it should be.
    """
    if name not in NAMES:
        return Media()
    print(f"  {name} ...", flush=True)
    if name == "pictures":
        return Media(drawings=[*_draw(rounds, is_paced=False), *_draw(min(rounds, _MOST_PACED_ROUNDS), is_paced=True)])
    if name == "runs":
        return Media(runs=_run(rounds))
    with tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder:
        data_dir = Path(folder)
        if name == "uploads":
            keep_own_picture(data_dir)
            with _servers(data_dir) as (_, gateway):
                return Media(uploads=measure_uploads(gateway, data_dir, rounds))
        with _servers(data_dir, SETTINGS) as (sandbox, gateway):
            return Media(soak=run_soak(gateway, sandbox, data_dir))


def print_media(media: Media) -> None:
    """Print what was measured."""
    if media.drawings:
        print_drawings(media.drawings)
    if media.uploads:
        print_uploads(media.uploads)
    if media.soak:
        print_soak(media.soak)
    if media.runs:
        print_runs(media.runs)


def _draw(rounds: int, *, is_paced: bool) -> Iterator[Drawing]:
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        _servers(Path(folder), is_paced=is_paced) as (sandbox, gateway),
    ):
        for at_once in _AT_ONCE:
            plan = Plan(is_paced, at_once, at_once if is_paced else _REQUESTS[at_once])
            yield uvloop.run(measure_drawing(sandbox, gateway, plan, rounds))


def _run(rounds: int) -> Runs:
    with _painter() as (painter, gateway):
        runs = uvloop.run(measure_runs(painter, gateway, rounds))
    for way in (Way.SSE, Way.WS):
        with _painter() as (painter, gateway):
            runs.deaf.append(uvloop.run(measure_deaf(painter, gateway, way)))
    return runs


@contextmanager
def _painter() -> Iterator[tuple[Served, Served]]:
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        start_painting() as painter,
        start_gateway(Path(folder), painter, _ACCOUNTS, OPEN) as gateway,
    ):
        yield painter, gateway


@contextmanager
def _servers(
    data_dir: Path, settings: Mapping[str, str] | None = None, *, is_paced: bool = False
) -> Iterator[tuple[Served, Served]]:
    with start_drawing(is_paced=is_paced) as sandbox, start_gateway(data_dir, sandbox, _ACCOUNTS, settings) as gateway:
        yield sandbox, gateway

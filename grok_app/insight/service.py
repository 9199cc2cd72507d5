"""What can be measured, as Prometheus reads it: the figures of every worker, each with its number."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from grok_app.insight.families import Measured, common_families, own_families
from grok_app.insight.lag import keep_measuring
from grok_app.insight.workers import Workers, open_workers
from grok_app.logs import get_logger

log = get_logger(__name__)


class Insight:
    """Writes the figures down.

    Args:
        measured: What they are taken from.
        workers: Who else counts.
    """

    def __init__(self, measured: Measured, workers: Workers) -> None:
        self._measured = measured
        self._workers = workers

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """The figures of now and their content type.

        Args:
            accept: What the reader can read: OpenMetrics where it asks for that, else Prometheus' text.
        """
        told = await self._workers.ask()
        families = [*_merge(told), *common_families(self._measured)]
        encode, content_type = choose_encoder(accept)
        return await asyncio.to_thread(encode, _Collected(families)), content_type


@asynccontextmanager
async def open_insight(measured: Measured) -> AsyncGenerator[Insight, None]:
    """The figures of this process, and of those beside it, for as long as the block runs."""

    async def tell() -> bytes:
        own = list(own_families(measured))
        return _write([*own, *await asyncio.to_thread(_process)])

    measuring = asyncio.create_task(keep_measuring(measured.lag))
    try:
        async with open_workers(tell) as workers:
            yield Insight(measured, workers)
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)


def _process() -> list[Metric]:
    """Memory, processor and files of this process. Blocks: it looks at each open file."""
    return list(ProcessCollector(registry=None).collect())


def _merge(told: dict[str, bytes | None]) -> Iterable[Metric]:
    """The families of all workers, each sample with the number of its worker."""
    families: dict[str, Metric] = {}
    up = GaugeMetricFamily("grok_app_worker_up", "1 for each worker that says what it counts", labels=("worker",))
    for worker, text in told.items():
        read = _read(worker, text)
        for name, kind, documentation, samples in read or ():
            family = families.setdefault(name, Metric(name, documentation, kind))
            family.samples += [Sample(it, {**labels, "worker": worker}, value) for it, labels, value in samples]
        up.add_metric((worker,), read is not None)
    return [*families.values(), up]


def _read(worker: str, text: bytes | None) -> list[Any] | None:
    """What `_write` wrote; None for what broke off, which no JSON of a list survives."""
    if text is None:
        return None
    try:
        read: list[Any] = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        log.warning("a worker doesn't say what it counts", worker=worker, reason=repr(error))
        return None
    return read


def _write(families: Iterable[Metric]) -> bytes:
    return orjson.dumps(
        [
            (it.name, it.type, it.documentation, [(sample.name, sample.labels, sample.value) for sample in it.samples])
            for it in families
        ]
    )


@dataclass(frozen=True, slots=True)
class _Collected(Collector):
    """Families as prometheus_client takes them."""

    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self.families

"""Figures for Prometheus: counts and times by route, errors by code, connections, and what the store holds.

No label holds what anybody wrote, an id, or an organization. With several workers each adds to files in one folder and
whichever is asked answers for all of them.
"""

import os
import re
import secrets
from collections import Counter as Counts
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, get_args

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from sqlalchemy import func, select

from commontrace.errors import AuthenticationError, UnavailableError
from commontrace.models.jobs import JobStanding
from commontrace_backend.database.engine import Database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.jobs.queue import Queue
from commontrace_backend.jobs.worker import Worker
from commontrace_backend.settings import BackendSettings
from commontrace_backend.traces.tables import outcomes
from commontrace_backend.traces.upkeep import Upkeep

router = APIRouter(tags=["operation"])

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LIVE: Final = re.compile(r"gauge_live\w+_(\d+)\.db\Z")


class Metrics:
    """The figures of one process, or of all that share `folder`."""

    def __init__(self, database: Database, folder: str) -> None:
        self._database = database
        self._folder = folder
        self._registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter(
            "commontrace_requests", "Requests answered; 499: the client left.", ["method", "route", "status"], **own
        )
        self._seconds = Histogram(
            "commontrace_request_seconds", "Time to answer.", ["method", "route"], buckets=_SECONDS, **own
        )
        self._errors = Counter("commontrace_errors", "Requests answered with an error, by its code.", ["code"], **own)
        live: dict[str, Any] = {**own, "multiprocess_mode": "livesum"}
        self._running = Gauge("commontrace_requests_running", "Requests at hand.", **live)
        self._connections = Gauge(
            "commontrace_database_connections", "Connections in use when a request ended, by pool.", ["pool"], **live
        )

    def began(self) -> None:
        """A request has come."""
        self._running.inc()

    def ended(self, method: str, route: str, status: int, seconds: float, code: str) -> None:
        """It was answered."""
        self._running.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        if code:
            self._errors.labels(code).inc()
        for pool, used in self._database.connections().items():
            self._connections.labels(pool).set(used)

    async def page(self, upkeep: Upkeep, worker: Worker | Queue) -> bytes:
        """All figures in Prometheus' text format; what the store holds and its jobs are counted now."""
        store = CollectorRegistry()
        store.register(_Store([*await _holdings(self._database, upkeep), await _jobs(worker)]))
        return generate_latest(self._whole()) + generate_latest(store)

    def _whole(self) -> CollectorRegistry:
        if not self._folder:
            return self._registry
        for path in Path(self._folder).iterdir():
            found = _LIVE.match(path.name)
            if found and not _lives(int(found[1])):  # killed: what it had at hand is at hand no more
                mark_process_dead(int(found[1]), self._folder)  # type: ignore[no-untyped-call]
        shared = CollectorRegistry()
        MultiProcessCollector(shared, self._folder)  # type: ignore[no-untyped-call]
        return shared


def _lives(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


class _Store:
    """What the store holds, as Prometheus wants it handed over."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield from self._families


async def _holdings(database: Database, upkeep: Upkeep) -> list[GaugeMetricFamily]:
    state = await upkeep.state()
    told = GaugeMetricFamily("commontrace_outcomes", "Outcomes reported, by kind.", labels=["outcome"])
    async with database.reading(EVERY_TENANT) as session:
        counted = select(outcomes.c.outcome, func.count().label("number")).group_by(outcomes.c.outcome)
        for row in await session.all(counted):
            told.add_metric([row.outcome], row.number)
    waiting = state.traces - state.embedded if state.model else 0
    figures = (
        ("commontrace_traces", "Traces stored.", state.traces),
        ("commontrace_traces_unindexed", "Traces whose words wait to be indexed.", state.traces - state.words),
        ("commontrace_traces_unembedded", "Traces that wait for their vectors.", waiting),
    )
    return [*(GaugeMetricFamily(name, said, value=value) for name, said, value in figures), told]


async def _jobs(worker: Worker | Queue) -> GaugeMetricFamily:
    told = GaugeMetricFamily(
        "commontrace_jobs", "Kinds of work, by how they go; none while Redis is away.", labels=["state"]
    )
    with suppress(UnavailableError):
        states = Counts(job.state for job in (await worker.report()).jobs)
        for state in get_args(JobStanding):
            told.add_metric([state], states[state])
    return told


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Figures for Prometheus, for whoever has the token of COMMONTRACE_METRICS_TOKEN."""
    settings: BackendSettings = request.app.state.settings
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.metrics_token.get_secret_value()}"
    if not secrets.compare_digest(given.encode(), wanted.encode()):
        raise AuthenticationError(
            "The figures need their token.", "Send it as a bearer token: COMMONTRACE_METRICS_TOKEN."
        )
    figures: Metrics = request.app.state.metrics
    page = await figures.page(request.app.state.upkeep, request.app.state.worker)
    return Response(page, media_type=MEDIA_TYPE)

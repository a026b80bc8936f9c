"""The composition root: settings in, application out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI

from commontrace_backend import authorization, problems
from commontrace_backend.again import Again
from commontrace_backend.contexts.audit_routes import router as audit
from commontrace_backend.contexts.bundle_routes import router as bundles
from commontrace_backend.contexts.exchange_routes import router as copies
from commontrace_backend.contexts.naming_routes import router as naming
from commontrace_backend.contexts.rewriting_routes import router as rewriting
from commontrace_backend.contexts.routes import router as contexts
from commontrace_backend.contributors.routes import router as contributors
from commontrace_backend.contributors.service import open_keyring
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.pools import Pools
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.embedding.choose import choose_embedder
from commontrace_backend.embedding.protocol import Embedder
from commontrace_backend.identity import caller_of
from commontrace_backend.index.any_index import index_for, vectors_for
from commontrace_backend.jobs.queue import Queue
from commontrace_backend.jobs.routes import router as jobs
from commontrace_backend.jobs.table import Work
from commontrace_backend.jobs.worker import Worker
from commontrace_backend.limits import BodyLimit
from commontrace_backend.operation.description import describe
from commontrace_backend.operation.docs_page import router as docs
from commontrace_backend.operation.extras import installed
from commontrace_backend.operation.health import checks_of
from commontrace_backend.operation.health import router as health
from commontrace_backend.operation.observing import Counted, Heads, Observed, RequestIds
from commontrace_backend.operation.revalidating import Revalidated
from commontrace_backend.rates import InProcessBuckets, Meter
from commontrace_backend.search.asking import Asker
from commontrace_backend.search.finding import Finder
from commontrace_backend.search.routes import router as search
from commontrace_backend.settings import BackendSettings
from commontrace_backend.shared.link import Link
from commontrace_backend.shared.vectors import SharedVectors
from commontrace_backend.shared_buckets import SharedBuckets
from commontrace_backend.traces import auditing
from commontrace_backend.traces.exchange_routes import router as exchange
from commontrace_backend.traces.log_routes import router as log
from commontrace_backend.traces.reputation_routes import router as reputation
from commontrace_backend.traces.review_routes import router as reviews
from commontrace_backend.traces.routes import router as traces
from commontrace_backend.traces.tables import traces as trace_rows
from commontrace_backend.traces.upkeep import Upkeep
from commontrace_backend.turns import Turns

# search before traces: /traces/query is not the id of a trace
_ROUTERS: Final = (
    search,
    log,
    traces,
    exchange,
    reviews,
    reputation,
    contexts,
    naming,
    rewriting,
    bundles,
    copies,
    audit,
    contributors,
    jobs,
    health,
    docs,
)


def create_app(settings: BackendSettings) -> FastAPI:
    """The backend as an ASGI application; entering its lifespan opens the database.

    Raises:
        InvalidInputError: the database URL is of no kind that we serve, or a setting needs what is not installed.
    """
    app = FastAPI(
        title="CommonTrace",
        version=version("commontrace"),
        description="Shared, voted knowledge for coding agents, and git for their context windows.",
        lifespan=_lifespan,
        docs_url=None,  # theirs load their parts from elsewhere; ours is one of the routes
        redoc_url=None,
        # It would tell paths and query strings to wherever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    database = connect_database(settings.database_url, lock_wait=settings.lock_wait, pools=_pools(settings))
    app.state.settings = settings
    app.state.database = database
    redis_url = settings.redis_url.get_secret_value()
    link = Link(redis_url) if redis_url else None
    app.state.shared = link
    app.state.meter = Meter(settings, SharedBuckets(link, InProcessBuckets()) if link else InProcessBuckets())
    app.state.checks = checks_of(database)
    _compose_search(app, database, choose_embedder(settings))
    work = Work(app.state.upkeep, settings.gc_days)
    app.state.worker = Queue(link) if link else Worker(work)
    for router in _ROUTERS:
        # Not include_router: it has FastAPI look for the route in each router, and again in the one that has it.
        app.router.routes.extend(router.routes)
    authorization.install(app, settings)
    app.openapi = describe(app)  # type: ignore[method-assign] # FastAPI's own way to a description of one's own
    _add_middleware(app, settings)
    return app


def _add_middleware(app: FastAPI, settings: BackendSettings) -> None:
    """What every request goes through, the innermost first."""
    if dsn := settings.sentry_dsn.get_secret_value():
        sentry = installed("sentry", "sentry")
        app.state.sentry = sentry.open_sentry(dsn)
        app.add_middleware(sentry.Captured, client=app.state.sentry)
    problems.install(app)
    app.add_middleware(Again)
    if not settings.local_owner:
        # Who has waited for that long has the rest of its time to be answered in: with few at a time it takes little.
        app.add_middleware(Turns, at_once=settings.requests_at_once, patience=settings.request_seconds * 3 / 4)
    app.add_middleware(BodyLimit, patience=settings.request_seconds / 2, caller_of=caller_of)
    if not settings.local_owner:
        app.add_middleware(problems.Deadline, seconds=settings.request_seconds)
        app.add_middleware(Revalidated)
        app.add_middleware(Heads)
        app.add_middleware(Observed, counted=_metrics(app, settings))
    if settings.otlp_endpoint:
        spans = installed("spans", "opentelemetry")
        app.state.spans = spans.open_spans(settings.otlp_endpoint)
        app.add_middleware(spans.Spans, provider=app.state.spans)
    app.add_middleware(RequestIds)


def _pools(settings: BackendSettings) -> Pools:
    return Pools(settings.pool_readers, settings.pool_writers, settings.statement_seconds, settings.reconnect_seconds)


def _metrics(app: FastAPI, settings: BackendSettings) -> Counted | None:
    if not settings.metrics_token.get_secret_value():
        return None
    module = installed("metrics", "server")
    app.router.routes.extend(module.router.routes)
    app.state.metrics = module.Metrics(app.state.database, settings.metrics_folder)
    counted: Counted = app.state.metrics
    return counted


def _compose_search(app: FastAPI, database: Database, embedder: Embedder | None) -> None:
    key = trace_rows.c.number
    index = index_for(database, key)
    vectors = vectors_for(database, key, embedder.name) if embedder else None
    app.state.index = index
    app.state.embedder = embedder
    app.state.finder = Finder(index, vectors, _asker(app, embedder) if embedder else None)
    app.state.upkeep = Upkeep(database, index, vectors, embedder)


def _asker(app: FastAPI, embedder: Embedder) -> Asker:
    seconds = app.state.settings.cache_seconds
    shared = SharedVectors(app.state.shared, seconds) if app.state.shared and seconds else None
    return Asker(embedder, shared, seconds=seconds)


async def _begin_log(database: Database) -> None:
    """A store that is older than the log is taken into it once."""
    async with database.reading(EVERY_TENANT) as session:
        if not await auditing.is_unlogged(session):
            return
    async with database.writing(EVERY_TENANT) as session:
        if await auditing.is_unlogged(session):  # nobody else did it meanwhile
            await auditing.adopt(session)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    settings: BackendSettings = state.settings
    try:
        # A file that its owner opens upgrades itself, with a copy beside it; what others use too waits for a command.
        await state.database.open(upgrade=settings.local_owner and settings.database_url.startswith("sqlite:"))
        state.keyring = await open_keyring(state.database, settings, state.provider)
        await _begin_log(state.database)
        state.worker.start()
        yield
    finally:
        await state.worker.stop()
        if state.shared:
            await state.shared.close()
        if state.embedder:
            await state.embedder.close()
        await state.database.close()
        # They send what they still have.
        if state.settings.sentry_dsn.get_secret_value():
            await asyncio.to_thread(state.sentry.close, timeout=2)
        if state.settings.otlp_endpoint:
            await asyncio.to_thread(state.spans.shutdown)

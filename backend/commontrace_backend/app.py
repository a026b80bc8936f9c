"""The composition root: settings in, application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import select

from commontrace_backend import problems
from commontrace_backend.contexts.audit_routes import router as audit
from commontrace_backend.contexts.bundle_routes import router as bundles
from commontrace_backend.contexts.naming_routes import router as naming
from commontrace_backend.contexts.rewriting_routes import router as rewriting
from commontrace_backend.contexts.routes import router as contexts
from commontrace_backend.contributors.routes import router as contributors
from commontrace_backend.contributors.service import open_keyring
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.embedding.choose import choose_embedder
from commontrace_backend.embedding.protocol import Embedder
from commontrace_backend.index.any_index import index_for, vectors_for
from commontrace_backend.jobs.worker import Worker
from commontrace_backend.limits import BodyLimit
from commontrace_backend.rates import InProcessBuckets, Meter
from commontrace_backend.search.asking import Asker
from commontrace_backend.search.finding import Finder
from commontrace_backend.search.routes import router as search
from commontrace_backend.settings import BackendSettings
from commontrace_backend.traces import auditing
from commontrace_backend.traces.log_routes import router as log
from commontrace_backend.traces.reputation_routes import router as reputation
from commontrace_backend.traces.review_routes import router as reviews
from commontrace_backend.traces.routes import router as traces
from commontrace_backend.traces.tables import traces as trace_rows
from commontrace_backend.traces.upkeep import Upkeep


def create_app(settings: BackendSettings) -> FastAPI:
    """The backend as an ASGI application; entering its lifespan opens the database.

    Raises:
        InvalidInputError: the database URL is of no kind that we serve, or the embedder lacks what it needs.
    """
    app = FastAPI(
        title="CommonTrace",
        version=version("commontrace"),
        description="Shared, voted knowledge for coding agents, and git for their context windows.",
        lifespan=_lifespan,
    )
    database = connect_database(settings.database_url, lock_wait=settings.lock_wait)
    app.state.settings = settings
    app.state.database = database
    app.state.meter = Meter(settings, InProcessBuckets())
    _compose_search(app, database, choose_embedder(settings))
    problems.install(app)
    app.add_middleware(BodyLimit)
    if not settings.local_owner:
        app.add_middleware(problems.Deadline, seconds=settings.request_seconds)
    # search before traces: /traces/query is not the id of a trace
    for router in (search, log, traces, reviews, reputation, contexts, naming, rewriting, bundles, audit, contributors):
        # Not include_router: it has FastAPI look for the route in each router, and again in the one that has it.
        app.router.routes.extend(router.routes)

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, str]:
        """Alive, and the database answers."""
        async with database.reading() as session:
            await session.scalar(select(1))  # a transaction begins with its first statement
            return {"status": "ok"}

    return app


def _compose_search(app: FastAPI, database: Database, embedder: Embedder | None) -> None:
    key = trace_rows.c.number
    index = index_for(database, key)
    vectors = vectors_for(database, key, embedder.name) if embedder else None
    app.state.index = index
    app.state.embedder = embedder
    app.state.finder = Finder(index, vectors, Asker(embedder) if embedder else None)
    app.state.upkeep = Upkeep(database, index, vectors, embedder)
    app.state.worker = Worker(app.state.upkeep)


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
    # A file that its owner opens upgrades itself, with a copy beside it; what others use too waits for a command.
    await state.database.open(upgrade=settings.local_owner and settings.database_url.startswith("sqlite:"))
    try:
        state.keyring = await open_keyring(
            state.database,
            pepper=settings.pepper.get_secret_value(),
            environment=settings.key_environment,
            local_owner=settings.local_owner,
        )
        await _begin_log(state.database)
        state.worker.start()
        yield
    finally:
        await state.worker.stop()
        if state.embedder:
            await state.embedder.close()
        await state.database.close()

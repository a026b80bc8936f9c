"""Jobs in a queue that several processes share: asked for once, tried again, given up visibly, and never lost."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import text as sql

from commontrace import AsyncClient, connect_async
from commontrace.errors import ForbiddenError, NotFoundError, UnavailableError
from commontrace.models.jobs import Job, JobReport
from commontrace_backend.app import create_app
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.jobs.queue import QUEUE, asked_key, dead_key
from commontrace_backend.jobs.runner import Runner
from commontrace_backend.jobs.table import JOBS, Work
from commontrace_backend.settings import BackendSettings
from commontrace_backend.shared.link import PREFIX
from commontrace_backend.worker import main
from doors import People
from embeddings import Endpoint, background
from factories import contributed, contribution
from valkey_server import Valkey, comes_true

SAID = "CommonTrace's worker waits for jobs; Ctrl-C stops it.\n"


@pytest.fixture(autouse=True)
def shared(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", redis_url)


@asynccontextmanager
async def working(url: str, seconds: int = 30, gc_days: float = 0) -> AsyncIterator[Runner]:
    """A worker in this process."""
    settings = BackendSettings(database_url=url)
    state = create_app(settings).state
    await state.database.open()
    runner = Runner(settings.redis_url.get_secret_value(), Work(state.upkeep, gc_days), seconds)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await asyncio.wait_for(task, 20)
        if state.embedder:
            await state.embedder.close()
        await state.shared.close()
        await state.database.close()


@contextmanager
def started(url: str) -> Iterator["subprocess.Popen[str]"]:
    """A worker in a process of its own, which is gone afterwards."""
    environment = {**os.environ, "COMMONTRACE_DATABASE_URL": url, "COMMONTRACE_JOB_SECONDS": "2"}
    command = [sys.executable, "-m", "commontrace_backend.worker"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def redis(url: str) -> Iterator[Redis]:
    with Redis.from_url(url) as client:
        yield client


async def until(client: AsyncClient, name: str, *states: str) -> Job:
    """Wait until a job is in one of these states."""
    found: list[Job] = []

    async def look() -> bool:
        found.append(one(await client.jobs.report(), name))
        return found[-1].state in states

    await comes_true(look)
    return found[-1]


def one(report: JobReport, name: str) -> Job:
    return next(job for job in report.jobs if job.name == name)


async def vectors_of(url: str) -> int:
    """How many parts of traces have a vector."""
    database = connect_database(url)
    async with database.reading(EVERY_TENANT) as session:
        count = int(await session.scalar(sql("SELECT count(*) FROM trace_vectors WHERE vector IS NOT NULL")))
    await database.close()
    return count


async def test_a_process_with_a_queue_asks_and_a_worker_does(url: str, endpoint: Endpoint) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await contributed(client, 1)
        await until(client, "embed", "waiting")
        assert endpoint.texts == []
        async with working(url):
            await background(client, lambda state: state.embedded == 2)
            await until(client, "embed", "resting")
        assert len(endpoint.texts) == len(set(endpoint.texts))
        assert (await client.jobs.report()).queue == "redis"


async def test_a_job_waits_once_however_often_it_is_asked_for(url: str, hashed: None, redis_url: str) -> None:
    async with connect_async(url) as client:
        for number in range(5):
            await contributed(client, number)
        await until(client, "embed", "waiting")
        with redis(redis_url) as known:
            assert known.zrange(QUEUE, 0, -1) == [b"embed"]


async def test_what_is_asked_for_while_a_job_runs_is_done_before_the_next_sweep(url: str, endpoint: Endpoint) -> None:
    async with connect_async(url) as client, working(url):
        endpoint.hold.clear()
        await contributed(client)
        assert await asyncio.to_thread(endpoint.arrived.wait, 20)
        await until(client, "embed", "running")
        await contributed(client, 1)
        endpoint.hold.set()
        await background(client, lambda state: state.embedded == 2)


async def test_a_lost_queue_loses_nothing(url: str, hashed: None, redis_url: str) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await until(client, "embed", "waiting")
        with redis(redis_url) as lost:
            lost.flushdb()
        assert one(await client.jobs.report(), "embed").state == "resting"
        async with working(url):
            await background(client, lambda state: state.embedded == 1)


async def test_no_clock_of_who_asks_decides_when_a_job_begins(url: str, hashed: None, redis_url: str) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await until(client, "embed", "waiting")
        with redis(redis_url) as asked:
            assert asked.zrangebyscore(QUEUE, 1, datetime(1970, 1, 3, tzinfo=UTC).timestamp() * 1000) == [b"embed"]


async def test_a_failing_job_is_tried_again_and_then_done(url: str, endpoint: Endpoint) -> None:
    endpoint.statuses = [401, 200]
    async with connect_async(url) as client, working(url):
        await contributed(client)
        await background(client, lambda state: state.embedded == 1)
        assert one(await client.jobs.report(), "embed").reason == ""


async def given_up(client: AsyncClient, redis_url: str) -> Job:
    """Contribute something while the embedder fails, with all tries but the last one behind it."""
    with redis(redis_url) as known:
        known.set("arq:retry:embed", 4)
    await contributed(client)
    return await until(client, "embed", "dead")


async def test_a_job_that_is_given_up_is_kept_with_its_reason_until_it_is_done(
    url: str, endpoint: Endpoint, redis_url: str
) -> None:
    endpoint.statuses = [401]
    async with connect_async(url) as client, working(url):
        dead = await given_up(client, redis_url)
        assert (dead.tries, "answers 401" in dead.reason) == (5, True)
        assert dead.failed_at is not None
        assert datetime.now(UTC) - dead.failed_at < timedelta(minutes=1)
        assert contribution().title not in dead.model_dump_json()
        endpoint.statuses = []
        await client.jobs.retry()
        await until(client, "embed", "resting")
        assert (await client.traces.index_state()).embedded == 1


async def test_a_job_whose_processes_all_ended_in_the_middle_is_given_up_too(
    url: str, hashed: None, redis_url: str
) -> None:
    async with connect_async(url) as client:
        with redis(redis_url) as known:
            known.set("arq:retry:embed", 5)
        await contributed(client)
        async with working(url):
            assert (await until(client, "embed", "dead")).reason == "every process that began it ended in the middle"
            await client.jobs.retry("embed")
            await background(client, lambda state: state.embedded == 1)


async def test_a_worker_that_was_silent_for_too_long_and_comes_back_does_no_harm(
    url: str, endpoint: Endpoint, redis_url: str
) -> None:
    async with connect_async(url) as client:
        for number in range(3):
            await contributed(client, number)
        endpoint.hold.clear()
        with started(url) as silent:
            await comes_true(endpoint.arrived.is_set)
            silent.send_signal(signal.SIGSTOP)
            endpoint.hold.set()
            with redis(redis_url) as queue:  # as if it had been silent for longer than a job may take
                queue.delete("arq:in-progress:embed")
            async with working(url):
                await background(client, lambda state: state.embedded == 3)
                silent.send_signal(signal.SIGCONT)
                await until(client, "embed", "resting")
            silent.send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(silent.communicate, timeout=60)
            assert silent.returncode == 0
            assert said.startswith(SAID)
            assert "level=error" not in said
        assert len(endpoint.texts) > len(set(endpoint.texts)) == await vectors_of(url)


async def test_one_of_many_workers_sweeps(url: str, redis_url: str) -> None:
    async with connect_async(url) as client, working(url), working(url), working(url):
        await client.contributors.me()
        for job in JOBS:
            await until(client, job.name, "resting")
        with redis(redis_url) as counted:
            await comes_true(lambda: all(counted.exists(f"{PREFIX}swept:{job.name}") for job in JOBS))
            assert [int(counted.get(asked_key(job.name)) or 0) for job in JOBS] == [1] * len(JOBS)  # type: ignore[arg-type] # the client is not asynchronous


async def test_a_worker_that_is_killed_in_the_middle_of_a_job_loses_and_doubles_nothing(
    postgres_url: str, endpoint: Endpoint
) -> None:
    async with connect_async(postgres_url) as client:
        for number in range(20):
            await contributed(client, number % 5, title=f"Case {number}", insist=True)
        with started(postgres_url) as killed:
            # The first step is done, another one is under way.
            await comes_true(lambda: len(endpoint.requests) >= 2)
            endpoint.hold.clear()
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
        endpoint.hold.set()
        assert 0 < (await client.traces.index_state()).embedded < 20
        assert one(await client.jobs.report(), "embed").state == "running"  # for all that anybody knows
        async with working(postgres_url):
            await comes_true(lambda: embedded(client, 20))
            await until(client, "embed", "resting")
        assert await vectors_of(postgres_url) == len(set(endpoint.texts))


async def embedded(client: AsyncClient, traces: int) -> bool:
    return (await client.traces.index_state()).embedded == traces


def test_a_worker_without_a_queue_says_what_is_missing(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMMONTRACE_DATABASE_URL", url)
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", "")
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: A worker needs a queue. Set COMMONTRACE_REDIS_URL")


async def test_old_misses_are_forgotten_and_young_ones_kept(url: str) -> None:
    async with connect_async(url) as client:
        for words in ("an old kangaroo question", "a young wallaby question"):
            await client.traces.query(words)
        assert len(await client.traces.wanted()) == 2
        database = connect_database(url)
        async with database.writing(EVERY_TENANT) as session:
            old = (datetime.now(UTC) - timedelta(days=200)).isoformat(" ")
            await session.execute(sql("UPDATE misses SET created_at = :old WHERE query LIKE 'an old%'"), {"old": old})
        async with working(url):
            await until(client, "misses", "waiting", "running", "resting")
            await comes_true(lambda: _is_left(database, 1))
        await database.close()


async def _is_left(database: Database, misses: int) -> bool:
    async with database.reading(EVERY_TENANT) as session:
        return bool(await session.scalar(sql("SELECT count(*) FROM misses")) == misses)


@pytest.mark.parametrize(("gc_days", "kept"), [(0, 2), (1e-9, 1)])
async def test_what_no_context_needs_is_collected_where_the_settings_say_so(
    url: str, gc_days: float, kept: int
) -> None:
    async with connect_async(url) as client:
        repo = client.contexts.open("parser")
        for text in ("one", "two"):
            repo.user(text)
            await repo.commit(text)
        await repo.undo()
        async with working(url, gc_days=gc_days):
            await client.jobs.retry("collect")
            await until(client, "collect", "resting")
        assert (await repo.gc(dry_run=True)).size.commits == kept


async def test_only_an_administrator_sees_jobs_and_nobody_one_that_is_not_there(
    client: AsyncClient, people: People
) -> None:
    ann = await people("ann")
    for asked in (ann.jobs.report, ann.jobs.retry):
        with pytest.raises(ForbiddenError):
            await asked()
    with pytest.raises(NotFoundError, match=r"There is no job dance\. There is fingerprints"):
        await client.jobs.retry("dance")


async def test_while_the_queue_is_away_whoever_asks_for_it_is_told(
    url: str, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", own_valkey.url())
    async with connect_async(url) as client:
        assert (await client.jobs.report()).queue == "redis"
        own_valkey.stop()
        with pytest.raises(UnavailableError, match="Redis is away"):
            await client.jobs.report()
        with pytest.raises(UnavailableError, match="Redis is away"):
            await client.jobs.retry("embed")


async def test_the_queue_holds_nothing_that_could_be_run(url: str, hashed: None, redis_url: str) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await until(client, "embed", "waiting")
        with redis(redis_url) as queue, contextlib.closing(queue):
            held = queue.get("arq:job:embed")
            assert isinstance(held, bytes)
            assert json.loads(held)["f"] == "embed"
            assert queue.get(dead_key("embed")) is None

"""Redis stops, comes back, is slow, full or wants another password: requests go on, and it is said once."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from commontrace import AsyncClient, connect_async
from commontrace.errors import InvalidInputError
from commontrace.models.contributors import NewApiKey
from commontrace_backend.app import create_app
from commontrace_backend.jobs.runner import Runner
from commontrace_backend.jobs.table import Work
from commontrace_backend.settings import BackendSettings
from commontrace_backend.shared.link import AwayError, Link
from embeddings import background, settled
from factories import contributed, contribution, found
from valkey_server import Valkey, comes_true, serving_valkey


@pytest.fixture
def own(own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Valkey:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", own_valkey.url())
    return own_valkey


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message.partition(" request_id=")[0] for record in caplog.records if "redis" in record.message]


@asynccontextmanager
async def keyed(url: str) -> AsyncIterator[AsyncClient]:
    """Somebody whom limits concern."""
    async with connect_async(url) as owner:
        key = (await owner.contributors.create_key(NewApiKey(contributor="ann"))).key
    async with connect_async(url, api_key=key) as ann:
        yield ann


async def test_requests_go_on_while_redis_stops_and_starts_and_it_is_said_once_each(
    url: str, own: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with keyed(url) as ann:
        done = asyncio.Event()
        read, left = [0], [0, 1, 2, 3, 4]

        async def load() -> None:
            while not done.is_set():
                await found(ann, "database is locked")
                read[0] += 1
                if left and read[0] % 8 == 0:  # some before, some while it is away, some after
                    await contributed(ann, left.pop())

        async def more(requests: int) -> None:
            until = read[0] + requests
            await comes_true(lambda: read[0] >= until)

        loads = [asyncio.create_task(load()) for _ in range(3)]
        await more(3)
        own.stop()
        await more(30)
        own.start()
        await comes_true(lambda: any("back" in line for line in said(caplog)))
        await more(10)
        done.set()
        await asyncio.gather(*loads)
        assert len((await ann.traces.page()).traces) == 5 - len(left) >= 3
    assert said(caplog) == ['event="redis is away" reason="it cannot be reached"', 'event="redis is back"']


async def test_a_restart_between_two_requests_goes_unnoticed(
    url: str, own: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with keyed(url) as ann:
        await ann.contributors.me()
        own.stop()
        own.start()
        await ann.contributors.me()
    assert said(caplog) == []


async def test_a_slow_redis_holds_up_one_request_and_not_the_others(
    url: str, own: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with keyed(url) as ann:
        await ann.contributors.me()
        with Redis.from_url(own.address) as admin:
            admin.client_pause(30_000)
        began = time.monotonic()
        await ann.contributors.me()
        first = time.monotonic() - began
        began = time.monotonic()
        for _ in range(5):
            await ann.contributors.me()
        assert time.monotonic() - began < first
    assert said(caplog) == ['event="redis is away" reason="it takes too long"']


async def test_a_full_redis_refuses_no_request(url: str, own: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    async with keyed(url) as ann:
        with Redis.from_url(own.address) as admin:
            admin.config_set("maxmemory-policy", "noeviction")
            admin.config_set("maxmemory", "1")
        await contributed(ann)
        assert await found(ann, "database is locked") == [contribution().title]
    assert said(caplog) == ['event="redis is away" reason="its memory is full"']


async def test_a_wrong_password_is_named_and_never_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_valkey("--requirepass", "right") as locked:
        monkeypatch.setenv("COMMONTRACE_REDIS_URL", f"unix://:wrong@{locked.socket}")
        async with keyed(url) as ann:
            await ann.contributors.me()
            assert said(caplog) == ['event="redis is away" reason="it refuses the password"']
        link = Link(f"unix://:wrong@{locked.socket}")
        with pytest.raises(AwayError):
            await link.ping()
        assert link.degraded == [
            "Redis is away (it refuses the password): each process counts limits alone, and workers look for jobs."
        ]
        await link.close()
        link = Link(f"unix://:right@{locked.socket}")
        await link.ping()
        assert link.degraded == []
        await link.close()
    assert "wrong" not in caplog.text


@pytest.mark.parametrize("address", ["localhost:6379", "http://host", "redis://host:port/0"])
def test_what_is_no_url_of_a_redis_is_refused_and_not_repeated(url: str, address: str) -> None:
    with pytest.raises(InvalidInputError, match="is not the URL of a Redis") as error:
        create_app(BackendSettings.model_validate({"database_url": url, "redis_url": address}))
    assert address not in str(error.value)


async def test_limits_hold_in_each_process_while_redis_is_away(
    url: str, own: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_RATE_READS", "3")
    async with keyed(url) as ann:
        own.stop()
        answers = [(await ann._http._client.get("/api/v1/me", headers=ann._http._headers)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]


async def rests(client: AsyncClient) -> bool:
    return {job.state for job in (await client.jobs.report()).jobs} == {"resting"}


async def test_a_worker_goes_on_without_redis_and_takes_the_queue_up_again(
    url: str, own: Valkey, hashed: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings = BackendSettings(database_url=url)
    state = create_app(settings).state
    await state.database.open()
    runner = Runner(settings.redis_url.get_secret_value(), Work(state.upkeep), 30)
    task = asyncio.create_task(runner.run())
    async with connect_async(url) as client:
        await contributed(client)
        await background(client, lambda index: index.embedded == 1)
        own.stop()
        await contributed(client, 1)
        await background(client, lambda index: index.embedded == 2)
        own.start()
        await contributed(client, 2)
        await background(client, lambda index: index.embedded == 3)
        await comes_true(lambda: rests(client))
        assert (await settled(client)).done
    runner.stop()
    await asyncio.wait_for(task, 20)
    await state.shared.close()
    await state.database.close()

"""The queue in Redis: what asks for a job there, and what it says of each.

A job waits once, however often it is asked for. Who asks counts that first: a job that ends while somebody asked after
its last look is put in again by its worker, so that nothing that was asked for waits for the next sweep.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from commontrace.errors import UnavailableError
from commontrace.models.jobs import Job as JobState
from commontrace.models.jobs import JobReport, JobStanding
from commontrace_backend.jobs.table import JOBS, Job, job_called
from commontrace_backend.shared.link import PREFIX, AwayError, Link

if TYPE_CHECKING:
    from arq.connections import ArqRedis
    from redis.asyncio import ConnectionPool, Redis

QUEUE: Final = f"{PREFIX}queue"
# Due before any clock says so: the clock of who asks and that of the worker may be hours apart.
_AT_ONCE: Final = datetime(1970, 1, 2, tzinfo=UTC)
_KEPT: Final = timedelta(days=1)


def asked_key(job: str) -> str:
    """Where it is counted how often a job was asked for."""
    return f"{PREFIX}asked:{job}"


def dead_key(job: str) -> str:
    """Where it stands why a job was given up; not there for one that was not."""
    return f"{PREFIX}dead:{job}"


def open_queue(pool: "ConnectionPool") -> "ArqRedis":
    """The queue behind connections; what stands in it is JSON, which can do nothing but be read."""
    from arq.connections import ArqRedis

    return ArqRedis(pool, job_serializer=encode, job_deserializer=json.loads, default_queue_name=QUEUE)


def encode(value: dict[str, Any]) -> bytes:
    """What stands in the queue."""
    return json.dumps(value, default=str).encode()


async def ask(queue: "ArqRedis", job: Job) -> None:
    """Have a job done soon."""
    await queue.incr(asked_key(job.name))
    await enqueue(queue, job)


async def enqueue(queue: "ArqRedis", job: Job) -> None:
    """Put a job in, if it does not wait already."""
    await queue.enqueue_job(job.name, _job_id=job.name, _defer_until=_AT_ONCE, _expires=_KEPT)


class Queue:
    """The jobs of a store whose processes share a Redis: workers do them, this process asks."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._queue = open_queue(link.redis.connection_pool)
        self._asking: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """What was left undone is found by the sweeps of the workers."""

    def wake(self) -> None:
        """Something was written: ask for what follows, while the answer is on its way."""
        task = asyncio.create_task(self._ask_for([job for job in JOBS if job.follows_writes]))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def stop(self) -> None:
        """Let what is being asked be asked."""
        await asyncio.gather(*self._asking)

    async def report(self) -> JobReport:
        """How each job goes; raises UnavailableError while Redis is away."""
        try:
            states = await self._link.call(self._states)
        except AwayError as error:
            raise _away(error) from error
        return JobReport(queue="redis", jobs=states)

    async def retry(self, name: str | None) -> None:
        """Ask for a job, or for all that were given up; raises NotFoundError, or UnavailableError without Redis."""
        if name:
            wanted = [job_called(name)]
        else:
            wanted = [job_called(state.name) for state in (await self.report()).jobs if state.state == "dead"]
        try:
            for job in wanted:
                await self._link.call(lambda redis, job=job: _again(redis, self._queue, job))  # type: ignore[misc] # mypy infers no lambda with a default
        except AwayError as error:
            raise _away(error) from error

    async def _ask_for(self, wanted: list[Job]) -> None:
        for job in wanted:
            try:
                await self._link.call(lambda _, job=job: ask(self._queue, job))  # type: ignore[misc] # as above
            except AwayError:
                return  # the next sweep finds it

    async def _states(self, redis: "Redis") -> list[JobState]:
        async with redis.pipeline(transaction=False) as several:
            for job in JOBS:
                several.get(dead_key(job.name))
                several.exists(f"arq:in-progress:{job.name}")
                several.zscore(QUEUE, job.name)
                several.get(f"arq:retry:{job.name}")
            found = await several.execute()
        return [_state(job, *found[place * 4 : place * 4 + 4]) for place, job in enumerate(JOBS)]


async def _again(redis: "Redis", queue: "ArqRedis", job: Job) -> None:
    await redis.delete(dead_key(job.name))
    await ask(queue, job)


def _state(job: Job, letter: bytes | None, running: int, place: float | None, tries: bytes | None) -> JobState:
    state: JobStanding = "resting"
    if running:
        state = "running"
    elif letter:
        state = "dead"
    elif place is not None:
        state = "waiting"
    fields = {"name": job.name, "does": job.does, "state": state, "tries": int(tries or 0)}
    return JobState.model_validate(fields | (json.loads(letter) if letter else {}))


def _away(error: AwayError) -> UnavailableError:
    return UnavailableError(
        f"The queue cannot be looked at: Redis is away ({error}).", "Start it again; the workers find what is to do."
    )

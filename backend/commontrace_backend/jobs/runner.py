"""A worker process: does the jobs that the queue in Redis holds, and looks for what nobody asked for.

arq delivers at least once, and again when a worker was killed in the middle; every step can be repeated. Retries and
their pauses, what is given up, and the sweeps are ours.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from commontrace_backend.jobs.queue import QUEUE, ask, asked_key, dead_key, encode, enqueue, open_queue
from commontrace_backend.jobs.table import JOBS, Job, Work, job_called, lasting, reason_of
from commontrace_backend.jobs.worker import Worker
from commontrace_backend.reporting import report
from commontrace_backend.shared.link import PREFIX, connect_redis
from commontrace_backend.shared.link import reason_of as reason_away

if TYPE_CHECKING:
    from arq.connections import ArqRedis
    from arq.typing import WorkerCoroutine
    from arq.worker import Worker as ArqWorker

TRIES: Final = 5
"""How often a job is begun before it is given up; the sweeps go on asking for it."""

_SLOWEST: Final = 60  # seconds between two tries at most
_ANSWER: Final = 10.0  # seconds that Redis may take
_LOOK: Final = 1.0  # seconds from one look for what is due to the next, and while Redis is away for it
_NEVER: Final = 86_400  # arq's own limit in seconds, which would drop the job without another try: ours comes first
_GRACE: Final = 10.0  # seconds that running jobs get to end when the worker is told to stop


class Runner:
    """Does jobs until it is told to stop; while Redis is away it does them without a queue.

    Args:
        redis_url: of the queue.
        work: what jobs work on.
        seconds: after which a job that did not end is taken for lost; another worker begins it again.
    """

    def __init__(self, redis_url: str, work: Work, seconds: int) -> None:
        self._redis = connect_redis(redis_url, _ANSWER)
        self._work = work
        self._seconds = seconds
        self._closing = asyncio.Event()

    def stop(self) -> None:
        """Let running jobs end, then end."""
        self._closing.set()

    async def run(self) -> None:
        """Work."""
        from redis.exceptions import RedisError

        queue = open_queue(self._redis.connection_pool)
        while not self._closing.is_set():
            try:
                await queue.ping()
                await self._with(queue)
            except (RedisError, OSError) as error:
                report(logging.WARNING, "redis is away", reason=reason_away(error))
                await self._without(queue)
        await self._redis.aclose()

    async def _with(self, queue: "ArqRedis") -> None:
        """Do what the queue holds until it is away, which raises, or until we are told to stop."""
        worker = self._arq(queue)
        parts = [asyncio.create_task(part) for part in (worker.main(), self._sweep(queue), self._closing.wait())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            await _end(worker, parts)

    async def _without(self, queue: "ArqRedis") -> None:
        """Until Redis is there again, do what this process finds to do."""
        from redis.exceptions import RedisError

        here = Worker(self._work)
        here.start()
        try:
            while not await self._closed(_LOOK):
                with suppress(RedisError, OSError):
                    await queue.ping()
                    report(logging.WARNING, "redis is back")
                    return
                here.wake()
        finally:
            await here.stop()

    async def _closed(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
        return self._closing.is_set()

    async def _sweep(self, queue: "ArqRedis") -> None:
        """Ask for every job that is due; whichever worker comes first asks for all of them, by the clock of Redis."""
        while not self._closing.is_set():
            for job in JOBS:
                if await queue.set(f"{PREFIX}swept:{job.name}", 1, nx=True, ex=job.every):
                    await ask(queue, job)
            await self._closed(_LOOK)

    def _arq(self, queue: "ArqRedis") -> "ArqWorker":
        from arq.worker import Worker as ArqWorker
        from arq.worker import func

        worker = ArqWorker(
            [func(self._doing(job), name=job.name, max_tries=TRIES + 2) for job in JOBS],
            queue_name=QUEUE,
            redis_pool=queue,
            handle_signals=False,
            job_timeout=_NEVER,
            keep_result=0,
            after_job_end=_ended,
            job_serializer=encode,
            job_deserializer=json.loads,
            ctx={"queue": queue},
        )
        worker.in_progress_timeout_s = self._seconds + 2  # arq would wait ten seconds more for one that was killed
        return worker

    def _doing(self, job: Job) -> "WorkerCoroutine":
        async def do(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
            await self._do(ctx, job)

        return do

    async def _do(self, context: dict[Any, Any], job: Job) -> None:
        from arq.worker import Retry

        queue: ArqRedis = context["queue"]
        tries: int = context["job_try"]
        context["seen"] = await queue.get(asked_key(job.name))
        if tries > TRIES:  # what never came back has not failed either: its processes ended
            await _give_up(queue, job.name, tries - 1, "every process that began it ended in the middle")
            return
        try:
            async with asyncio.timeout(self._seconds):
                more = await job.finish(self._work, lasting(self._seconds / 2))
        except Exception as error:
            if tries < TRIES:
                report(logging.WARNING, "job failed", job=job.name, tries=tries, reason=reason_of(error))
                raise Retry(defer=min(2**tries, _SLOWEST) * (0.5 + secrets.randbelow(1000) / 1000)) from error
            await _give_up(queue, job.name, tries, reason_of(error))
            return
        if more:
            context["seen"] = b"never"  # the rest is another job's, that others may come in between
        await queue.delete(dead_key(job.name))


async def _ended(ctx: dict[Any, Any]) -> None:
    """Put a job in again that somebody asked for after its last look, or that has more to do."""
    queue: ArqRedis = ctx["queue"]
    if ctx.get("seen", b"never") != await queue.get(asked_key(ctx["job_id"])):
        await enqueue(queue, job_called(ctx["job_id"]))


async def _give_up(queue: "ArqRedis", job: str, tries: int, reason: str) -> None:
    report(logging.ERROR, "job given up", job=job, tries=tries, reason=reason)
    letter = {"tries": tries, "reason": reason, "failed_at": datetime.now(UTC).isoformat()}
    await queue.set(dead_key(job), json.dumps(letter))


async def _end(worker: "ArqWorker", parts: list[asyncio.Task[Any]]) -> None:
    """Begin nothing more, and give what runs a while; what is cut off then is begun again by somebody else."""
    worker.allow_pick_jobs = False
    await _cancelled(parts)
    running = list(worker.tasks.values())
    if running:
        await asyncio.wait(running, timeout=_GRACE)
    await _cancelled(running)


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until it is so: the connection pool loses a cancellation that comes while it hands one out."""
    left = set(tasks)
    while left := {task for task in left if not task.done()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.1)
    await asyncio.gather(*tasks, return_exceptions=True)

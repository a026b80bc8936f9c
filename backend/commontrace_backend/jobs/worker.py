"""Does the jobs of a store in the background of this process, a little at a time."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from commontrace.models.jobs import Job as JobState
from commontrace.models.jobs import JobReport
from commontrace_backend.jobs.table import JOBS, Job, Work, job_called, reason_of
from commontrace_backend.reporting import report

_PAUSE: Final = 30.0  # seconds until another try where the embedder or the store failed
_SWEEP: Final = 600.0  # seconds after which it looks by itself: not all that leaves something to do wakes it
_SELDOM: Final = 3600  # a job that is looked at less often than this in seconds runs by the clock alone


class Worker:
    """One task that sleeps until it is told that there may be something to do."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._hurry = asyncio.Event()  # ends the pause after a failure
        self._task: asyncio.Task[None] | None = None
        self._running = ""
        self._failed: dict[str, JobState] = {}
        self._asked: set[str] = set()  # what is to be done now, whatever its time
        # A process that is open for a moment only has no time for what is done once a day.
        self._due = {job.name: monotonic() + job.every for job in JOBS if job.every >= _SELDOM}

    def start(self) -> None:
        """Look once for what earlier processes left undone."""
        self._wake.set()
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something may be to do."""
        self._wake.set()

    async def stop(self) -> None:
        """Finish the step at hand; the rest waits for the next process."""
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        if self._task is not None:
            await self._task

    async def report(self) -> JobReport:
        """How each job goes."""
        return JobReport(queue="process", jobs=[self._state(job) for job in JOBS])

    async def retry(self, name: str | None) -> None:
        """Do a job now, or all that failed; raises NotFoundError."""
        self._asked |= {job_called(name).name} if name else set(self._failed)
        self._hurry.set()
        self._wake.set()

    def _state(self, job: Job) -> JobState:
        if job.name == self._running:
            return JobState(name=job.name, does=job.does, state="running")
        if job.name in self._asked:
            return JobState(name=job.name, does=job.does, state="waiting")
        return self._failed.get(job.name) or JobState(name=job.name, does=job.does, state="resting")

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _SWEEP)
            self._wake.clear()
            self._hurry.clear()
            for job in JOBS:
                if job.name in self._asked or self._due.get(job.name, 0) <= monotonic():
                    await self._do(job)
            if self._failed and not self._closing.is_set():  # whatever it was, it gets another try after a while
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _PAUSE)
                self._wake.set()

    async def _do(self, job: Job) -> None:
        self._running = job.name
        self._asked.discard(job.name)
        try:
            await job.finish(self._work, lambda: not self._closing.is_set())
            self._failed.pop(job.name, None)
        except Exception as error:  # noqa: BLE001 - a job that fails stops no other
            reason, before = reason_of(error), self._failed.get(job.name)
            report(logging.WARNING, "job failed", job=job.name, reason=reason)
            self._failed[job.name] = JobState(
                name=job.name,
                does=job.does,
                state="dead",
                tries=before.tries + 1 if before else 1,
                reason=reason,
                failed_at=datetime.now(UTC),
            )
        finally:
            self._running = ""
        if job.name in self._due:
            self._due[job.name] = monotonic() + job.every

"""Every job of a store: one definition for the process that does them itself and for workers with a queue.

What is left to do is found by a query each time, so that no job depends on the message that asked for it: asking twice,
late, or for nothing does no harm, and whatever a lost queue held is found by the next sweep.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from commontrace.errors import CommonTraceError, NotFoundError
from commontrace_backend.contexts.sweeping import collect_all
from commontrace_backend.embedding.protocol import EmbedderUnavailableError
from commontrace_backend.search.misses import forget_old
from commontrace_backend.traces.upkeep import Upkeep

_AT_ONCE: Final = 8  # traces screened or embedded in one step: what a closing process waits for at most
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Work:
    """What jobs work on.

    Attributes:
        upkeep: what keeps derived data in step with the traces.
        gc_days: age from which what nothing needs in a context is collected; 0 for never.
    """

    upkeep: Upkeep
    gc_days: float = 0

    async def forget_misses(self) -> bool:
        """Delete questions that count no more."""
        return await forget_old(self.upkeep.database) > 0

    async def collect(self) -> bool:
        """Collect what nothing needs in any context; all of it in one step."""
        if self.gc_days:
            await collect_all(self.upkeep.database, self.gc_days)
        return False


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work.

    Attributes:
        name: what it is asked for by.
        does: what it does, in a few words.
        step: does some; True where more may be left.
        every: seconds after which a sweep looks whether there is something to do.
        follows_writes: whether a write may leave something for it.
    """

    name: str
    does: str
    step: Callable[[Work], Awaitable[bool]]
    every: int = _MINUTE
    follows_writes: bool = False

    async def finish(self, work: Work, goes_on: Callable[[], bool]) -> bool:
        """Do all of it, or some while `goes_on` says so; True where something may be left."""
        more = True
        while more and goes_on():
            more = await self.step(work)
        return more


# A job that recounts something derived belongs here too: one line, and a step that finds what is left.
JOBS: Final = (
    Job("fingerprints", "errors get the keys of this version", lambda work: work.upkeep.refingerprint()),
    Job("words", "traces are found by the words of this version", lambda work: work.upkeep.reword()),
    Job("rescan", "stored texts are screened with the rules of today", lambda work: work.upkeep.rescan(_AT_ONCE)),
    Job(
        "embed",
        "traces are found by what they mean",
        lambda work: work.upkeep.embed(_AT_ONCE),
        follows_writes=True,
    ),
    Job("reputation", "outcomes add up to what a name is worth", lambda work: work.upkeep.recount_reputation()),
    Job(
        "duplicates",
        "traces that say nearly the same are shown to reviewers",
        lambda work: work.upkeep.compare(_AT_ONCE),
        every=_HOUR,
    ),
    Job("misses", "questions of half a year ago are forgotten", Work.forget_misses, every=_DAY),
    Job("collect", "contexts lose what nothing needs", Work.collect, every=_DAY),
)


def job_called(name: str) -> Job:
    """The job of a name; raises NotFoundError."""
    for job in JOBS:
        if job.name == name:
            return job
    raise NotFoundError(f"There is no job {name}.", f"There is {', '.join(job.name for job in JOBS)}.")


def lasting(seconds: float) -> Callable[[], bool]:
    """Whether so many seconds from now are not over yet."""
    ends = monotonic() + seconds
    return lambda: monotonic() < ends


def reason_of(error: BaseException) -> str:
    """Why a job failed, in words of ours: a driver's own could quote what is stored."""
    if isinstance(error, (CommonTraceError, EmbedderUnavailableError)):
        return str(error)
    return "it took too long" if isinstance(error, TimeoutError) else type(error).__name__

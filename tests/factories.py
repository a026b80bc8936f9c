"""Makes the values that tests begin with; every argument replaces one of them."""

from typing import Any

from commontrace import AsyncClient
from commontrace.models.search import Hit, Query
from commontrace.models.traces import Contribution, ContributionResult
from commontrace.models.votes import OutcomeKind, VoteResult

_LOCKED: dict[str, Any] = {
    "title": "SQLite says database is locked when several processes write",
    "problem": "Two worker processes write to one SQLite file. Under load sqlite3 raises OperationalError: database "
    "is locked, because a deferred transaction cannot upgrade its read lock while another process writes.",
    "solution": "Open every write with BEGIN IMMEDIATE and set `PRAGMA journal_mode=WAL`, so that writers queue "
    "instead of failing; keep transactions short.",
    "errors": ["sqlite3.OperationalError: database is locked"],
    "tags": ["sqlite", "python"],
    "verification": "Eight processes wrote for a minute without an error.",
}

_OTHERS: list[dict[str, Any]] = [
    {
        "title": "Docker build cannot resolve the package registry",
        "problem": "Inside docker build, npm install stops with EAI_AGAIN because the daemon has a dead resolver.",
        "solution": "Give the daemon a resolver: set dns in daemon.json and restart docker.",
        "errors": ["npm ERR! code EAI_AGAIN"],
        "tags": ["docker", "npm"],
    },
    {
        "title": "Rust borrow checker rejects a mutable loop",
        "problem": "Pushing into a vector while iterating fails to compile, since the iterator holds a shared borrow.",
        "solution": "Collect the additions first, then extend the vector after the loop.",
        "errors": ["error[E0502]: cannot borrow `items` as mutable because it is also borrowed as immutable"],
        "tags": ["rust"],
    },
    {
        "title": "Kubernetes pod restarts with exit code 137",
        "problem": "The container is killed for memory because its limit lies under the heap of the Java process.",
        "solution": "Raise resources.limits.memory above -Xmx plus a third for native memory.",
        "errors": ["Last State: Terminated Reason: OOMKilled Exit Code: 137"],
        "tags": ["kubernetes", "java"],
    },
    {
        "title": "PostgreSQL refuses a connection for want of slots",
        "problem": "Each worker opens its own pool, so together they pass max_connections and new clients are refused.",
        "solution": "Put pgbouncer in front in transaction mode and shrink every pool to five.",
        "errors": ["FATAL: sorry, too many clients already"],
        "tags": ["postgresql"],
    },
]


def contribution(number: int = 0, **changes: Any) -> Contribution:
    """A good contribution; another `number` (0 to 4) is one about something else altogether."""
    fields = _LOCKED if number == 0 else _OTHERS[number - 1]
    return Contribution.model_validate({**fields, **changes})


async def contributed(client: AsyncClient, number: int = 0, **changes: Any) -> str:
    """Contribute a trace; returns its id."""
    stored: ContributionResult = await client.traces.contribute(contribution(number, **changes))
    assert stored.stored
    return str(stored.trace_id)


async def contribute_five(client: AsyncClient) -> list[str]:
    """Five traces about five things; returns their ids."""
    return [await contributed(client, number) for number in range(5)]


async def read(client: AsyncClient, trace_id: str) -> Hit:
    """Be shown a trace, which is what a vote needs."""
    answer = await client.traces.query(Query(ids=[trace_id]))
    assert answer.hits, answer.notes
    return answer.hits[0]


async def use(client: AsyncClient, trace_id: str, outcome: OutcomeKind = "worked", note: str = "as said") -> VoteResult:
    """Be shown a trace and say what happened."""
    await read(client, trace_id)
    return await client.traces.vote(trace_id, outcome, note)


async def found(client: AsyncClient, query: str | Query) -> list[str]:
    """The titles that a query finds, in order."""
    return [hit.title for hit in (await client.traces.query(query)).hits]

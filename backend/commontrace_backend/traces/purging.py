"""Taking every text of a trace out of the store for good. Ids, who, when and why stay, and the log can be checked."""

from typing import Any, Final

from sqlalchemy import Row, Table, delete, update

from commontrace.errors import ConflictError
from commontrace.models.traces import LintVerdict, PurgedTrace, Removal, Risks, TraceContent
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import WriteSession
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.log.store import Leaf, append, forget
from commontrace_backend.traces import ledger, moderation, service, store, writing
from commontrace_backend.traces.tables import (
    amendments,
    flags,
    idempotency_keys,
    outcomes,
    trace_commands,
    trace_versions,
)

_GONE: Final = "[purged]"
_EMPTY: Final = TraceContent(title=_GONE, problem=_GONE, solution=_GONE)
_FILES: Final = (
    *("traces", "trace_versions", "trace_tags", "trace_errors", "outcomes", "amendments", "flags", "tombstones"),
    *("log_leaves", "trace_commands", "trace_search", "search_terms", "trace_vectors"),
)


async def purge(database: Database, caller: Caller, index: SearchIndex, ref: str, wanted: Removal) -> PurgedTrace:
    """Take a trace's texts out of rows, indexes, the log and the files; nothing brings them back.

    Raises:
        NotFoundError: no such trace.
        ForbiddenError: it is somebody else's, and the caller is no admin of its organization.
        ConflictError: it is somebody else's and proven, and no two reviewers removed it before.
    """
    reason = screen_text(wanted.reason).text
    async with database.writing(caller.tenant_id) as session:
        trace = await store.find(session, caller, ref)
        service.must_decide(caller, trace)
        if trace.state != "withdrawn" and moderation.takes_two(caller, trace):
            raise ConflictError(
                f"This trace is {trace.tier} and somebody else's: its removal takes two reviewers.",
                f"commontrace review reject {trace.trace_id[:10]} --reason TEXT, by two admins; then purge it.",
            )
        # Purging again writes the files anew, where others read them the first time.
        versions = 0 if trace.state == "purged" else await _empty(session, caller, index, trace, reason)
        tombstone = await moderation.newest_tombstone(session, trace.trace_id)
    erased = await database.compact(_FILES)
    return PurgedTrace(
        trace_id=trace.trace_id,
        versions=versions,
        erased=erased,
        left=[f"{path} was put aside by an upgrade: delete it if it is older." for path in await database.copies()],
        tombstone=tombstone,
    )


async def _empty(session: WriteSession, caller: Caller, index: SearchIndex, trace: Row[Any], reason: str) -> int:
    trace_id = trace.trace_id
    numbers = await store.versions(session, trace_id)
    await moderation.leave_tombstone(session, caller, trace, reason)
    await _blank(session, trace_id)
    await writing.serve(session, index, trace, _EMPTY)
    await index.settle(session)
    await forget(session, trace_id)
    facts = {"contributor_id": caller.contributor_id, "reason": ledger.digest(reason)}
    await append(session, Leaf(trace.tenant_id, "purge", trace_id, "", facts))
    await store.change_trace(session, trace_id, state="purged", title=_GONE, language=None)
    # As they are now: what was logged of them before is forgotten but for its hashes.
    await ledger.log_all(session, ("version", "outcome", "tombstone"), trace_id)
    return len(numbers)


async def _blank(session: WriteSession, trace_id: str) -> None:
    """Nothing that somebody wrote stays, nor what scanners quoted of it."""
    seen = {"redactions": [], "hidden": [], "labels": [], "risks": Risks().model_dump()}
    lint = LintVerdict(score=0).model_dump()
    values = {"content": _EMPTY.model_dump(mode="json"), "lint": lint, "leaks": None, **seen}
    await session.write(update(trace_versions).where(trace_versions.c.trace_id == trace_id).values(values))
    said: dict[Table, dict[str, str | None]] = {
        outcomes: {"note": _GONE, "evidence": None},
        amendments: {"reason": _GONE, "decision_note": _GONE},
        flags: {"note": _GONE},
    }
    for table, gone in said.items():
        await session.write(update(table).where(table.c.trace_id == trace_id).values(gone))
    for forgotten in (idempotency_keys, trace_commands):
        await session.write(delete(forgotten).where(forgotten.c.trace_id == trace_id))

"""Whether a shell command that is about to run came from a trace that its caller was shown, and how proven that is."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, select

from commontrace.models.checks import MOST_KEYS, CommandCheck, CommandMatch, NewCheck
from commontrace.models.traces import Tier
from commontrace.safety.checked import with_risks
from commontrace.safety.command_rules import Finding
from commontrace.safety.pipeline import screen_text
from commontrace.safety.use_check import lookup_keys, risks_before_use
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.traces.outcomes import Judged, standings
from commontrace_backend.traces.tables import receipts, trace_commands, trace_versions, traces
from commontrace_backend.traces.visibility import visible_to

_MOST_MATCHES: Final = 50
"""The newest that are looked at: a command that so many hold is no stranger's."""
_PROVEN: Final = frozenset(("corroborated", "verified"))
_GONE: Final[dict[str, Tier]] = {"withdrawn": "withdrawn", "hidden": "quarantined"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a command without asking the store."""

    keys: list[str]
    risks: list[Finding]


def look(wanted: NewCheck) -> Looked:
    """Read a command in the safe form in which traces hold theirs; takes what time it takes, so in a thread."""
    if wanted.command is None:
        return Looked(wanted.keys or [], [])
    safe = screen_text(wanted.command).text
    return Looked(lookup_keys(safe)[:MOST_KEYS], risks_before_use(safe))


async def check(session: ReadSession, caller: Caller, looked: Looked) -> CommandCheck:
    """Ask for what others wrote and nobody has proven to this caller, and for a risk; never for one's own traces."""
    rows = await _shown(session, caller, looked.keys)
    judged = [Judged(row.trace_id, row.version_id, row.number, row.inherits_from, row.visibility) for row in rows]
    known = await standings(session, judged, caller.tenant_id)
    found = [(row, _match(row, caller, known[row.trace_id, row.version_id].tier)) for row in rows]
    foreign = [match for row, match in found if not (match.own or match.tier in _PROVEN or _ours(row, caller))]
    reasons = list(dict.fromkeys(_reason(match) for match in foreign))
    return with_risks(
        CommandCheck(verdict="ask" if reasons else "ok", reasons=reasons, matches=[match for _, match in found]),
        looked.risks,
    )


async def _shown(session: ReadSession, caller: Caller, keys: list[str]) -> list[Row[Any]]:
    if not keys:
        return []
    return list(await session.all(_holding(caller), {"contributor": caller.contributor_id, "keys": keys}))


_OF_COMMAND: Final = and_(
    receipts.c.trace_id == trace_commands.c.trace_id, receipts.c.version_id == trace_commands.c.version_id
)
_OF_VERSION: Final = and_(
    trace_versions.c.trace_id == trace_commands.c.trace_id, trace_versions.c.version_id == trace_commands.c.version_id
)


@lru_cache(maxsize=256)
def _holding(caller: Caller) -> Select[Any]:
    """The versions that a caller was shown with one of the commands, newest first."""
    statement = (
        select(
            receipts.c.trace_id,
            receipts.c.version_id,
            receipts.c.shown_at,
            trace_versions.c.number,
            trace_versions.c.inherits_from,
            trace_versions.c.contributor_id.label("author_id"),
            traces.c.contributor_id.label("owner_id"),
            traces.c.tenant_id,
            traces.c.title,
            traces.c.state,
            traces.c.visibility,
            visible_to(caller).label("visible"),
            contributors.c.name.label("owner_name"),
            contributors.c.kind.label("owner_kind"),
        )
        .join_from(trace_commands, receipts, _OF_COMMAND)
        .join(trace_versions, _OF_VERSION)
        .join(traces, traces.c.trace_id == trace_commands.c.trace_id)
        .join(contributors, contributors.c.contributor_id == traces.c.contributor_id)
        .where(
            receipts.c.contributor_id == bindparam("contributor"),
            OneOf(trace_commands.c.command_key, "keys"),
        )
        .distinct()
        .order_by(receipts.c.shown_at.desc(), receipts.c.trace_id, receipts.c.version_id)
        .limit(_MOST_MATCHES)
    )
    return across(statement, "who was shown a version may know that it was; nothing else of what is no longer theirs")


def _match(row: Row[Any], caller: Caller, earned: Tier) -> CommandMatch:
    return CommandMatch(
        trace_id=row.trace_id,
        title=row.title if row.visible else "",
        tier=_GONE.get(row.state, earned if row.visible else "withdrawn"),
        own=caller.contributor_id in {row.owner_id, row.author_id},
    )


def _ours(row: Row[Any], caller: Caller) -> bool:
    """Whether it came with CommonTrace itself."""
    return bool(row.owner_kind == "reserved" and row.owner_name == "commontrace" and row.tenant_id == caller.tenant_id)


def _reason(match: CommandMatch) -> str:
    """One sentence in our own words: a title is somebody else's."""
    said = "was withdrawn since" if match.tier == "withdrawn" else f"is {match.tier}"
    return f"It stands in trace {match.trace_id[:10]}, which you were shown; that is not yours and {said}."

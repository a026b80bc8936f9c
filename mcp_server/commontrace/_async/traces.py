"""Traces: one method per operation."""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal

from commontrace._async.http import AsyncHttp
from commontrace._transport import is_remote
from commontrace.errors import InvalidInputError
from commontrace.models.checks import MOST_KEYS, CommandCheck, NewCheck
from commontrace.models.rescan import RescanState
from commontrace.models.search import IndexState, Query, QueryAnswer, Wanted
from commontrace.models.traces import (
    Amendment,
    AmendmentProposal,
    Contribution,
    ContributionResult,
    Decision,
    Evidence,
    Flag,
    FlagReason,
    LinkKind,
    NewFlag,
    NewLink,
    Publication,
    PublicationResult,
    PurgedTrace,
    Removal,
    StarterResult,
    Tombstone,
    Trace,
    TracePage,
    TraceVersion,
)
from commontrace.models.votes import OutcomeKind, Vote, VoteResult

if TYPE_CHECKING:
    from commontrace.safety.leaving import Leaving

_TRACES = "/api/v1/traces"
_ID = re.compile(r"[0-9a-f]{6,64}\Z")


def _id(text: str, of: str = "trace") -> str:
    """Refuse what cannot be an id before it becomes part of a path."""
    if not _ID.match(text):
        raise InvalidInputError(f"{text[:80]!r} is not the id of a {of}.", "Give its hexadecimal digits, 6 or more.")
    return text


def _trace(trace_id: str) -> str:
    return f"{_TRACES}/{_id(trace_id)}"


class AsyncTraces:
    """Shared, voted knowledge: `client.traces`. Every method raises the errors of `commontrace.errors`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def query(self, query: str | Query = "", *, error: str = "", limit: int = 5) -> QueryAnswer:
        """Find traces for a problem or an error; pass a `Query` for every other option."""
        wanted = query if isinstance(query, Query) else Query(query=query, error=error, limit=limit)
        return await self._http.call("POST", f"{_TRACES}/query", QueryAnswer, body=self._leaving().safe(wanted))

    async def check(self, command: str) -> CommandCheck:
        """Whether to ask somebody before a shell command runs: it came from an unproven trace, or carries a risk.

        Its risks are looked at on this side; of the command itself nothing but hashes is sent.

        Raises:
            InvalidInputError: it is longer than 64,000 characters.
        """
        from commontrace.safety.checked import with_risks
        from commontrace.safety.pipeline import screen_text
        from commontrace.safety.use_check import lookup_keys, risks_before_use

        safe = NewCheck.of(command=screen_text(command).text).command or ""
        body = NewCheck.of(keys=lookup_keys(safe)[:MOST_KEYS])
        found = await self._http.call("POST", "/api/v1/checks", CommandCheck, body=body)
        return with_risks(found, risks_before_use(safe))

    async def wanted(self, limit: int = 20) -> list[Wanted]:
        """What most people of your organization asked in vain and nobody has answered since; at most 100."""
        return await self._http.call("GET", "/api/v1/wanted", list[Wanted], query={"limit": limit})

    async def contribute(self, contribution: Contribution) -> ContributionResult:
        """Store a trace; with `dry_run` see exactly what would be stored.

        Raises:
            LowQualityError: it says too little to help anyone.
            NearDuplicateError: the store knows it already; nothing was stored.
            IdempotencyError: the idempotency key was used for something else.
        """
        leaving = self._leaving()
        return leaving.noted(
            await self._http.call("POST", _TRACES, ContributionResult, body=leaving.safe(contribution))
        )

    def _leaving(self) -> "Leaving":
        """What takes secrets out of a body; of one that stays in this process the backend does."""
        from commontrace.safety.leaving import Leaving  # its rules take longer to load than a server to start

        return Leaving(is_remote(self._http.url))

    async def index_state(self) -> IndexState:
        """How far what traces are found by, words and vectors, has kept up with them."""
        return await self._http.call("GET", "/api/v1/index", IndexState)

    async def refresh_index(self, limit: int = 32) -> IndexState:
        """Do up to `limit` traces of what is left to do, and say how far it is; call it until it is `done`.

        The store does the same in the background. Needs the scope `admin`.
        """
        return await self._http.call("POST", "/api/v1/index", IndexState, query={"limit": limit})

    async def rescan(self, limit: int = 100) -> RescanState:
        """Screen up to `limit` stored versions with the rules of today; call it until it is `done`.

        Labels and risks are made anew. A version that holds what the rules would now redact is hidden and listed, to be
        purged. The store does the same in the background. Needs the scope `admin`.
        """
        return await self._http.call("POST", "/api/v1/rescan", RescanState, query={"limit": limit})

    async def load_starter(self) -> StarterResult:
        """Load the traces that come with CommonTrace; those that are there already stay. Needs the scope `admin`."""
        return await self._http.call("POST", "/api/v1/starter", StarterResult)

    async def get(self, trace_id: str) -> Trace:
        """One trace by id or unique prefix; raises NotFoundError, AmbiguousRefError."""
        return await self._http.call("GET", _trace(trace_id), Trace)

    async def page(self, cursor: str | None = None, limit: int = 50) -> TracePage:
        """Up to 200 traces in the order they came, from where `cursor` left off."""
        return await self._http.call("GET", _TRACES, TracePage, query={"cursor": cursor, "limit": limit})

    async def all(self) -> AsyncIterator[Trace]:
        """Every trace the caller may see, in the order they came."""
        cursor: str | None = None
        while True:
            page = await self.page(cursor, limit=200)
            for trace in page.traces:
                yield trace
            cursor = page.next_cursor
            if cursor is None:
                return

    async def vote(
        self, trace_id: str, outcome: OutcomeKind, note: str = "", *, evidence: Evidence | None = None
    ) -> VoteResult:
        """Report what happened when you used a trace; all but `worked` need a note.

        Raises:
            NotShownError: you were never shown it, so cannot have used it.
        """
        body = Vote(outcome=outcome, note=note, evidence=evidence)
        return await self._http.call("POST", f"{_trace(trace_id)}/votes", VoteResult, body=self._leaving().safe(body))

    async def history(self, trace_id: str, limit: int | None = None) -> list[TraceVersion]:
        """Every version, newest first, or the newest `limit`, with the standing each has earned."""
        return await self._http.listed(f"{_trace(trace_id)}/versions", TraceVersion, limit=limit)

    async def amend(self, trace_id: str, proposal: AmendmentProposal) -> Amendment:
        """Propose a better version; your own traces take it at once."""
        safe = self._leaving().safe(proposal)
        return await self._http.call("POST", f"{_trace(trace_id)}/amendments", Amendment, body=safe)

    async def amendments(self, trace_id: str, limit: int | None = None) -> list[Amendment]:
        """Proposed versions with what they change, newest first, all or the newest `limit`."""
        return await self._http.listed(f"{_trace(trace_id)}/amendments", Amendment, limit=limit)

    async def decide(self, amendment_id: str, *, accept: bool, note: str = "") -> Amendment:
        """Accept or reject an amendment of a trace of yours."""
        path = f"/api/v1/amendments/{_id(amendment_id, 'amendment')}/decision"
        return await self._http.call("POST", path, Amendment, body=Decision(accept=accept, note=note))

    async def flag(self, trace_id: str, reason: FlagReason, note: str = "") -> Flag:
        """Ask for a second look at a trace."""
        body = NewFlag(reason=reason, note=note)
        return await self._http.call("POST", f"{_trace(trace_id)}/flags", Flag, body=self._leaving().safe(body))

    async def flags(self, trace_id: str, limit: int | None = None) -> list[Flag]:
        """Every flag with its reason, undone ones too, newest first, or the newest `limit`."""
        return await self._http.listed(f"{_trace(trace_id)}/flags", Flag, limit=limit)

    async def unflag(self, flag_id: str) -> Flag:
        """Take a flag back."""
        return await self._http.call("DELETE", f"/api/v1/flags/{_id(flag_id, 'flag')}", Flag)

    async def withdraw(self, trace_id: str, reason: str) -> Tombstone:
        """Take a trace of yours out of every answer; it can be restored."""
        body = Removal(reason=reason)
        path = f"{_trace(trace_id)}/withdrawal"
        return await self._http.call("POST", path, Tombstone, body=self._leaving().safe(body))

    async def restore(self, trace_id: str) -> Trace:
        """Bring a withdrawn trace back as it was."""
        return await self._http.call("DELETE", f"{_trace(trace_id)}/withdrawal", Trace)

    async def purge(self, trace_id: str, reason: str) -> PurgedTrace:
        """Take every text of a trace out of the store for good, of its files and indexes too; a tombstone stays.

        Raises:
            NotFoundError: no such trace.
            ForbiddenError: it is somebody else's, and you are no admin of its organization.
        """
        body = Removal(reason=reason)
        return await self._http.call("POST", f"{_trace(trace_id)}/purge", PurgedTrace, body=body)

    async def link(self, trace_id: str, kind: LinkKind, target: str) -> Trace:
        """Link a trace to another trace, or to a context commit."""
        body = NewLink(kind=kind, target=target)
        return await self._http.call("POST", f"{_trace(trace_id)}/links", Trace, body=body)

    async def unlink(self, trace_id: str, kind: LinkKind, target: str) -> Trace:
        """Take a link away."""
        return await self._http.call("DELETE", f"{_trace(trace_id)}/links/{kind}/{_id(target, 'link')}", Trace)

    async def publish(
        self, trace_id: str, visibility: Literal["team", "public"] = "public", *, dry_run: bool = False
    ) -> PublicationResult:
        """Widen a trace's audience; with `dry_run` see what everybody would see."""
        body = Publication(visibility=visibility, dry_run=dry_run)
        return await self._http.call("POST", f"{_trace(trace_id)}/publication", PublicationResult, body=body)

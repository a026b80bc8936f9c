"""Knowledge that moves between stores: what changed here, what is known here, and what another store brings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import CommonTraceError, InvalidInputError, LowQualityError, RequestError
from commontrace.lineage import Relation, ancestors, in_order, newest, relation
from commontrace.models.syncing import (
    MOST_BYTES,
    MOST_VERSIONS,
    ChangedTrace,
    Changes,
    Delivery,
    DeliveryResult,
    KnownTrace,
    Look,
    TraceHistory,
    TravelVersion,
)
from commontrace.models.traces import Contribution, TraceContent
from commontrace.safety.pipeline import Screened, screen_text
from commontrace.versions import version_id
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.log import store as log
from commontrace_backend.traces import exchange_store, service, store, writing
from commontrace_backend.traces.amendments import add_child, serve_version
from commontrace_backend.traces.audience import may_serve

_SERVED: Final = ("active", "pending", "superseded")
_WORDS: Final[Mapping[Relation, str]] = {
    "same": "kept",
    "behind": "newer",
    "ahead": "proposed",
    "diverged": "diverged",
}


async def changes(session: ReadSession, caller: Caller, cursor: int, limit: int) -> Changes:
    """Traces that changed since `cursor`; of what was removed the ids alone."""
    # A store that was put back to an earlier state is read anew.
    start = cursor if cursor <= await log.size(session) else 0
    rows = await exchange_store.changed(session, caller, start, limit)
    versions = await exchange_store.versions_of(session, [row.trace_id for row in rows])
    changed = [
        ChangedTrace(
            trace_id=row.trace_id,
            version_id=row.version_id,
            versions=newest(versions[row.trace_id], MOST_VERSIONS, row.version_id),
            state=row.state,
            visibility=row.visibility,
            title=row.title if row.state in _SERVED else "",
            mine=caller.contributor_id in {row.contributor_id, row.author_id},
        )
        for row in rows
    ]
    goes_on = rows[-1].changed_at_leaf + 1 if rows else start
    return Changes(changed=changed, cursor=goes_on, more=len(rows) == limit)


async def look(session: ReadSession, caller: Caller, wanted: Look) -> list[KnownTrace]:
    """What is here of the traces that have these versions, in the order asked."""
    asked = {one for versions in wanted.traces for one in versions}
    found = await exchange_store.with_versions(session, caller, asked) if asked else {}
    versions = await exchange_store.versions_of(session, {row.trace_id for row in found.values()})
    return [_known(_best(found, asked_for), versions, caller) for asked_for in wanted.traces]


def _best(found: Mapping[str, Row[Any]], versions: list[str]) -> Row[Any] | None:
    """The trace that has the newest of these versions."""
    return next((found[one] for one in reversed(versions) if one in found), None)


def _known(row: Row[Any] | None, versions: Mapping[str, list[str]], caller: Caller) -> KnownTrace:
    if row is None:
        return KnownTrace()
    return KnownTrace(
        trace_id=row.trace_id,
        version_id=row.version_id,
        versions=versions[row.trace_id],
        state=row.state,
        visibility=row.visibility,
        mine=row.contributor_id == caller.contributor_id,
    )


async def history(session: ReadSession, caller: Caller, ref: str) -> TraceHistory:
    """Every version of a trace with what it came after; words only where the trace is served."""
    trace = await store.find(session, caller, ref)
    after = await exchange_store.after_of(session, trace.trace_id)
    rows = {row.version_id: row for row in await store.versions(session, trace.trace_id)}
    told = trace.state in _SERVED
    return TraceHistory(
        trace_id=trace.trace_id,
        version_id=trace.version_id,
        versions=[
            TravelVersion(
                version_id=one,
                after=after[one],
                content=TraceContent.model_validate(rows[one].content) if told else None,
            )
            for one in newest(in_order(after), MOST_VERSIONS, trace.version_id)
        ],
        state=trace.state,
        visibility=trace.visibility,
    )


async def histories(session: ReadSession, caller: Caller, refs: Sequence[str]) -> list[TraceHistory | CommonTraceError]:
    """The histories of several traces, as far as they come to 256 KiB; at least the first one."""
    found: list[TraceHistory | CommonTraceError] = []
    size = 0
    for ref in refs:
        try:
            one = await history(session, caller, ref)
        except RequestError as error:
            found.append(error)
            continue
        size += len(one.model_dump_json())
        if found and size > MOST_BYTES:
            break
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery, looked at before anything waits for it.

    Attributes:
        delivery: what was sent.
        screened: the safe form of the versions that have words, by id.
        after: for each version those that it came after.
    """

    delivery: Delivery
    screened: Mapping[str, Screened]
    after: Mapping[str, list[str]]


def cost_of(delivery: Delivery) -> int:
    """How many writes a trace counts as: one for each version that comes with its words, at least one."""
    return max(1, sum(version.content is not None for version in delivery.versions))


def prepare(delivery: Delivery) -> Arrived:
    """Check every version against its id.

    Raises:
        TooLargeError: a version is over 64 KiB.
        InvalidInputError: a version is not what its id says, or holds what the rules of here take out.
        LowQualityError: the version that is served says too little to help anyone.
    """
    screened = dict(_screened(delivery))
    after = {version.version_id: version.after for version in delivery.versions}
    served = screened.get(delivery.serves)
    if delivery.serves not in after:
        raise InvalidInputError("The version that is served is not among those sent.", "Send the whole trace.")
    if served is not None and served.refusals:
        raise LowQualityError(
            f"This would help nobody yet: {'; '.join(served.refusals)}.",
            "Amend it with a real problem, its cause and the fix, then send it again.",
            {"reasons": list(served.refusals)},
        )
    return Arrived(delivery, screened, after)


def prepared(delivery: Delivery) -> Arrived | CommonTraceError:
    """The same, with the error as an answer."""
    try:
        return prepare(delivery)
    except RequestError as error:
        return error


def _screened(delivery: Delivery) -> Iterator[tuple[str, Screened]]:
    for version in delivery.versions:
        if version.content is None:
            continue
        if version_id(version.content) != version.version_id:
            raise InvalidInputError(
                f"The version {version.version_id[:10]} is not what its id says: something was changed.",
                "Send the trace again.",
            )
        safe = writing.screened(version.content)
        if version_id(safe.content) != version.version_id:
            raise InvalidInputError(
                f"The version {version.version_id[:10]} holds what the rules of here take out"
                f"{_types(safe)}; its id would not stand for it any more.",
                "Where it comes from, run `commontrace rescan`, amend it without that, and purge what leaked.",
            )
        yield version.version_id, safe


def _types(safe: Screened) -> str:
    found = sorted({item.type for item in safe.redactions})
    return f" ({', '.join(found)})" if found else ""


async def deliver(session: WriteSession, caller: Caller, index: SearchIndex, arrived: Arrived) -> DeliveryResult:
    """Take a trace as another store has it: what is new of it is added, what is newer is served or proposed.

    Raises:
        InvalidInputError: a version that is not here came without its words.
        NearDuplicateError: the trace is new and much like one that is here; `insist` adds it all the same.
        ForbiddenError: an imported trace, by a key that may not import.
    """
    asked = Look(traces=[list(arrived.after)])
    known = (await look(session, caller, asked))[0]
    if known.trace_id is None:
        return await _add(session, caller, index, arrived)
    if known.state not in _SERVED or not await exchange_store.is_visible(session, caller, known.trace_id):
        notes = [f"It is {known.state} here: nothing brings it back but a restore."]
        return DeliveryResult(action="gone", trace_id=known.trace_id, version_id=known.version_id or "", notes=notes)
    return await _Meeting(session, caller, index, arrived).take(known.trace_id)


async def deliver_all(
    session: WriteSession, caller: Caller, index: SearchIndex, arrived: Sequence[Arrived | CommonTraceError]
) -> list[DeliveryResult | CommonTraceError]:
    """Take several traces in one transaction, each there or not by itself: an answer a trace, in order."""
    results: list[DeliveryResult | CommonTraceError] = []
    for one in arrived:
        if not isinstance(one, Arrived):
            results.append(one)
            continue
        try:
            async with session.part():
                results.append(await deliver(session, caller, index, one))
        except RequestError as error:
            results.append(error)
    return results


async def _add(session: WriteSession, caller: Caller, index: SearchIndex, arrived: Arrived) -> DeliveryResult:
    delivery = arrived.delivery
    first, *others = in_order(arrived.after)
    _must_have(arrived, arrived.after)
    contribution = Contribution(
        **arrived.screened[first].content.model_dump(),
        visibility=delivery.visibility,
        insist=delivery.insist,
        dry_run=delivery.dry_run,
        origin=delivery.origin,
    )
    result = await service.contribute(session, caller, index, contribution, arrived.screened[first])
    if result.trace_id is None:
        return DeliveryResult(action="added", trace_id=None, version_id=delivery.serves, notes=result.notes)
    meeting = _Meeting(session, caller, index, arrived)
    trace = await store.find(session, caller, result.trace_id)
    await meeting.add_versions(trace, others)
    if delivery.serves != first:
        await meeting.serve(trace)
    return DeliveryResult(action="added", trace_id=result.trace_id, version_id=delivery.serves, notes=result.notes)


def _must_have(arrived: Arrived, versions: Mapping[str, object]) -> None:
    lacking = sorted(versions.keys() - arrived.screened.keys())
    if lacking:
        raise InvalidInputError(
            f"The version {lacking[0][:10]} is not here and came without its words.", "Send the whole trace."
        )


class _Meeting:
    """A delivery of a trace that is here."""

    def __init__(self, session: WriteSession, caller: Caller, index: SearchIndex, arrived: Arrived) -> None:
        self._session, self._caller, self._index, self._arrived = session, caller, index, arrived
        self._reason = screen_text(arrived.delivery.note).text or "It came from another store."

    async def take(self, trace_id: str) -> DeliveryResult:
        """Bring the two histories together."""
        trace = await store.find(self._session, self._caller, trace_id)
        wanted = self._arrived.delivery.serves
        here = await exchange_store.after_of(self._session, trace_id)
        both = {one: [*here.get(one, ()), *self._arrived.after.get(one, ())] for one in here | {**self._arrived.after}}
        how = relation(both, wanted, trace.version_id)
        new = [one for one in in_order(self._arrived.after) if one not in here]
        _must_have(self._arrived, dict.fromkeys(new))
        decides = service.may_decide(self._caller, trace) and may_serve(self._caller, trace.visibility)
        if self._arrived.delivery.dry_run:
            action = "updated" if how == "ahead" and decides else _WORDS[how]
            return DeliveryResult.model_validate(
                {"action": action, "trace_id": trace_id, "version_id": trace.version_id}
            )
        await self.add_versions(trace, new, decides=decides)
        if how == "ahead" and decides:
            await self.serve(trace)
            await exchange_store.settle(self._session, self._caller, trace_id, ancestors(both, wanted))
            return DeliveryResult(action="updated", trace_id=trace_id, version_id=wanted)
        amendment_id = await self._propose(trace) if how in {"ahead", "diverged"} else None
        return DeliveryResult.model_validate(
            {
                "action": _WORDS[how],
                "trace_id": trace_id,
                "version_id": trace.version_id,
                "amendment_id": amendment_id,
            }
        )

    async def add_versions(self, trace: Row[Any], new: list[str], *, decides: bool = True) -> None:
        """Store versions, each behind those that it came after, and the decisions that say so."""
        for one in new:
            parents = self._arrived.after[one]
            rows = [await store.find_version(self._session, trace.trace_id, parent) for parent in parents]
            parent = next((row for row in rows if row is not None), trace)
            await add_child(self._session, trace, parent, self._arrived.screened[one], self._author(trace))
        if decides:
            await self._keep_decisions(trace)

    async def _keep_decisions(self, trace: Row[Any]) -> None:
        known = await exchange_store.after_of(self._session, trace.trace_id)
        for newer, olders in self._arrived.after.items():
            for older in olders:
                if older in known and older not in known[newer]:
                    edge = (older, newer)
                    await exchange_store.add_amendment(
                        self._session, self._caller, trace, edge, accepted=True, reason=self._reason
                    )

    async def serve(self, trace: Row[Any]) -> None:
        """Let the trace serve what it serves where it comes from."""
        version = await store.find_version(self._session, trace.trace_id, self._arrived.delivery.serves)
        assert version is not None
        await serve_version(self._session, self._index, self._caller, trace, version)

    async def _propose(self, trace: Row[Any]) -> str | None:
        """An amendment for the owner to decide; None where that was decided before."""
        wanted = self._arrived.delivery.serves
        waiting = await exchange_store.proposed(self._session, trace.trace_id, wanted)
        if waiting is not None:
            await exchange_store.put_before(self._session, waiting.amendment_id, trace.version_id)
            return str(waiting.amendment_id)
        return await exchange_store.add_amendment(
            self._session,
            self._caller,
            trace,
            (trace.version_id, wanted),
            accepted=False,
            reason=self._reason,
        )

    def _author(self, trace: Row[Any]) -> str:
        """Whoever brings it; of imported traces the reserved contributor that they belong to."""
        imported = self._arrived.delivery.origin == "imported"
        return str(trace.contributor_id) if imported else self._caller.contributor_id

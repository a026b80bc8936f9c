"""SQL for traces and their versions."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, delete, func, insert, or_, select, update

from commontrace.errors import AmbiguousRefError, NotFoundError
from commontrace.models.traces import TraceContent
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.database.upsert import insert_missing
from commontrace_backend.paging import Asked, Key, Order
from commontrace_backend.traces import ledger
from commontrace_backend.traces.tables import (
    amendments,
    flags,
    idempotency_keys,
    receipts,
    trace_commands,
    trace_errors,
    trace_links,
    trace_tags,
    trace_versions,
    traces,
)
from commontrace_backend.traces.visibility import LIVE, visible_to, visible_traces

FULL_ID = 32

_BY_ARRIVAL: Final = Order("traces", Key("number", traces.c.number))
_RECEIVED: Final = select(receipts.c.trace_id, receipts.c.version_id).where(
    receipts.c.contributor_id == bindparam("contributor"),
    OneOf(receipts.c.trace_id, "traces"),
)


async def find(session: ReadSession, caller: Caller, ref: str) -> Row[Any]:
    """The trace with this id or unique prefix; raises NotFoundError, AmbiguousRefError."""
    rows = await session.all(visible_traces(caller).where(named(ref)).order_by(traces.c.number).limit(6))
    if not rows:
        raise NotFoundError(f"No trace {ref}.", "Check the id, or search with query_traces.")
    if len(rows) > 1:
        candidates = [row.trace_id for row in rows]
        raise AmbiguousRefError(
            f"{ref} could be {' or '.join(candidates[:3])}.", "Give more digits.", {"candidates": candidates}
        )
    return rows[0]


def named(ref: str) -> ColumnElement[bool]:
    """The traces that an id, or the first digits of one, may mean."""
    return traces.c.trace_id == ref if len(ref) == FULL_ID else traces.c.trace_id.startswith(ref, autoescape=True)


async def any_trace(session: ReadSession, trace_id: str) -> Row[Any]:
    """A trace that exists, whoever may see it: only for a caller whose right follows from something else."""
    row = await session.first(across(select(traces).where(traces.c.trace_id == trace_id), "see above"))
    assert row is not None
    return row


async def page(session: ReadSession, caller: Caller, asked: Asked) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the visible traces, in the order they came."""
    return await _BY_ARRIVAL.read(session, visible_traces(caller), asked)


async def with_numbers(session: ReadSession, caller: Caller, numbers: Iterable[int]) -> dict[int, Row[Any]]:
    """Visible traces by row number."""
    rows = await session.all(_numbered(caller), {"numbers": list(numbers)})
    return {row.number: row for row in rows}


@lru_cache(maxsize=256)
def _numbered(caller: Caller) -> Select[Any]:
    return visible_traces(caller).where(OneOf(traces.c.number, "numbers"))


async def same_content(session: ReadSession, caller: Caller, version_id: str) -> Row[Any] | None:
    """A visible active trace that serves exactly this content."""
    statement = visible_traces(caller).where(traces.c.version_id == version_id, LIVE)
    return await session.first(statement.order_by(traces.c.number).limit(1))


async def remember(session: WriteSession, caller: Caller, key: str, digest: str, stored: tuple[str, str]) -> None:
    """Keep an idempotency key, the digest of what came with it, and the (trace, version) that it stored."""
    trace_id, version_id = stored
    row = {"key": key, "request_digest": digest, "trace_id": trace_id, "version_id": version_id}
    mine = {"contributor_id": caller.contributor_id, "tenant_id": caller.tenant_id}
    await session.write(insert(idempotency_keys).values(created_at=datetime.now(UTC), **mine, **row))


async def remembered(session: ReadSession, caller: Caller, key: str) -> Row[Any] | None:
    """What an idempotency key of this contributor stored."""
    return await session.first(
        select(idempotency_keys).where(
            idempotency_keys.c.contributor_id == caller.contributor_id, idempotency_keys.c.key == key
        )
    )


async def add_trace(session: WriteSession, values: dict[str, object]) -> int:
    """Insert a trace; returns its row number."""
    result = await session.execute(insert(traces).values(values).returning(traces.c.number))
    number = int(result.scalar_one())
    await ledger.log_trace(session, str(values["trace_id"]))
    return number


async def change_trace(session: WriteSession, trace_id: str, **values: object) -> None:
    """Update columns of a trace."""
    others = [traces.c[name].is_distinct_from(value) for name, value in values.items()]
    if await session.write(update(traces).where(traces.c.trace_id == trace_id, or_(*others)).values(values)):
        await ledger.log_trace(session, trace_id)


async def add_version(session: WriteSession, values: dict[str, object]) -> None:
    """Insert an immutable version."""
    await session.write(insert(trace_versions).values(values))
    await ledger.log_version(session, str(values["trace_id"]), str(values["version_id"]))


async def keep_commands(
    session: WriteSession, tenant_id: str, trace_id: str, version_id: str, keys: Iterable[str]
) -> None:
    """Keep what the commands of a version are looked up by, in the place of what was kept before."""
    place = {"trace_id": trace_id, "version_id": version_id}
    mine = and_(*(trace_commands.c[name] == value for name, value in place.items()))
    await session.write(delete(trace_commands).where(mine))
    rows = [{**place, "tenant_id": tenant_id, "command_key": key} for key in keys]
    await session.write(insert(trace_commands), rows)


async def share_versions(session: WriteSession, trace_id: str, visibility: str) -> None:
    """Keep the audience of the versions in step with their trace's."""
    await session.write(
        update(trace_versions).where(trace_versions.c.trace_id == trace_id).values(visibility=visibility)
    )


async def find_version(session: ReadSession, trace_id: str, version_id: str) -> Row[Any] | None:
    """One version of a trace that the caller may see."""
    return await session.first(_versions(trace_id).where(trace_versions.c.version_id == version_id))


async def versions(session: ReadSession, trace_id: str) -> Sequence[Row[Any]]:
    """Every version of a trace, newest first."""
    return await session.all(_versions(trace_id).order_by(trace_versions.c.number.desc()))


async def some_versions(session: ReadSession, trace_id: str, asked: Asked) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the versions of a trace, newest first."""
    order = Order("versions", Key("number", trace_versions.c.number, descending=True))
    return await order.read(session, _versions(trace_id), asked)


def _versions(trace_id: str) -> Select[Any]:
    return (
        select(
            trace_versions,
            contributors.c.name.label("contributor_name"),
            contributors.c.tenant_id.label("author_tenant_id"),
        )
        .join(contributors, contributors.c.contributor_id == trace_versions.c.contributor_id)
        .where(trace_versions.c.trace_id == trace_id)
    )


async def describe(
    session: WriteSession,
    row: Any,
    content: TraceContent,
    fingerprints: Iterable[str],
    fingerprint_version: str,
) -> None:
    """Write what a served version is found by beside its words: tags and fingerprints."""
    await session.write(delete(trace_tags).where(trace_tags.c.trace_id == row.trace_id))
    await session.write(delete(trace_errors).where(trace_errors.c.trace_id == row.trace_id))
    shared = {"trace_id": row.trace_id, "tenant_id": row.tenant_id}
    await session.write(insert(trace_tags), [{**shared, "tag": tag} for tag in content.tags])
    await session.write(
        insert(trace_errors),
        [
            {**shared, "fingerprint": key, "fingerprint_version": fingerprint_version}
            for key in dict.fromkeys(fingerprints)
        ],
    )


async def links_of(session: ReadSession, trace_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """The links that leave these traces."""
    return await session.all(
        select(trace_links)
        .where(trace_links.c.trace_id.in_(trace_ids))
        .order_by(trace_links.c.kind, trace_links.c.target)
    )


async def add_link(session: WriteSession, values: dict[str, object]) -> None:
    """Add a link; one that is there stays."""
    there = await session.first(
        select(trace_links.c.trace_id).where(
            *(trace_links.c[name] == values[name] for name in ("trace_id", "kind", "target"))
        )
    )
    if there is None:
        await session.write(insert(trace_links).values(created_at=datetime.now(UTC), **values))


async def remove_link(session: WriteSession, trace_id: str, kind: str, target: str) -> int:
    """Remove a link; returns 0 where there was none."""
    return await session.write(
        delete(trace_links).where(
            trace_links.c.trace_id == trace_id, trace_links.c.kind == kind, trace_links.c.target == target
        )
    )


async def open_amendments(session: ReadSession, trace_ids: Sequence[str]) -> dict[str, int]:
    """How many amendments wait for a decision, by trace."""
    statement = (
        select(amendments.c.trace_id, func.count().label("waiting"))
        .where(amendments.c.trace_id.in_(trace_ids), amendments.c.status == "open")
        .group_by(amendments.c.trace_id)
    )
    return {row.trace_id: row.waiting for row in await session.all(statement)}


async def standing_flags(session: ReadSession, trace_ids: Sequence[str]) -> dict[str, int]:
    """How many flags stand, by trace."""
    statement = (
        select(flags.c.trace_id, func.count().label("standing"))
        .where(flags.c.trace_id.in_(trace_ids), flags.c.undone_at.is_(None))
        .group_by(flags.c.trace_id)
    )
    return {row.trace_id: row.standing for row in await session.all(statement)}


async def tag_counts(
    session: ReadSession, caller: Caller, prefix: str, asked: Asked
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the tags of visible active traces with how many carry them, most used first."""
    counted = (
        select(trace_tags.c.tag, func.count().label("traces"))
        .join(traces, traces.c.trace_id == trace_tags.c.trace_id)
        .where(
            visible_to(caller),
            traces.c.state == "active",
            trace_tags.c.tag.startswith(prefix, autoescape=True),
        )
        .group_by(trace_tags.c.tag)
        .subquery()
    )
    order = Order("trace tags", Key("traces", counted.c.traces, descending=True), Key("tag", counted.c.tag))
    return await order.read(session, select(counted), asked)


async def unreceived(session: ReadSession, caller: Caller, shown: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the shown (trace, version) pairs that this caller has no receipt for yet."""
    if not shown:
        return []
    named = {"contributor": caller.contributor_id, "traces": [trace_id for trace_id, _ in shown]}
    known = {(row.trace_id, row.version_id) for row in await session.all(_RECEIVED, named)}
    return [pair for pair in dict.fromkeys(shown) if pair not in known]


async def add_receipts(session: WriteSession, caller: Caller, shown: Sequence[tuple[str, str]]) -> None:
    """Keep that this caller was shown these versions; what is kept already stays as it is."""
    now = datetime.now(UTC)
    await session.write(
        insert_missing(receipts),
        [
            {
                "contributor_id": caller.contributor_id,
                "trace_id": trace_id,
                "version_id": version_id,
                "tenant_id": caller.tenant_id,
                "shown_at": now,
            }
            for trace_id, version_id in shown
        ],
    )


async def newest_receipt(session: ReadSession, caller: Caller, trace_id: str) -> str | None:
    """The newest version of a trace that this caller was shown."""
    statement = (
        select(receipts.c.version_id)
        .join(
            trace_versions,
            and_(
                trace_versions.c.trace_id == receipts.c.trace_id,
                trace_versions.c.version_id == receipts.c.version_id,
            ),
        )
        .where(receipts.c.contributor_id == caller.contributor_id, receipts.c.trace_id == trace_id)
        .order_by(trace_versions.c.number.desc())
        .limit(1)
    )
    version_id: str | None = await session.scalar(statement)
    return version_id


async def has_receipt(session: ReadSession, caller: Caller, trace_id: str, version_id: str) -> bool:
    """Whether this caller was shown this version."""
    return not await unreceived(session, caller, [(trace_id, version_id)])

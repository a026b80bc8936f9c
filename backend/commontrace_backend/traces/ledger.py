"""What of traces goes into the log: whoever changes a row says so here, in the same transaction.

The facts of a row are made from the row as it stands, so that `auditing` can make them again and compare.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, select, true, update

from commontrace.models.canonical import canonical
from commontrace_backend.database.session import WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.log.store import Leaf, append
from commontrace_backend.traces.tables import outcomes, tombstones, trace_versions, traces

Facts = dict[str, Any]
_DECIDED: Final = "its writer has decided already who may"
_CHANGED: Final = (
    update(traces).where(traces.c.trace_id == bindparam("trace")).values(changed_at_leaf=bindparam("leaf"))
)


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None


def _of_trace(row: Row[Any]) -> Facts:
    named = ("contributor_id", "version_id", "version_number", "visibility", "state", "tier")
    return {**{name: getattr(row, name) for name in named}, "title": digest(row.title), "at": _time(row.created_at)}


def _of_version(row: Row[Any]) -> Facts:
    named = ("version_id", "number", "parent_version_id", "inherits_from", "contributor_id", "scanner_version")
    seen = [row.redactions, row.hidden, row.labels, row.lint, row.risks, row.leaks]
    return {**{name: getattr(row, name) for name in named}, "seen": digest(seen), "at": _time(row.created_at)}


def _of_outcome(row: Row[Any]) -> Facts:
    named = ("version_id", "contributor_id", "outcome", "self_report", "lineage_id", "discounted")
    said = {"note": digest(row.note), "evidence": digest(row.evidence)}
    return {**{name: getattr(row, name) for name in named}, **said, "at": _time(row.updated_at)}


def _of_tombstone(row: Row[Any]) -> Facts:
    named = ("tombstone_id", "contributor_id", "state_before", "restored_by")
    times = {"at": _time(row.created_at), "restored_at": _time(row.restored_at)}
    return {**{name: getattr(row, name) for name in named}, "reason": digest(row.reason), **times}


FACTS: Final[Mapping[str, Callable[[Row[Any]], Facts]]] = {
    "trace": _of_trace,
    "version": _of_version,
    "outcome": _of_outcome,
    "tombstone": _of_tombstone,
}
"""What is logged of a row, by kind."""


TABLES: Final[Mapping[str, Table]] = {
    "trace": traces,
    "version": trace_versions,
    "outcome": outcomes,
    "tombstone": tombstones,
}
"""Where the rows of each kind are."""


def leaf_of(kind: str, row: Row[Any]) -> Leaf:
    """A row as it is logged."""
    return Leaf(row.tenant_id, kind, row.trace_id, subject_of(kind, row), FACTS[kind](row))


def subject_of(kind: str, row: Row[Any]) -> str:
    """What of a trace a row is about: empty for the trace itself."""
    if kind == "outcome":
        return f"{row.version_id}/{row.contributor_id}"
    named = {"version": "version_id", "tombstone": "tombstone_id"}.get(kind)
    return str(getattr(row, named)) if named else ""


async def log_trace(session: WriteSession, trace_id: str) -> None:
    """Log who may see a trace, what it serves and how far it is proven."""
    await _log(session, "trace", select(traces).where(traces.c.trace_id == trace_id))


async def log_version(session: WriteSession, trace_id: str, version_id: str) -> None:
    """Log a version, when it is made and when scanners see something else in it."""
    same = (trace_versions.c.trace_id == trace_id, trace_versions.c.version_id == version_id)
    await _log(session, "version", select(trace_versions).where(*same))


async def log_outcome(session: WriteSession, key: Mapping[str, str]) -> None:
    """Log an outcome, when it is reported and when it is changed."""
    await _log(session, "outcome", select(outcomes).where(*(outcomes.c[name] == value for name, value in key.items())))


async def log_tombstone(session: WriteSession, tombstone_id: str) -> None:
    """Log a removal, and that it was taken back."""
    await _log(session, "tombstone", select(tombstones).where(tombstones.c.tombstone_id == tombstone_id))


async def log_all(session: WriteSession, kinds: Iterable[str], trace_id: str | None = None) -> None:
    """Log the rows of some kinds as they stand, of one trace or of all."""
    for kind in kinds:
        table = TABLES[kind]
        chosen: ColumnElement[bool] = true() if trace_id is None else table.c.trace_id == trace_id
        statement = select(table).where(chosen).order_by(*table.primary_key.columns)
        for row in await session.all(across(statement, _DECIDED)):
            await _append(session, kind, row)


async def _log(session: WriteSession, kind: str, statement: Select[Any]) -> None:
    row = await session.first(across(statement, _DECIDED))
    assert row is not None
    await _append(session, kind, row)


async def _append(session: WriteSession, kind: str, row: Row[Any]) -> None:
    index = await append(session, leaf_of(kind, row))
    if kind in {"trace", "version"}:
        await session.write(_CHANGED, {"trace": row.trace_id, "leaf": index})

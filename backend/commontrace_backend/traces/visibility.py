"""Which traces a caller may see: the one predicate that every query of traces goes through."""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select

from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.traces.tables import of_served_version, trace_versions, traces

LIVE: Final = traces.c.state.in_(("active", "pending"))
"""Served to the audience it has; a pending one waits for a wider one."""


# Built once a caller: to build such a statement costs more than to run it.
@lru_cache(maxsize=256)
def in_audience(caller: Caller) -> ColumnElement[bool]:
    """One's own, the team's within the organization, and what is public, removed or not: for ids, never for words."""
    mine = traces.c.contributor_id == caller.contributor_id
    # Whoever approves a trace must see it.
    reviewed = [traces.c.state == "pending"] if "admin" in caller.scopes else []
    return or_(
        traces.c.visibility == "public",
        and_(traces.c.tenant_id == caller.tenant_id, or_(traces.c.visibility == "team", mine, *reviewed)),
    )


@lru_cache(maxsize=256)
def visible_to(caller: Caller) -> ColumnElement[bool]:
    """What the caller is in the audience of; removed traces only to those who may restore."""
    mine = traces.c.contributor_id == caller.contributor_id
    audience = in_audience(caller)
    present = traces.c.state.in_(("active", "pending", "superseded"))
    restorable = mine if "admin" not in caller.scopes else traces.c.tenant_id == caller.tenant_id
    return and_(audience, or_(present, restorable))


def found_by(caller: Caller) -> ColumnElement[bool]:
    """Those of the visible traces that a search may show: what waits for approval is no answer for its reviewers."""
    mine = traces.c.contributor_id == caller.contributor_id
    served = or_(traces.c.state == "active", and_(LIVE, or_(traces.c.visibility != "private", mine)))
    return and_(visible_to(caller), served)


@lru_cache(maxsize=256)
def visible_traces(caller: Caller) -> Select[Any]:
    """The traces a caller may see, each with its served version and its contributor's name."""
    return (
        select(
            traces,
            trace_versions.c.content,
            trace_versions.c.labels,
            trace_versions.c.risks,
            trace_versions.c.inherits_from,
            contributors.c.name.label("contributor_name"),
        )
        .join(
            trace_versions,
            of_served_version,
        )
        .join(contributors, contributors.c.contributor_id == traces.c.contributor_id)
        .where(visible_to(caller))
    )

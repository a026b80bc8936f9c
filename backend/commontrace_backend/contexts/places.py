"""Where a request points: the repository, the branch, and the commit that an expression names."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import AmbiguousRefError, ConflictError, NotFoundError
from commontrace.moments import parse_moment
from commontrace_backend.contexts import bundle_store, store
from commontrace_backend.contexts.refs import RefExpression, parse
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

FULL_ID: Final = 64
SHORT: Final = 10
_SHORTEST_PREFIX: Final = 4
_LOOK_BACK: Final = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, the branch that the caller's working copy is on, and where that branch points.

    Attributes:
        id: the repository's id.
        tenant_id: the organization that it belongs to.
        name: what the caller calls it.
        branch: the branch that HEAD is on.
        tip: the commit that the branch points to, as far as a next one needs it; None for an unborn branch.
        is_foreign: whether somebody else shares it.
    """

    id: int
    tenant_id: str
    name: str
    branch: str
    tip: Row[Any] | None
    is_foreign: bool

    @property
    def head(self) -> str | None:
        """The id of the commit that the branch points to."""
        return self.tip.commit_id if self.tip else None

    @property
    def key(self) -> dict[str, Any]:
        """What every row of this repository begins with."""
        return {"repository_id": self.id, "tenant_id": self.tenant_id}


async def open_place(session: ReadSession, caller: Caller, name: str) -> Place:
    """An existing repository; raises NotFoundError for a foreign one as for a missing one."""
    row = await store.find_place(session, caller, name)
    if row is None:
        raise NotFoundError(f"There is no context {name}.", "It is created by its first commit.")
    return Place(row.repository_id, row.tenant_id, name, row.branch, row if row.commit_id else None, row.is_foreign)


async def make_place(session: WriteSession, caller: Caller, name: str, leads_on: Collection[str] = ()) -> Place:
    """A repository to write to, created if the name is new.

    Args:
        session: the transaction.
        caller: who writes.
        name: the repository.
        leads_on: commits that what is written leads on from: one that is there was read there, for nobody guesses ids.

    Raises:
        ConflictError: it is one that somebody shares, and the caller has neither gone there nor leads on from what is
            there: words for oneself would end up before everybody for a name alone.
    """
    try:
        place = await open_place(session, caller, name)
    except NotFoundError:
        values = {
            "tenant_id": caller.tenant_id,
            "contributor_id": caller.contributor_id,
            "visibility": "private",
            "name": name,
            "created_at": datetime.now(UTC),
        }
        await store.add_repository(session, values)
        return await open_place(session, caller, name)
    meant = not place.is_foreign or await store.has_head(session, place.id, caller)
    if not meant and not await bundle_store.find_commits(session, place.id, leads_on):
        raise ConflictError(
            f"The context {name} is shared by somebody else: your organization would see what you write to it.",
            f"To go on there, pull it or switch to its branch {place.branch} first; or choose another name.",
        )
    return place


async def tip(session: ReadSession, place: Place, branch: str) -> str | None:
    """Where a branch points; None for an unborn one."""
    return place.head if branch == place.branch else await store.find_ref(session, place.id, "branch", branch)


async def resolve(session: ReadSession, place: Place, text: str) -> str:
    """The commit that a ref expression names.

    Raises:
        NotFoundError: nothing by that name; the hint lists names that are close.
        AmbiguousRefError: a prefix that several commits begin with.
    """
    wanted = parse(text)
    if wanted.moment is not None:
        commit_id = await _at_moment(session, place, wanted, wanted.moment)
    else:
        commit_id = await (_base(session, place, wanted) if wanted.back is None else _earlier(session, place, wanted))
    return await _up(session, place, commit_id, wanted.steps) if wanted.steps else commit_id


async def _up(session: ReadSession, place: Place, commit_id: str, steps: int) -> str:
    """The ancestor so many first parents up."""
    left = steps
    async for row, commit in walk(session, place.id, [commit_id]):
        if row.commit_id == commit_id:
            if not left:
                return commit_id
            if commit.parents:
                commit_id, left = commit.parents[0], left - 1
    raise NotFoundError(f"The history does not go back {steps} commits from there.", "See the log.")


async def _base(session: ReadSession, place: Place, wanted: RefExpression) -> str:
    if wanted.base == "HEAD":
        if place.head is None:
            raise NotFoundError(f"The branch {place.branch} has no commit yet.", "Commit something first.")
        return place.head
    for kind in ("branch", "tag", "remote"):
        if named := await store.find_ref(session, place.id, kind, wanted.base):
            return named
    return await _by_prefix(session, place, wanted.base)


async def _by_prefix(session: ReadSession, place: Place, text: str) -> str:
    prefix = text.lower()
    found = []
    if _SHORTEST_PREFIX <= len(prefix) <= FULL_ID and not prefix.strip("0123456789abcdef"):
        found = await store.commits_with_prefix(session, place.id, prefix)
    if len(found) > 1:
        raise AmbiguousRefError(
            f"{text} is the beginning of several commits.", "Give more digits.", {"candidates": found}
        )
    if not found:
        names = [row.name for row in await store.all_refs(session, place.id) if row.kind != "label"]
        close = get_close_matches(text, names, n=3) or names[:5]
        raise NotFoundError(
            f"There is no branch, tag or commit {text}.", f"There is {', '.join(close)}." if close else "See the log."
        )
    return found[0]


async def _earlier(session: ReadSession, place: Place, wanted: RefExpression) -> str:
    """`branch@{n}`: where the branch pointed n moves ago, by the operation log."""
    branch = place.branch if wanted.base == "HEAD" else wanted.base
    key = f"branch/{branch}"
    values: list[str | None] = [await tip(session, place, branch)]
    for row in await store.latest_operations(session, place.id, _LOOK_BACK):
        values += [change["before"] for change in row.changes if change["ref"] == key]
    assert wanted.back is not None
    found = values[wanted.back] if wanted.back < len(values) else None
    if found is None:
        raise NotFoundError(f"The history of {branch} does not go back {wanted.back} moves.", "See the operation log.")
    if await store.find_commit(session, place.id, found) is None:
        raise NotFoundError(f"The commit {found[:SHORT]}, where {branch} was then, was collected.", "See the log.")
    return found


async def _at_moment(session: ReadSession, place: Place, wanted: RefExpression, text: str) -> str:
    """`branch@{2 hours ago}`: where the branch pointed then, by the operation log; of a day, at its end."""
    branch = place.branch if wanted.base == "HEAD" else wanted.base
    moment = parse_moment(text, datetime.now(UTC), end=True)
    value = await tip(session, place, branch)
    for row in await store.operations_after(session, place.id, moment):
        for change in reversed(row.changes):
            value = change["before"] if change["ref"] == f"branch/{branch}" else value
    if value is None:
        raise NotFoundError(f"{branch} was not there at {moment:%Y-%m-%d %H:%M} UTC.", "See the operation log.")
    return value

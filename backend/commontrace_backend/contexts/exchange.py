"""A repository that has copies elsewhere: what is here, parts of it on their way, and refs that move last."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from commontrace.bundles import BundleWriter
from commontrace.errors import ConflictError, NotFoundError
from commontrace.models.contexts import Ancestry, KnownCommits, MovedRefs, MoveRefs, RefMove, WantedObjects
from commontrace_backend.contexts import audit_store, bundle_store, store
from commontrace_backend.contexts.exporting import Lines, objects
from commontrace_backend.contexts.importing import leads
from commontrace_backend.contexts.places import Place, make_place, open_place
from commontrace_backend.contexts.recording import change, perform
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

TRACKING = "remote"
"""The kind of refs that say where branches of a remote were when they were last seen, as in `origin/main`."""


async def refs_of(session: ReadSession, place: Place) -> dict[str, str]:
    """Branches, tags, and where those of remotes were last seen, as in `branch/main`."""
    rows = await store.all_refs(session, place.id)
    return {f"{row.kind}/{row.name}": row.commit_id for row in rows if row.kind != "label"}


async def ancestry(
    session: ReadSession, caller: Caller, name: str, wanted: Sequence[str], skip: int, limit: int
) -> Ancestry:
    """Commits that lead to branches and tags (all, unless named), children before parents.

    Raises:
        NotFoundError: no such context, branch or tag.
    """
    place = await open_place(session, caller, name)
    there = await refs_of(session, place)
    chosen = {ref: _named(there, ref) for ref in wanted} if wanted else _own(there)
    refs = {ref: there[ref] for ref in chosen.values()}
    commits, number = [], 0
    async for row, _ in walk(session, place.id, set(refs.values())):
        number += 1
        if number > skip:
            commits.append(row.commit_id)
        if len(commits) == limit:
            return Ancestry(refs=refs, commits=commits, next_skip=number)
    return Ancestry(refs=refs, commits=commits)


def _own(there: dict[str, str]) -> dict[str, str]:
    return {ref: ref for ref in there if not ref.startswith(f"{TRACKING}/")}


def _named(there: dict[str, str], name: str) -> str:
    for ref in (f"branch/{name}", f"tag/{name}"):
        if ref in there:
            return ref
    raise NotFoundError(f"There is no branch or tag {name}.", "See trace branch and trace tag.")


async def known(session: ReadSession, caller: Caller, name: str, wanted: Sequence[str]) -> KnownCommits:
    """Those of some commits that are here, and where branches and tags point; raises NotFoundError."""
    place = await open_place(session, caller, name)
    found = await bundle_store.find_commits(session, place.id, wanted)
    return KnownCommits(commits=[one for one in wanted if one in found], refs=await refs_of(session, place))


async def send(session: ReadSession, caller: Caller, name: str, wanted: WantedObjects) -> AsyncIterator[bytes]:
    """A bundle of commits and the messages that they name, without refs.

    Raises:
        NotFoundError: no such context, or a commit that is not here.
    """
    place = await open_place(session, caller, name)
    found = await bundle_store.find_commits(session, place.id, wanted.commits)
    lacking = [one for one in wanted.commits if one not in found]
    if lacking:
        raise NotFoundError(f"There is no commit {lacking[0][:10]} in {name}.", "Ask anew which there are.")
    purges = await audit_store.purges(session, place.id)
    writer = BundleWriter()
    parents = await bundle_store.parents_of(session, place.id, wanted.commits)
    yield writer.header(name, parents - set(wanted.commits), purges=bool(purges))
    async for line in objects(session, place, wanted.commits, Lines(writer, purges)):
        yield line
    yield writer.trailer()


async def move(session: WriteSession, caller: Caller, name: str, wanted: MoveRefs) -> MovedRefs:
    """Move refs from exactly where the caller saw them; commits must be here already.

    Raises:
        NotFoundError: a commit is not here.
        RefMovedError: a ref is not where it was seen.
        ConflictError: a branch would not lead on from where it was, or a tag would move, and no force was meant.
    """
    place = await make_place(session, caller, name, [one.after for one in wanted.moves if one.after])
    moves = [one for one in wanted.moves if one.before != one.after]
    for one in moves:
        await _check(session, place, one, force=wanted.force)
    changes = [change(one.ref, one.before, one.after) for one in moves if not one.ref.startswith(f"{TRACKING}/")]
    for one in moves:
        if one.ref.startswith(f"{TRACKING}/"):  # what was seen elsewhere: nothing that anybody would undo
            await store.move_ref(session, place.key, caller, (TRACKING, one.ref.partition("/")[2]), _moved(one))
    if changes:
        await perform(
            session, caller, place, Entry("push", f"moved {', '.join(one['ref'] for one in changes)}", changes)
        )
    return MovedRefs(moves=moves)


def _moved(one: RefMove) -> dict[str, Any]:
    return {"before": one.before, "after": one.after}


async def _check(session: ReadSession, place: Place, wanted: RefMove, *, force: bool) -> None:
    kind, _, called = wanted.ref.partition("/")
    check_name(called)
    if wanted.after is None:
        return
    if await store.find_commit(session, place.id, wanted.after) is None:
        raise NotFoundError(f"There is no commit {wanted.after[:10]} here.", "Send it first.")
    if force or kind == TRACKING or wanted.before is None:
        return
    if kind == "tag" or not await leads(session, place, wanted.before, wanted.after):
        raise ConflictError(
            f"The {kind} {called} is at {wanted.before[:10]} there, and {wanted.after[:10]} does not lead on from it.",
            "trace pull first, then push again; or --force-with-lease, which takes that away.",
        )

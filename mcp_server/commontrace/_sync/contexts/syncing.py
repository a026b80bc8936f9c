"""Pushing and fetching a repository: objects first and in small parts, refs last, so that it may stop anywhere."""

from collections.abc import Collection, Sequence

from commontrace._sync.connecting import connected
from commontrace._sync.contexts.copies import Copies
from commontrace._transport import is_remote
from commontrace.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from commontrace.models.contexts import (
    MOST_MOVES,
    MOST_OBJECTS,
    BranchInfo,
    BundleResult,
    ContextPreview,
    ContextTransfer,
    KnownCommits,
    MergeResult,
    NewMerge,
    RefMove,
)
from commontrace.previews import previews, refuse_refs, refuse_secrets
from commontrace.remotes.memory import KEEP_IT, memory_of
from commontrace.remotes.registry import Registry, Remote
from commontrace.settings import default_remotes

_NOTHING = KnownCommits(commits=[], refs={})


class Syncing(Copies):
    """Syncing."""

    def push(
        self,
        remote: str = "",
        *branches: str,
        force_with_lease: bool = False,
        transcripts: bool = False,
        later: bool = False,
    ) -> ContextTransfer:
        """Send branches and tags (this one, unless named) with what a remote has not of their history.

        Objects go first, in small parts, and branches move last and all at once: a push that was interrupted shows
        nothing there, and the next one goes on where it stopped.

        Args:
            remote: where to.
            *branches: which.
            force_with_lease: also where the branch there does not lead on, if it still is where it was last seen.
            transcripts: also commits that were taken from an agent's transcript; look at `push_preview` first.
            later: keep it in the outbox where the remote does not answer, for `client.remotes.sync` to deliver.

        Raises:
            ConflictError: the branch there has commits that are not here; pull first.
            InvalidInputError: a message holds a secret, or a transcript would go unasked; nothing was sent.
            UnavailableError: the remote does not answer, and `later` was not said.
        """
        found = Registry(default_remotes()).get(remote)
        names = list(branches) or [self._current()]
        try:
            with connected(found) as client:
                sending = _Sending(self, found, client.contexts.open(self.name), names)
                return sending.push(lease=force_with_lease, transcripts=transcripts)
        except UnavailableError as error:
            if not later:
                raise UnavailableError(error.detail, KEEP_IT.format("trace push --later")) from error
            if force_with_lease:
                raise
            said = {"repository": self.name, "branches": names, "transcripts": transcripts}
            memory_of(self._http.url).keep(found.name, "context", f"{self.name}: {', '.join(names)}", said)
            return ContextTransfer(repository=self.name, remote=found.name, waits=error.detail)

    def push_preview(self, remote: str = "", *branches: str, show: bool = False) -> ContextTransfer:
        """What `push` would send, commit by commit; with `show` every message, word for word."""
        found = Registry(default_remotes()).get(remote)
        names = list(branches) or [self._current()]
        with connected(found) as client:
            return _Sending(self, found, client.contexts.open(self.name), names).preview(show=show)

    def fetch(self, remote: str = "", *branches: str, prune: bool = False) -> ContextTransfer:
        """Bring in what is new of a remote's branches and tags (all, unless named); `origin/main` is its `main` then.

        Args:
            remote: where from.
            *branches: which.
            prune: forget where branches were seen that are not there any more.

        Raises:
            NotFoundError: no such remote, or no such context or branch there.
        """
        found = Registry(default_remotes()).get(remote)
        with connected(found) as client:
            there = client.contexts.open(self.name)
            done = _fetched(self, found, there, branches)
            gone = _forgotten(self, found.name, there) if prune else []
        return done.model_copy(update={"moved": [*done.moved, *gone]})

    def pull(self, remote: str = "", branch: str = "") -> ContextTransfer:
        """Fetch a branch and merge it into the one that HEAD is on; what contradicts is stored as a conflict."""
        name = branch or self._current()
        fetched = self.fetch(remote, name)
        here = next((one for one in self._branches() if one.current), None)
        if here is None or here.commit_id is None:
            after = (self.which([])).refs.get(f"remote/{fetched.remote}/{name}")
            if after is None:
                raise NotFoundError(f"{fetched.remote} has no branch {name}.", "Name one; a tag cannot be merged into.")
            wanted = RefMove(ref=f"branch/{here.name if here else name}", after=after)
            self.move_refs([wanted])
            return fetched.model_copy(update={"merged": "fast forward", "branch": here.name if here else name})
        body = NewMerge.of(source=f"{fetched.remote}/{name}", message=f"Merge {fetched.remote}/{name}")
        done = self._write("merge", "merge", MergeResult, body)
        return fetched.model_copy(
            update={"merged": done.kind.replace("_", " "), "branch": done.branch, "conflicts": len(done.conflicts)}
        )

    def _branches(self) -> list[BranchInfo]:
        return self._list("branches", "branches", BranchInfo)

    def _current(self) -> str:
        """The branch that HEAD is on; `main` where the repository is not here yet."""
        try:
            return next((one.name for one in self._branches() if one.current), "main")
        except NotFoundError:
            return "main"


class _Sending:
    """One push: what is missing there, what it is, and its way."""

    def __init__(self, here: Copies, remote: Remote, there: Copies, names: Sequence[str]) -> None:
        self._here, self._remote, self._there, self._names = here, remote, there, names
        self._tips: dict[str, str] = {}
        self._refs: dict[str, str] = {}
        self._missing: list[str] = []

    def preview(self, *, show: bool) -> ContextTransfer:
        """What would go."""
        self._look()
        told = self._previews(show=show)
        moves = self._moves()
        return self._said(told, moves).model_copy(update={"dry_run": True, "preview": told})

    def push(self, *, lease: bool, transcripts: bool) -> ContextTransfer:
        """Send it."""
        self._look()
        moves = self._moves()
        (self._check_lease(moves) if lease else self._check_known(moves))
        told = self._previews(show=False)
        captured = sum(one.captured for one in told)
        if captured and not transcripts:
            raise InvalidInputError(
                f"{captured} of these commits were taken from an agent's transcript. Nothing was sent.",
                "Look at them with trace push --dry-run --show, then push with --transcripts.",
            )
        for chunk in self._chunks():
            self._there._write("push", "bundle", BundleResult, self._here.objects(chunk))  # noqa: SLF001 - one class
        if moves:
            self._there.move_refs(moves, force=lease)
        _track(self._here, self._remote.name, self._tips)
        return self._said(told, moves)

    def _look(self) -> None:
        """Which commits lead to the branches, and which of them are not there."""
        self._tips = (self._here.ancestry(self._names, limit=1)).refs
        tips = {*self._tips.values()}
        known = self._known(tips)
        self._refs = known.refs
        skip = None if tips.issubset(known.commits) else 0
        seen: set[str] = set()
        while skip is not None:
            page = self._here.ancestry(self._names, skip=skip)
            skip = page.next_skip
            seen.update(page.commits)
            there = {*(self._known(page.commits)).commits}
            new = [one for one in page.commits if one not in there]
            self._missing += new
            if not new and seen.issuperset(tips):
                break  # what leads to a commit is where that commit is
        self._missing.reverse()

    def _known(self, commits: Collection[str]) -> KnownCommits:
        try:
            return self._there.which(list(commits))
        except NotFoundError:  # the context is not there yet
            return _NOTHING

    def _moves(self) -> list[RefMove]:
        moves = [RefMove(ref=ref, before=self._refs.get(ref), after=tip) for ref, tip in self._tips.items()]
        return [move for move in moves if move.before != move.after]

    def _check_known(self, moves: Sequence[RefMove]) -> None:
        """Raise ConflictError where a branch there has what does not lead to ours, before anything is sent."""
        for move in moves:
            name = move.ref.partition("/")[2]
            if move.before and not self._leads(move.before, name):
                raise ConflictError(
                    f"{name} at {self._remote.name} has commits that {name} here does not lead on from.",
                    "trace pull first, then push again; or --force-with-lease, which takes them out of it.",
                )

    def _leads(self, commit_id: str, name: str) -> bool:
        skip: int | None = 0
        while skip is not None:
            page = self._here.ancestry([name], skip=skip)
            if commit_id in page.commits:
                return True
            skip = page.next_skip
        return False

    def _check_lease(self, moves: Sequence[RefMove]) -> None:
        seen = (self._here.which([])).refs
        for move in moves:
            name = move.ref.partition("/")[2]
            if move.before != seen.get(f"remote/{self._remote.name}/{name}"):
                raise ConflictError(
                    f"{name} at {self._remote.name} is not where it was when you last looked.",
                    "trace fetch, look at what is new there, then push again.",
                )

    def _previews(self, *, show: bool) -> list[ContextPreview]:
        found: list[ContextPreview] = []
        for chunk in self._chunks():
            bundle = self._here.objects(chunk)
            if is_remote(self._remote.url):
                refuse_secrets(bundle)
            found += previews(bundle, show=show)
        return found

    def _chunks(self) -> list[list[str]]:
        return [self._missing[start : start + MOST_OBJECTS] for start in range(0, len(self._missing), MOST_OBJECTS)]

    def _said(self, told: Sequence[ContextPreview], moves: list[RefMove]) -> ContextTransfer:
        return ContextTransfer(
            repository=self._here.name,
            remote=self._remote.name,
            commits=len(told),
            bytes=sum(one.bytes for one in told),
            moved=moves,
        )


def _fetched(here: Copies, remote: Remote, there: Copies, branches: Sequence[str]) -> ContextTransfer:
    """Bring in what is not here, then say where the remote's branches are."""
    tips = (there.ancestry(branches, limit=1)).refs
    missing = _lacking(here, there, branches, {*tips.values()})
    size = 0
    for start in range(0, len(missing), MOST_OBJECTS):
        bundle = there.objects(missing[start : start + MOST_OBJECTS])
        size += len(bundle)
        refuse_refs(bundle)
        here._write("fetch", "bundle", BundleResult, bundle)  # noqa: SLF001 - one class
    moved = _track(here, remote.name, tips)
    return ContextTransfer(repository=here.name, remote=remote.name, commits=len(missing), bytes=size, moved=moved)


def _forgotten(here: Copies, remote: str, there: Copies) -> list[RefMove]:
    """Take away the refs of branches that the remote has no more."""
    found = (ref.partition("/") for ref in (there.which([])).refs)
    left = {f"remote/{remote}/{name}" for kind, _, name in found if kind == "branch"}
    known = _refs(here)
    moves = [
        RefMove(ref=ref, before=tip, after=None)
        for ref, tip in known.items()
        if ref.startswith(f"remote/{remote}/") and ref not in left
    ]
    _move_all(here, moves)
    return moves


def _refs(here: Copies) -> dict[str, str]:
    try:
        return (here.which([])).refs
    except NotFoundError:  # the context is not here yet
        return {}


def _move_all(here: Copies, moves: Sequence[RefMove]) -> None:
    for start in range(0, len(moves), MOST_MOVES):
        here.move_refs(moves[start : start + MOST_MOVES])


def _lacking(here: Copies, there: Copies, branches: Sequence[str], tips: set[str]) -> list[str]:
    """The commits that lead to the tips there and are not here, parents first."""
    skip = None if tips <= _held(here, tips) else 0
    missing: list[str] = []
    seen: set[str] = set()
    while skip is not None:
        page = there.ancestry(branches, skip=skip)
        skip = page.next_skip if page.commits else None
        seen.update(page.commits)
        held = _held(here, page.commits)
        new = [one for one in page.commits if one not in held]
        missing += new
        if not new and seen >= tips:
            break
    missing.reverse()
    return missing


def _held(here: Copies, commits: Collection[str]) -> set[str]:
    try:
        return {*(here.which(list(commits))).commits}
    except NotFoundError:
        return set()


def _track(here: Copies, remote: str, tips: dict[str, str]) -> list[RefMove]:
    """Write down where the branches of a remote are; a tag that is not here comes along under its own name."""
    known = _refs(here)
    moves = []
    for ref, tip in tips.items():
        kind, _, name = ref.partition("/")
        ours = f"remote/{remote}/{name}" if kind == "branch" else ref
        if known.get(ours) != tip and (kind == "branch" or (kind == "tag" and ours not in known)):
            moves.append(RefMove(ref=ours, before=known.get(ours), after=tip))
    _move_all(here, moves)
    return moves

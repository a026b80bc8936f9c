"""Remotes: other stores, what moves between them and this one, and questions to several at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commontrace._gathering import sync_gathered
from commontrace._sync.connecting import connected
from commontrace._sync.sides import FolderSide, Side, StoreSide
from commontrace._sync.transfers import Terms, Transfer
from commontrace.errors import (
    BY_CODE,
    CommonTraceError,
    ForbiddenError,
    InvalidInputError,
    NearDuplicateError,
    NotFoundError,
    NotShownError,
    TooLargeError,
    UnavailableError,
)
from commontrace.merging_answers import merged
from commontrace.models.search import Query, QueryAnswer
from commontrace.models.syncing import (
    Delivery,
    FederatedAnswer,
    OutboxItem,
    RemoteInfo,
    SyncReport,
    TransferItem,
    TransferReport,
    TravelVersion,
)
from commontrace.models.traces import ContributionResult, Evidence
from commontrace.models.votes import OutcomeKind, Vote, VoteResult
from commontrace.remotes.folder import Folder
from commontrace.remotes.memory import EVERYTHING, KEEP_IT, Memory, memory_of
from commontrace.remotes.registry import Registry, Remote
from commontrace.settings import default_remotes

if TYPE_CHECKING:
    from commontrace._sync.client import Client

_LEAST_TOKENS = 100
_FOR_GOOD = (InvalidInputError, ForbiddenError, NotFoundError, TooLargeError, NearDuplicateError, NotShownError)
"""What is refused with one of these is refused again however often it is sent."""


class Remotes:
    """Other stores, as remotes are in git: `client.remotes`. A remote is named; without a name it is `origin`.

    What is known of remotes lies in the user's folders, so every client of a user knows the same ones.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._registry = Registry(default_remotes())

    @property
    def _memory(self) -> Memory:
        return memory_of(self._client.url)

    def all(self) -> list[RemoteInfo]:
        """Every remote, by name; keys are not shown."""
        return [remote.info for remote in self._registry.all()]

    def add(self, name: str, url: str, key: str = "") -> RemoteInfo:
        """Add a remote: a server (https://…, with a key), a store (sqlite:///…) or a folder with one file a trace.

        A server that is one already, by that name and URL, takes the new key and stays what it is otherwise.

        Raises:
            InvalidInputError: a name or URL that cannot be one, or a key for what takes none.
            ConflictError: there is a remote of that name.
        """
        return self._registry.add(name, url, key).info

    def get(self, name: str = "") -> RemoteInfo:
        """A remote; raises NotFoundError."""
        return self._registry.get(name).info

    def remove(self, name: str) -> RemoteInfo:
        """Forget a remote, its key, and what this store knew of it; raises NotFoundError."""
        gone = self._registry.remove(name)
        self._memory.forget(gone.name)
        return gone.info

    def elsewhere(self, trace_id: str) -> dict[str, str]:
        """What a trace (by its whole id) is called at remotes that it went to or came from, by remote."""
        return self._memory.elsewhere(trace_id)

    def push(
        self, remote: str = "", trace_ids: Sequence[str] = (), *, later: bool = False, **options: Any
    ) -> TransferReport:
        """Send traces: those named, else your own that others may see here and that changed since the last push.

        Args:
            remote: where to.
            trace_ids: which; a private trace goes only where it is named.
            later: keep them in the outbox where the remote does not answer, for `sync` to deliver.
            **options: `visibility` (who may see them there; as here unless said), `insist` (although near-duplicates
                are known there), `dry_run` (say what would go, word for word), `shown` (ids of the versions that
                somebody looked at in a dry run: no others leave).

        Raises:
            NotFoundError: no such remote or trace.
            UnavailableError: the remote does not answer, and `later` was not said.
        """
        terms = Terms(**options)
        found = self._registry.get(remote)
        ids = [(self._client.traces.get(one)).trace_id for one in trace_ids]
        try:
            with self._transfer(found, "push", terms) as transfer:
                return transfer.named(ids) if ids else transfer.all()
        except UnavailableError as error:
            if not later:
                raise UnavailableError(error.detail, KEEP_IT.format("commontrace push --later --yes")) from error
            if terms.dry_run:
                raise
            for trace_id in ids or [EVERYTHING]:
                said = {"visibility": terms.visibility, "insist": terms.insist}
                self._memory.keep(found.name, "trace", trace_id, said)
            return TransferReport(remote=found.name, direction="push", problem=error.detail)

    def preview(self, remote: str, contribution: ContributionResult) -> TransferReport:
        """What a push would come to of a contribution that is not stored yet, as a dry run answered it.

        Raises:
            NotFoundError: no such remote.
            UnavailableError: it does not answer.
        """
        version = TravelVersion(version_id=contribution.version_id, content=contribution.content)
        delivery = Delivery.of(
            versions=[version],
            serves=version.version_id,
            visibility="private" if contribution.visibility == "private" else "team",
            dry_run=True,
        )
        found = self._registry.get(remote)
        with self._side(found) as there:
            result = (there.deliver_all([delivery]))[0]
        told: dict[str, Any] = {"trace_id": "", "title": contribution.content.title, "visibility": delivery.visibility}
        if isinstance(result, CommonTraceError):
            item = TransferItem(**told, action="failed", detail=result.detail, hint=result.hint)
        else:
            size = len(delivery.model_dump_json(exclude_defaults=True).encode())
            detail = " ".join(result.notes)
            item = TransferItem(**told, action=result.action, versions=[version], bytes=size, detail=detail)
        return TransferReport(remote=found.name, direction="push", dry_run=True, items=[item])

    def pull(self, remote: str = "", *, dry_run: bool = False) -> TransferReport:
        """Bring in what changed at a remote since the last pull. What is edited on both sides is kept side by side.

        Raises:
            NotFoundError: no such remote.
            UnavailableError: it does not answer.
        """
        with self._transfer(self._registry.get(remote), "pull", Terms(dry_run=dry_run)) as transfer:
            return transfer.all()

    def sync(self, remote: str = "") -> SyncReport:
        """Deliver what waits for a remote, pull, and push what changed of the traces that are there already.

        A trace that never went there is not sent: `push` does that, and shows it first. Where the remote does not
        answer, the report says so, and what waits goes on waiting.
        """
        found = self._registry.get(remote)
        delivered, pulled, pushed, problem = 0, None, None, ""
        try:
            delivered = self._deliver(found)
            pulled = self.pull(found.name)
            with self._transfer(found, "push", Terms(linked_only=True)) as transfer:
                pushed = transfer.all()
        except UnavailableError as error:
            problem = error.detail
        left = self.outbox(found.name)
        return SyncReport(
            remote=found.name,
            delivered=delivered,
            waiting=[item for item in left if not item.refused],
            refused=[item for item in left if item.refused],
            pull=pulled,
            push=pushed,
            problem=problem,
        )

    def vote(
        self, trace_id: str, outcome: OutcomeKind, note: str = "", *, remote: str = "", evidence: Evidence | None = None
    ) -> bool:
        """Report an outcome, as yourself, of a trace that came from a remote or went there.

        Returns:
            Whether it is there; else the outbox keeps it for `sync`.

        Raises:
            NotFoundError: the trace is not known to be at that remote.
        """
        found = self._registry.get(remote)
        trace = self._client.traces.get(trace_id)
        link = self._memory.links(found.name, [trace.trace_id]).get(trace.trace_id)
        if link is None or found.kind == "folder":
            raise NotFoundError(
                f"The trace {trace.trace_id[:10]} is not known to be at {found.name}, or nobody votes there.",
                f"commontrace pull {found.name} first.",
            )
        said = {"remote_id": link.remote_id, "outcome": outcome, "note": note}
        if evidence is not None:
            said["evidence"] = evidence.model_dump(mode="json")  # type: ignore[assignment] # beside the words
        self._memory.keep(found.name, "vote", trace.trace_id, said)
        try:
            self._deliver(found)
        except UnavailableError:
            return False
        for item in self.outbox(found.name):
            if (item.kind, item.subject) == ("vote", trace.trace_id):
                kept = f"is put aside as number {item.item_id}" if item.refused else "waits"
                raise InvalidInputError(item.problem, f"It {kept} in the outbox: commontrace remote show {found.name}")
        return True

    def vote_elsewhere(
        self, trace_id: str, vote: Vote, remotes: Sequence[str] | None = None, *, seconds: float = 2.0
    ) -> tuple[str, VoteResult]:
        """Report an outcome, as yourself, of a trace that only a remote has and that it showed you.

        Args:
            trace_id: what it is called there.
            vote: what happened.
            remotes: who may have it, asked one after the other; all but folders unless said.
            seconds: how long each may take.

        Returns:
            The remote that has it, and what became of the vote.

        Raises:
            NotFoundError: no remote of a name, or none has the trace.
            UnavailableError: one that may have it does not answer; nothing waits in the outbox.
        """
        late: list[str] = []
        for remote in self._asked_of(remotes):
            try:
                with connected(remote, seconds) as client:
                    return remote.name, client.traces.vote(trace_id, vote.outcome, vote.note, evidence=vote.evidence)
            except NotFoundError:
                continue
            except UnavailableError:
                late.append(remote.name)
        if late:
            raise UnavailableError(
                f"No trace {trace_id} here, and {', '.join(late)} does not answer.", "Vote again when it does."
            )
        raise NotFoundError(f"No trace {trace_id}, here or at a remote.", "Check the id, or search with query_traces.")

    def outbox(self, remote: str = "") -> list[OutboxItem]:
        """What waits for a remote, or for all, and what was refused and put aside, in the order it came."""
        return [item for item, _ in self._memory.outbox(remote or None)]

    def retry(self, *item_ids: int) -> list[OutboxItem]:
        """Let things of the outbox that were put aside wait again, for `sync` to deliver; raises NotFoundError."""
        chosen = self._in_outbox(item_ids)
        for item in chosen:
            self._memory.retry(item.item_id)
        return self._in_outbox(item_ids)

    def drop(self, *item_ids: int) -> list[OutboxItem]:
        """Give things of the outbox up, put aside or waiting: they are not sent; raises NotFoundError."""
        chosen = self._in_outbox(item_ids)
        for item in chosen:
            self._memory.drop(item)
        return chosen

    def _in_outbox(self, item_ids: Sequence[int]) -> list[OutboxItem]:
        there = {item.item_id: item for item in self.outbox()}
        for item_id in item_ids:
            if item_id not in there:
                raise NotFoundError(f"There is no number {item_id} in the outbox.", "See commontrace status.")
        return [there[item_id] for item_id in item_ids]

    def _deliver(self, remote: Remote) -> int:
        """Deliver what waits; what is refused stays, says why, and is put aside where it would be refused again."""
        done = 0
        for item, said in self._memory.outbox(remote.name):
            if item.refused:
                continue
            try:
                self._say(remote, item, said)
            except UnavailableError as error:
                self._memory.failed(item.item_id, error.detail, for_good=False)
                raise
            except CommonTraceError as error:
                self._memory.failed(item.item_id, str(error), for_good=isinstance(error, _FOR_GOOD))
                continue
            self._memory.delivered(item.item_id)
            done += 1
        return done

    def _say(self, remote: Remote, item: OutboxItem, said: dict[str, Any]) -> None:
        if item.kind == "trace":
            # What fails of everything is tried again with the next push of everything.
            ids = [] if item.subject == EVERYTHING else [item.subject]
            report = self.push(remote.name, ids, **said)
            for failed in report.items:
                if ids and failed.action == "failed":
                    raise BY_CODE[failed.code](failed.detail, failed.hint)
        elif item.kind == "vote":
            with connected(remote) as client:
                # Whoever votes was shown the trace: there it is shown now, and here it was before.
                client.traces.query(Query(ids=[said["remote_id"]]))
                evidence = Evidence.model_validate(said["evidence"]) if "evidence" in said else None
                client.traces.vote(said["remote_id"], said["outcome"], said["note"], evidence=evidence)
        else:
            repository = self._client.contexts.open(said["repository"])
            repository.push(remote.name, *said["branches"], transcripts=said["transcripts"])

    def query(
        self, query: str | Query, remotes: Sequence[str] | None = None, *, seconds: float = 2.0
    ) -> FederatedAnswer:
        """Ask this store and remotes at once; each version comes once, with the standing it has in each store.

        Args:
            query: what somebody needs to know; secrets are taken out before it leaves.
            remotes: which; all but folders unless said.
            seconds: how long remotes may take. One that is late or fails is left out, and `notes` says so.

        Raises:
            NotFoundError: no remote of a name.
        """
        wanted = query if isinstance(query, Query) else Query(query=query)
        servers = self._asked_of(remotes)
        shared = _shared(wanted, len(servers) + 1)
        calls = {one.name: partial(self._asked, one, shared, seconds) for one in servers}
        own, others = sync_gathered(partial(self._client.traces.query, shared), calls, seconds)
        return merged(own, {name: others.get(name) for name in calls}, wanted.limit, seconds)

    def _asked_of(self, names: Sequence[str] | None) -> list[Remote]:
        """The remotes that can be asked."""
        asked = self._registry.all() if names is None else [self._registry.get(name) for name in names]
        return [one for one in asked if one.kind != "folder"]

    def _asked(self, remote: Remote, wanted: Query, seconds: float) -> QueryAnswer:
        with connected(remote, seconds) as client:
            return client.traces.query(wanted)

    @contextmanager
    def _transfer(self, remote: Remote, direction: Any, terms: Terms) -> Iterator[Transfer]:
        with self._side(remote) as there:
            here = StoreSide(self._client)
            source, target = (here, there) if direction == "push" else (there, here)
            imports = direction == "pull" and "admin" in (self._client.contributors.me()).scopes
            yield Transfer(remote.name, direction, source, target, self._memory, terms, imports)

    @contextmanager
    def _side(self, remote: Remote) -> Iterator[Side]:
        if remote.kind == "folder":
            yield FolderSide(Folder(Path(remote.url)))
            return
        with connected(remote) as client:
            yield StoreSide(client)


def _shared(wanted: Query, stores: int) -> Query:
    """What each of several stores is asked, so that all of it together has the length that was asked for."""
    if wanted.max_tokens is None:
        return wanted
    return wanted.model_copy(update={"max_tokens": max(_LEAST_TOKENS, wanted.max_tokens // stores)})

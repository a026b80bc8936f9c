"""Whole histories in and out: bundles, transcripts of agents, and sessions that an agent opens again."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast
from uuid import NAMESPACE_URL, uuid5

from commontrace._async.contexts.bound import AsyncBound
from commontrace.bundles import written
from commontrace.models.contexts import (
    BranchInfo,
    BundleResult,
    ClaudeSession,
    CommitInfo,
    ExportFormat,
    LogPage,
    RepositoryInfo,
    TranscriptFormat,
    TranscriptResult,
    Window,
)
from commontrace.models.contributors import Contributor
from commontrace.transcripts.claude_session import session_lines
from commontrace.transcripts.commits import Earlier, Planned, plan
from commontrace.transcripts.entries import Transcript
from commontrace.transcripts.files import text_of_transcript
from commontrace.transcripts.reading import read


class AsyncInterchange(AsyncBound):
    """Interchange."""

    async def bundle(self, refs: Sequence[str] = (), *, since: Sequence[str] = ()) -> bytes:
        """Branches and tags (all, unless named) with their whole history, ids kept, as lines of JSON.

        Args:
            refs: branches and tags.
            since: what the other side has already: refs or commits of here. What leads to them is left out.
        """
        return await self._read("bundle", "bundle", bytes, refs=list(refs), since=list(since))

    async def import_bundle(self, bundle: bytes, *, prefix: str = "") -> BundleResult:
        """Store a bundle; branches are made or go forward. Importing it again changes nothing.

        Args:
            bundle: what `bundle` gave.
            prefix: put in front of the name of every branch and tag, as in `theirs`/main.

        Raises:
            InvalidInputError: something in it is missing or was changed; nothing was written.
            NewerSchemaError: only a newer CommonTrace can read it.
            ConflictError: a branch of that name leads elsewhere here, and no prefix was given.
        """
        return await self._write("import_bundle", "bundle", BundleResult, bundle, prefix=prefix)

    async def import_transcript(
        self,
        source: Path | str | Iterable[str],
        format: TranscriptFormat = "auto",  # noqa: A002 - the word for it
    ) -> TranscriptResult:
        """Commit what an agent wrote down: one commit a turn, a branch for each fork and each sub-agent.

        Secrets are taken out before anything is hashed. Importing a file again adds nothing, and what it has grown by
        since is added; a compaction covers what it summarised, which stays in the history. A branch on which somebody
        went on here stays as it is: the transcript goes on beside it.

        Args:
            source: a file (of Claude Code with its sub-agents' files beside it), or the lines of one.
            format: what wrote it; `auto` finds out.

        Raises:
            InvalidInputError: the file cannot be read, or holds no messages.
        """
        text = text_of_transcript(source)
        transcripts = read(text, format, {})
        heads = await self._heads({transcript.name for transcript in transcripts})
        earlier = await self._earlier(heads)
        known = {line: one.commit_id for one in earlier for lines in one.entries for line in lines}
        if known:
            transcripts = read(text, format, known)
        author = (await self._http.call("GET", "/api/v1/me", Contributor)).contributor_id
        plans = [plan(transcript, author, earlier, heads) for transcript in transcripts]
        bundle = _bundled(self.name, plans, {one.commit_id for one in earlier})
        stored = await self._write("import_transcript", "bundle", BundleResult, bundle)
        return _result(self.name, transcripts, plans, stored)

    async def _heads(self, names: set[str]) -> dict[str, str]:
        """Where the branches of earlier imports of transcripts of these names point."""
        repositories = await self._http.listed("/api/v1/contexts", RepositoryInfo)
        if self.name not in {repository.name for repository in repositories}:
            return {}
        return {
            branch.name: branch.commit_id
            for branch in await self._list("branches", "branches", BranchInfo)
            if branch.commit_id and any(f"{branch.name}/".startswith(f"{name}/") for name in names)
        }

    async def _earlier(self, heads: Mapping[str, str]) -> list[Earlier]:
        """Every commit on these branches."""
        found: dict[str, Earlier] = {}
        for branch in heads:
            ref: str | None = branch
            while ref:
                page = await self._read("log", "log", LogPage, ref=ref, limit=1000)
                for commit in page.commits:
                    found[commit.commit_id] = Earlier.of(commit.commit_id, commit.parents, commit.metadata)
                ref = page.next_ref
        return list(found.values())

    async def export(
        self,
        format: ExportFormat,  # noqa: A002 - the word for it
        ref: str | None = None,
    ) -> str:
        """A window in the shape of a provider, as a line for fine-tuning or as a session; or a bundle.

        Args:
            format: `messages`, `openai` and `anthropic` are JSON documents, `openai-jsonl` and `anthropic-jsonl` one
                line, `claude-code` a session file, `bundle` the history.
            ref: where; HEAD unless said, and for a bundle every branch and tag.
        """
        if format == "bundle":
            return (await self.bundle([ref] if ref else [])).decode()
        if format == "claude-code":
            return (await self.session(ref or "HEAD")).text
        shape = format.removesuffix("-jsonl")
        window = await self._read("window", "window", Window, ref=ref or "HEAD", format=shape)
        system = {"system": window.system} if window.system else {}
        document = {**system, "messages": window.messages or []}
        return json.dumps(document, ensure_ascii=False, indent=None if format.endswith("-jsonl") else 2) + "\n"

    async def session(
        self, ref: str = "HEAD", *, folder: Path | str = "/", session_id: str | None = None
    ) -> ClaudeSession:
        """A session of Claude Code that goes on from a ref: `claude --resume` opens it.

        Args:
            ref: any commit, of any branch.
            folder: the directory that the session belongs to.
            session_id: a UUID; without it one that follows from the commit.
        """
        window = await self._read("window", "window", Window, ref=ref, format="messages")
        commit = await self._read("get", f"commits/{window.commit_id}", CommitInfo)
        named = session_id or str(uuid5(NAMESPACE_URL, f"commontrace:{window.commit_id}"))
        text = session_lines(window.messages or [], named, str(folder), commit.created_at.isoformat())
        return ClaudeSession(session_id=named, commit_id=window.commit_id, messages=text.count("\n"), text=text)


def _bundled(repository: str, plans: Sequence[Planned], earlier: set[str]) -> bytes:
    blobs = {blob_id: encoded for planned in plans for blob_id, encoded in planned.blobs.items()}
    commits = {commit_id: commit for planned in plans for commit_id, commit in planned.commits}
    refs = {f"branch/{name}": commit_id for planned in plans for name, commit_id in planned.tips.items()}
    needed = {parent for commit in commits.values() for parent in commit.parents} | set(refs.values())
    used = {operation["blob"] for commit in commits.values() for operation in commit.operations}
    held = {blob_id: encoded for blob_id, encoded in blobs.items() if blob_id in used}
    return written(repository, held, commits.items(), refs, needed & earlier)


def _result(
    repository: str, transcripts: Sequence[Transcript], plans: Sequence[Planned], stored: BundleResult
) -> TranscriptResult:
    redactions: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for transcript, planned in zip(transcripts, plans, strict=True):
        redactions += planned.redactions
        left_out += transcript.left_out
    return TranscriptResult(
        repository=repository,
        format=cast("TranscriptFormat", transcripts[0].agent),
        branches=[branch for planned in plans for branch in planned.tips],
        commits=stored.commits,
        messages=sum(planned.messages for planned in plans) if stored.commits else 0,
        redactions=dict(redactions),
        left_out=dict(left_out),
        problems=[
            problem
            for transcript, planned in zip(transcripts, plans, strict=True)
            for problem in (*transcript.problems, *planned.problems)
        ],
    )

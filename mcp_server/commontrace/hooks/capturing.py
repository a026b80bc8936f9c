"""Keeps transcripts that wait in the spool, as contexts in a local store, and lets the oldest go."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commontrace._transport import is_remote
from commontrace.errors import CommonTraceError, InvalidInputError, NotFoundError
from commontrace.hooks.cold import spool_of
from commontrace.hooks.doors import store_of
from commontrace.hooks.journal import note
from commontrace.hooks.notes import Capture, Notes
from commontrace.project import default_repository

if TYPE_CHECKING:
    from commontrace import AsyncClient

_ABANDONED: Final = 600
"""Seconds after which what a server took up, and did not finish, is free again."""
_TAKEN: Final = ".taken"


async def keep_waiting(client: "AsyncClient", folder: str, limit: int) -> int:
    """Commit every transcript that waits; returns how many were kept.

    What fails for a reason that may pass waits on; what cannot be read is let go of, and the log says so. Nothing is
    sent to a server: what a run said leaves this machine only by an export that somebody looked at.

    Args:
        client: of a local store.
        folder: where the hooks keep what they remember.
        limit: bytes of transcripts that are kept; beyond it the oldest go.
    """
    if is_remote(client.url):
        return 0
    notes, kept = Notes(folder), 0
    for path in _waiting(spool_of(folder), store_of(client.url)):
        taken = _taken(path)
        if not taken:
            continue
        try:
            await _keep(client, notes, _read(taken))
            kept += 1
        except (InvalidInputError, FileNotFoundError, ValueError, KeyError, TypeError) as error:
            note(folder, f"not kept: {type(error).__name__}: {error}")
        except BaseException as error:
            os.replace(taken, path)
            if not isinstance(error, (CommonTraceError, OSError)):
                raise
            note(folder, f"kept later: {error}")
            continue
        os.unlink(taken)
    if kept:
        await _let_go(client, notes, limit)
    return kept


def _waiting(spool: str, store: str) -> Iterator[str]:
    """The files of the spool for a store, with what was taken up and abandoned."""
    try:
        names = sorted(os.listdir(spool))
    except OSError:
        return
    for name in names:
        path = os.path.join(spool, name)
        if name.endswith(_TAKEN) and time.time() - os.path.getmtime(path) > _ABANDONED:
            os.replace(path, path.removesuffix(_TAKEN))
            yield path.removesuffix(_TAKEN)
        elif name.endswith(".json") and _store(path) in {store, ""}:
            yield path


def _store(path: str) -> str:
    """The store that a transcript waits for; empty where that cannot be read."""
    try:
        return str(json.loads(Path(path).read_text(encoding="ascii"))["store"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _taken(path: str) -> str:
    """Take a file up before another server does; empty where one did."""
    try:
        os.replace(path, path + _TAKEN)
        os.utime(path + _TAKEN)
    except OSError:
        return ""
    return path + _TAKEN


def _read(path: str) -> dict[str, str]:
    said = json.loads(Path(path).read_text(encoding="ascii"))
    size = os.path.getsize(said["transcript_path"])
    return {**{key: str(said[key]) for key in ("session_id", "transcript_path", "cwd")}, "size": str(size)}


async def _keep(client: "AsyncClient", notes: Notes, waiting: dict[str, str]) -> None:
    repository = default_repository(Path(waiting["cwd"]))
    told = await client.contexts.open(repository).import_transcript(waiting["transcript_path"], "claude-code")
    notes.keep_capture(waiting["session_id"], repository, told.branches[0], int(waiting["size"]))


async def _let_go(client: "AsyncClient", notes: Notes, most: int) -> None:
    """Delete the branches of the oldest transcripts beyond a size; a branch on which somebody went on stays."""
    size = 0
    for one in notes.captures():
        size += one.size
        if size > most:
            await _deleted(client, one)
            notes.forget_capture(one.run)


async def _deleted(client: "AsyncClient", one: Capture) -> None:
    repo = client.contexts.open(one.repository)
    try:
        for branch in await repo.branches():
            if not f"{branch.name}/".startswith(f"{one.branch}/") or branch.current:
                continue
            tip = (await repo.log(branch.name, limit=1)).commits[0]
            if "transcript" in tip.metadata:
                await repo.delete_branch(branch.name, force=True)
        await repo.gc()
    except NotFoundError:  # somebody deleted it before
        return

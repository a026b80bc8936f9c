"""What a commit needs, and what nothing needs. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from commontrace.objects import Commit
from commontrace_backend.contexts.state import REPOSITORY


def blobs_of(commit: Commit) -> list[str]:
    """Every blob that a commit names: messages, and the schemas of tools."""
    return [*commit.blob_ids, *(blob_id for operation in commit.operations for blob_id in _schemas(operation))]


def _schemas(operation: Mapping[str, Any]) -> Sequence[str]:
    if operation["op"] != "annotate" or operation["slot"] != REPOSITORY or operation["key"] != "tools":
        return ()
    return [one for one in operation["value"] or () if isinstance(one, str)]


def closure(roots: Iterable[str], parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Commits that lead to the roots, those included, as far as they are known."""
    found: set[str] = set()
    waiting = [root for root in roots if root in parents]
    while waiting:
        commit_id = waiting.pop()
        if commit_id not in found:
            found.add(commit_id)
            waiting.extend(parent for parent in parents[commit_id] if parent in parents)
    return found

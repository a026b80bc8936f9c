"""What windows come to once messages cost something else: every commit that shows one of them is counted anew."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from commontrace.objects import Commit
from commontrace_backend.contexts import audit_store
from commontrace_backend.contexts.contents import counting
from commontrace_backend.contexts.graph import parents_first
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.states import state_at
from commontrace_backend.contexts.view import View
from commontrace_backend.database.session import WriteSession


async def recount(session: WriteSession, place: Place, fewer: Mapping[str, int]) -> list[str]:
    """Add to the total of each window what each of its messages costs more or less; returns the commits that show any.

    A commit that touches none of the slots in question shows of them what its parent shows, so that few windows have
    to be made.
    """
    rows: dict[str, tuple[Any, Commit]] = {}
    async for batch in audit_store.all_commits(session, place.id):
        rows.update((row.commit_id, (row, Commit.decode(row.encoded))) for row in batch)
    watched = _watched([commit for _, commit in rows.values()], fewer)
    shown: dict[str, Counter[str]] = {}
    for commit_id in parents_first(list(rows), lambda one: [two for two in rows[one][1].parents if two in rows]):
        commit = rows[commit_id][1]
        touched = any(operation["slot"] in watched for operation in commit.operations)
        if touched or len(commit.parents) > 1:
            state = await state_at(session, place.id, commit_id)
            shown[commit_id] = Counter(slot.blob_id for slot in View(state).shown if slot.blob_id in fewer)
        else:
            shown[commit_id] = shown[commit.parents[0]] if commit.parents else Counter()
    changed = [
        {"repository": place.id, "commit": commit_id, "sum": row.window_tokens + _delta(shown[commit_id], fewer)}
        for commit_id, (row, _) in rows.items()
        if shown[commit_id] and row.encoding == counting()
    ]
    await audit_store.change_window_tokens(session, changed)
    return [commit_id for commit_id, blobs in shown.items() if blobs]


def _delta(shown: Counter[str], fewer: Mapping[str, int]) -> int:
    return sum(count * fewer[blob_id] for blob_id, count in shown.items())


def _watched(commits: list[Commit], blobs: Mapping[str, int]) -> set[str]:
    """Slots that ever held one of the blobs, and every summary: which of two that cross is shown concerns a third."""
    operations = [operation for commit in commits for operation in commit.operations]
    return {one["slot"] for one in operations if one.get("blob") in blobs or one["op"] == "cover"}

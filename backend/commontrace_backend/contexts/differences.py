"""What changes between two windows, message by message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from commontrace.models.contexts import ContextDiff, DiffMessage
from commontrace.providers.messages import text_of
from commontrace_backend.contexts.contents import Content, contents_at
from commontrace_backend.contexts.patch import longest_rising
from commontrace_backend.contexts.places import open_place, resolve
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession


async def diff(session: ReadSession, caller: Caller, name: str, a: str, b: str) -> ContextDiff:
    """What has to change in the window at `a` to get the one at `b`, in the order of the windows."""
    place = await open_place(session, caller, name)
    ends = await resolve(session, place, a), await resolve(session, place, b)
    before, after = [await contents_at(session, place.id, commit_id) for commit_id in ends]
    return ContextDiff(
        a=a,
        b=b,
        commits=ends,
        changes=compare(before, after),
        token_delta=sum(content.tokens for content in after) - sum(content.tokens for content in before),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A message of one window or of both."""

    before: Content | None
    after: Content | None


def compare(before: Sequence[Content], after: Sequence[Content]) -> list[DiffMessage]:
    """Each message that was added, removed, edited, moved or given another priority.

    Messages belong together by their slot; those whose slots are in one window only, by what they say.
    """
    partner = _partners(before, after)
    taken = {id(content) for content in partner.values()}
    matched = [content for content in after if content.slot.slot_id in partner]
    rank = {id(content): number for number, content in enumerate(before)}
    ranks = {content.slot.slot_id: rank[id(partner[content.slot.slot_id])] for content in matched}
    stay = set(longest_rising([content.slot.slot_id for content in matched], ranks))
    pairs = _in_order(before, after, partner, taken)
    return [found for pair in pairs for found in _changed(pair, stay)]


def _partners(before: Sequence[Content], after: Sequence[Content]) -> dict[str, Content]:
    """The message of the window before for each slot of the one after that has one."""
    there = {content.slot.slot_id: content for content in before}
    partner = {content.slot.slot_id: there[content.slot.slot_id] for content in after if content.slot.slot_id in there}
    old = [content for content in before if content.slot.slot_id not in partner]
    new = [content for content in after if content.slot.slot_id not in partner]
    matcher = SequenceMatcher(
        None, [content.slot.blob_id for content in old], [content.slot.blob_id for content in new], autojunk=False
    )
    for one, other, size in matcher.get_matching_blocks():
        partner |= {new[other + at].slot.slot_id: old[one + at] for at in range(size)}
    return partner


def _in_order(
    before: Sequence[Content], after: Sequence[Content], partner: dict[str, Content], taken: set[int]
) -> Iterable[_Pair]:
    """What was removed stands where it was: behind what was in front of it."""
    gone: dict[int, list[Content]] = {}
    last = 0
    for content in before:
        if id(content) in taken:
            last = id(content)
        else:
            gone.setdefault(last, []).append(content)
    for content in gone.pop(0, []):
        yield _Pair(content, None)
    for content in after:
        old = partner.get(content.slot.slot_id)
        yield _Pair(old, content)
        for lost in gone.pop(id(old), []) if old else []:
            yield _Pair(lost, None)


def _changed(pair: _Pair, stay: set[str]) -> list[DiffMessage]:
    before, after = pair.before, pair.after
    if before is None or after is None:
        content = before or after
        assert content is not None
        return [_message("added" if after else "removed", content, None)]
    found = []
    if before.slot.blob_id != after.slot.blob_id:
        found.append(_message("edited", after, before))
    if after.slot.slot_id not in stay:
        found.append(_message("moved", after, None))
    if before.slot.priority != after.slot.priority:
        found.append(_message("priority", after, before))
    return found


def _message(change: str, content: Content, before: Content | None) -> DiffMessage:
    return DiffMessage.model_validate(
        {
            "change": change,
            "slot_id": content.slot.slot_id,
            "role": content.message["role"],
            "role_before": before.message["role"] if before else None,
            "priority": content.slot.priority,
            "tokens": content.tokens,
            "text": text_of(content.message),
            "text_before": text_of(before.message) if before and change == "edited" else None,
        }
    )

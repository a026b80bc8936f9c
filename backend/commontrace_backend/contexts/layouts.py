"""What windows consist of, measured once: the newest that were asked for are remembered with all but their texts.

An object's id names its content for ever, but for what is purged: so what was measured is remembered beside the number
and the time of the purges of its repository.
"""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Row

from commontrace.providers.messages import Message, answers_of, calls_of
from commontrace.providers.rendering import is_system, linked
from commontrace_backend.contexts import store
from commontrace_backend.contexts.contents import counting, tokens_in
from commontrace_backend.contexts.states import forget_purged, view_at
from commontrace_backend.contexts.view import View, state_id
from commontrace_backend.contexts.window import Sized
from commontrace_backend.database.session import ReadSession
from commontrace_backend.recent import Recent

_MOST: Final = 400_000  # messages of everything that is remembered: about 100 MB


class Measure(NamedTuple):
    """A message as far as choosing goes: what it costs, the calls that it makes and answers, whether it instructs."""

    tokens: int
    calls: Sequence[str]
    answers: Sequence[str]
    system: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The window at a commit: what it shows, the id of that, and what it comes to."""

    view: View
    state_id: str
    sized: Sized
    total: int


Read = dict[str, Message]
"""Messages that were read to measure them, by blob id, so that whoever shows them need not read them again."""


LAYOUTS: Final = Recent[Layout](_MOST)
_MEASURES: Final = Recent[dict[str, Measure]](_MOST)


async def layout_at(session: ReadSession, repository_id: int, commit_id: str, read: Read | None = None) -> Layout:
    """The window at a commit, laid out; what has to be read for it goes to `read`."""
    mark = await _mark(session, repository_id)
    known = LAYOUTS.get((commit_id, mark))
    if known is None:
        view = await view_at(session, repository_id, commit_id)
        blob_ids = [slot.blob_id for slot in view.shown]
        measures = await _measures(session, repository_id, blob_ids, mark, {} if read is None else read)
        known = _laid_out(view, measures)
        LAYOUTS.put((commit_id, mark), known, len(view.shown))
    return known


async def _mark(session: ReadSession, repository_id: int) -> Hashable:
    """What changes where a message costs something else than before."""
    return (repository_id, counting(), *await forget_purged(session, repository_id))


def _laid_out(view: View, known: Mapping[str, Measure]) -> Layout:
    measures = [known[slot.blob_id] for slot in view.shown]
    tokens = [measure.tokens for measure in measures]
    sized = Sized.of(
        tokens,
        linked((measure.calls, measure.answers) for measure in measures),
        [place for place, measure in enumerate(measures) if measure.system],
        {place: slot.priority for place, slot in enumerate(view.shown) if slot.priority != "normal"},
    )
    return Layout(view, state_id(view.shown), sized, sum(tokens))


async def measured(session: ReadSession, repository_id: int, blob_ids: Iterable[str]) -> Mapping[str, Measure]:
    """Messages as far as choosing goes, by blob id; others may be among them."""
    return await _measures(session, repository_id, blob_ids, await _mark(session, repository_id), {})


async def _measures(
    session: ReadSession, repository_id: int, blob_ids: Iterable[str], mark: Hashable, read: Read
) -> Mapping[str, Measure]:
    known = _MEASURES.get(mark) or {}
    missing = [blob_id for blob_id in blob_ids if blob_id not in known]
    if missing:
        found = await store.find_blobs(session, repository_id, missing)
        messages = {blob_id: json.loads(row.encoded) for blob_id, row in found.items()}
        known |= {blob_id: _measure(row, messages[blob_id]) for blob_id, row in found.items()}
        read |= messages
        _MEASURES.put(mark, known, len(known))
    return known


def _measure(row: Row[object], message: Message) -> Measure:
    return Measure(tokens_in(row, message), calls_of(message), answers_of(message), is_system(message))

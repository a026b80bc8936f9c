"""Labels: any number of words on a commit. Each is a ref, so that undo takes it back."""

from typing import Final

from commontrace.errors import ConflictError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.contexts import LabelInfo, NewLabel
from commontrace_backend.contexts import store
from commontrace_backend.contexts.places import SHORT, open_place, resolve
from commontrace_backend.contexts.recording import change, perform
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked

_DIGITS: Final = 16


def _ref(label: str, commit_id: str) -> str:
    """The name of the ref: one label may be on many commits."""
    return f"{label}/{commit_id[:_DIGITS]}"


async def add(session: WriteSession, caller: Caller, name: str, wanted: NewLabel) -> LabelInfo:
    """Put a label on a commit; raises ConflictError if it is there already."""
    place = await open_place(session, caller, name)
    label = check_name(wanted.name)
    commit_id = await resolve(session, place, wanted.ref)
    called = _ref(label, commit_id)
    if await store.find_ref(session, place.id, "label", called) is not None:
        raise ConflictError(f"{commit_id[:SHORT]} has the label {label} already.", "See the log.")
    changes = [change(f"label/{called}", None, commit_id)]
    await perform(session, caller, place, Entry("label", f"labelled {commit_id[:SHORT]} {label}", changes))
    return LabelInfo(name=label, commit_id=commit_id)


async def remove(session: WriteSession, caller: Caller, name: str, label: str, ref: str) -> LabelInfo:
    """Take a label off a commit; undo brings it back."""
    place = await open_place(session, caller, name)
    commit_id = await resolve(session, place, ref)
    called = _ref(label, commit_id)
    if await store.find_ref(session, place.id, "label", called) is None:
        raise NotFoundError(f"{commit_id[:SHORT]} has no label {label}.", "See the log.")
    changes = [change(f"label/{called}", commit_id, None)]
    await perform(session, caller, place, Entry("label", f"took {label} off {commit_id[:SHORT]}", changes))
    return LabelInfo(name=label, commit_id=commit_id)


async def labels(session: ReadSession, caller: Caller, name: str, asked: Asked) -> Page[LabelInfo]:
    """The labels by name, each commit that has one by itself."""
    place = await open_place(session, caller, name)
    statement, order = store.refs_of(place.id, "label")
    rows, goes_on = await order.read(session, statement, asked)
    found = [LabelInfo(name=row.name.rpartition("/")[0], commit_id=row.commit_id) for row in rows]
    return Page(items=found, next_cursor=goes_on)

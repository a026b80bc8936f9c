"""Calls to models: recorded, rebuilt, and what they teach about counting."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.contexts import (
    CacheEffect,
    CallRecord,
    ModelUsage,
    NewCall,
    RebuiltCall,
    Rendering,
    TokenCount,
    Usage,
    UsageSummary,
    Window,
)
from commontrace_backend.contexts import audit_store, call_store, store, windows
from commontrace_backend.contexts.contents import contents_at, total
from commontrace_backend.contexts.places import SHORT, Place, open_place
from commontrace_backend.contexts.recording import NewBlob, schema_message
from commontrace_backend.contexts.requests import cache_effect, learned, reported, request_tokens
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked
from commontrace_backend.tokens import default_counter, tools_tokens

_KINDS: Final = ("input", "cache_read", "cache_write", "output", "reasoning")


async def record(session: WriteSession, caller: Caller, name: str, wanted: NewCall) -> CallRecord:
    """Record a call.

    Raises:
        NotFoundError: there is no such commit.
        InvalidInputError: the window cannot be made anew as it was sent.
    """
    place = await open_place(session, caller, name)
    if await store.find_commit(session, place.id, wanted.commit_id) is None:
        raise NotFoundError(f"There is no commit {wanted.commit_id[:SHORT]}.", "Record the window as it came.")
    window = await _window(session, caller, name, wanted.commit_id, wanted.rendering)
    if wanted.request_sha256 not in {None, window.request_sha256}:
        raise InvalidInputError(
            "The window that was sent is not the one that its commit gives.",
            "Record the window that came, unchanged; what is added to it goes into a commit first.",
        )
    blobs = [NewBlob.of(schema_message(tool)) for tool in wanted.tools]
    await store.add_blobs(session, [item.row(place) for item in blobs])
    estimated = await _estimated(session, caller, name, wanted)
    values = {
        **place.key,
        "contributor_id": caller.contributor_id,
        "working_copy": caller.working_copy,
        "commit_id": wanted.commit_id,
        "model": wanted.model,
        "rendering": wanted.rendering.model_dump(mode="json"),
        "tools": [item.blob.blob_id for item in blobs],
        "request_sha256": window.request_sha256,
        "usage": wanted.usage.model_dump(mode="json") if wanted.usage else {},
        "estimated": estimated.tokens,
        "reported": wanted.usage.input if wanted.usage else None,
        "created_at": datetime.now(UTC),
    }
    await call_store.add_call(session, values)
    row = await call_store.last_call(session, place.id, caller)
    assert row is not None
    return _told(row)


def _told(row: Row[Any]) -> CallRecord:
    fields = {**row._mapping, "usage": Usage.model_validate(row.usage) if row.usage else None}  # noqa: SLF001 - its name in SQLAlchemy
    return CallRecord.model_validate(fields)


async def _window(session: ReadSession, caller: Caller, name: str, ref: str, rendering: Rendering) -> Window:
    look = windows.Look(rendering.budget, rendering.reserve, rendering.strategy, rendering.format, explain=False)
    return await windows.window(session, caller, name, ref, look)


async def _estimated(session: ReadSession, caller: Caller, name: str, wanted: NewCall) -> TokenCount:
    plain = wanted.rendering.model_copy(update={"format": "messages"})
    window = await _window(session, caller, name, wanted.commit_id, plain)
    tools = [*window.tools, *wanted.tools]
    return await asyncio.to_thread(request_tokens, wanted.model, window.messages or [], tools, window.types)


async def calls(session: ReadSession, caller: Caller, name: str, asked: Asked, before: int | None) -> Page[CallRecord]:
    """The recorded calls, newest first, those that came before one where that is said."""
    place = await open_place(session, caller, name)
    rows, goes_on = await call_store.some_calls(session, place.id, asked, before)
    return Page(items=[_told(row) for row in rows], next_cursor=goes_on)


async def rebuild(session: ReadSession, caller: Caller, name: str, call_id: int) -> RebuiltCall:
    """The request of a call, made anew; raises NotFoundError."""
    place = await open_place(session, caller, name)
    row = await call_store.find_call(session, place.id, call_id)
    if row is None:
        raise NotFoundError(f"There is no call {call_id}.", "See the calls.")
    window = await _window(session, caller, name, row.commit_id, Rendering.model_validate(row.rendering))
    return RebuiltCall(
        call=_told(row),
        same=None if row.request_sha256 is None else row.request_sha256 == window.request_sha256,
        window=window,
        tools=[*window.tools, *await windows.schemas(session, place, row.tools)],
    )


async def usage(session: ReadSession, caller: Caller, name: str) -> UsageSummary:
    """What the calls used, by model."""
    place = await open_place(session, caller, name)
    rows = [row async for batch in audit_store.all_calls(session, place.id) for row in batch]
    last = await call_store.last_call(session, place.id, caller)
    models = dict.fromkeys(row.model for row in rows)
    found = await contents_at(session, place.id, place.head)
    return UsageSummary(
        repository=name,
        calls=len(rows),
        models=[_of_model(model, [row for row in rows if row.model == model]) for model in models],
        window=total(sum(content.tokens for content in found)),
        last=_told(last) if last else None,
    )


def _of_model(model: str, rows: Sequence[Row[Any]]) -> ModelUsage:
    correction = learned((row.estimated, row.reported) for row in rows if row.reported is not None)
    unit = correction.applied(TokenCount(tokens=1_000, method="estimated", encoding=model))
    return ModelUsage(
        model=model,
        calls=len(rows),
        factor=round(correction.factor, 4),
        band=(unit.low / 1_000, unit.high / 1_000),
        **{kind: _sum(row.usage.get(kind) for row in rows) for kind in _KINDS},
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


async def window(session: ReadSession, caller: Caller, name: str, ref: str, look: windows.Look, model: str) -> Window:
    """A window, and what recorded calls tell of it: what it comes to for a model, what of it a cache still holds.

    Raises:
        InvalidInputError: what must be in does not fit; the hint says what would do.
    """
    found = await windows.window(session, caller, name, ref, look)
    place = await open_place(session, caller, name)
    last = await call_store.last_call(session, place.id, caller)
    if not model and last is None:
        return found
    plain = found
    if look.shape != "messages":
        plain = await windows.window(session, caller, name, ref, replace(look, shape="messages", explain=False))
    told: dict[str, Any] = {}
    if model:
        told["request"] = await _request(session, place, plain, model)
    if last is not None:
        told["cache"] = await _cached(session, caller, name, plain, last)
    return found.model_copy(update=told)


async def _request(session: ReadSession, place: Place, plain: Window, model: str) -> TokenCount:
    """What a model's provider reported for just this request; else what is counted, corrected by what was reported."""
    rows = await call_store.reports(session, place.id, model)
    same = [row.reported for row in rows if _is_of(row, plain)]
    if same:
        return reported(same[-1], model)
    counted = await asyncio.to_thread(request_tokens, model, plain.messages or [], plain.tools, plain.types)
    return learned((row.estimated, row.reported) for row in rows).applied(counted)


def _is_of(row: Row[Any], plain: Window) -> bool:
    sent = Rendering.model_validate(row.rendering)
    asked = (row.commit_id, row.tools, sent.budget, sent.reserve, sent.strategy)
    return asked == (plain.commit_id, [], plain.budget, plain.reserve, plain.strategy)


async def _cached(session: ReadSession, caller: Caller, name: str, plain: Window, last: Row[Any]) -> CacheEffect:
    rendering = Rendering.model_validate(last.rendering)
    before = await _window(session, caller, name, last.commit_id, rendering)
    fields = windows.shaped(plain.messages or [], rendering.format, plain.types)
    now = plain.model_copy(update={"messages": None, **fields})
    tokens = plain.tokens.tokens + tools_tokens(default_counter(), plain.tools).tokens
    return cache_effect(last.call_id, before, now, tokens)

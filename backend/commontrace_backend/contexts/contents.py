"""The messages that slots hold, and what they cost."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from commontrace.models.contexts import TokenCount
from commontrace.providers.messages import Message
from commontrace_backend.contexts import store
from commontrace_backend.contexts.states import view_at
from commontrace_backend.contexts.view import Shown
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import TokenCounter, default_counter, message_tokens


@dataclass(frozen=True, slots=True)
class Content:
    """A slot of a window with its message and what that costs."""

    slot: Shown
    message: Message
    tokens: int


async def contents(session: ReadSession, repository_id: int, shown: Sequence[Shown]) -> list[Content]:
    """The messages of a window in order."""
    found = await store.find_blobs(session, repository_id, (slot.blob_id for slot in shown))
    messages = {blob_id: json.loads(row.encoded) for blob_id, row in found.items()}
    tokens = {blob_id: tokens_in(row, messages[blob_id]) for blob_id, row in found.items()}
    return [Content(slot, messages[slot.blob_id], tokens[slot.blob_id]) for slot in shown]


async def messages_of(session: ReadSession, repository_id: int, blob_ids: Iterable[str]) -> dict[str, Message]:
    """Messages by blob id."""
    found = await store.find_blobs(session, repository_id, blob_ids)
    return {blob_id: json.loads(row.encoded) for blob_id, row in found.items()}


def tokens_in(row: Row[Any], message: Message) -> int:
    """What a message costs; what was counted with another encoding is counted again."""
    return int(row.tokens) if row.encoding == counting() else cost(default_counter(), message)


async def contents_at(session: ReadSession, repository_id: int, commit_id: str | None) -> list[Content]:
    """The messages of the window at a commit."""
    return await contents(session, repository_id, (await view_at(session, repository_id, commit_id)).shown)


async def tokens_of(session: ReadSession, repository_id: int, blob_ids: Iterable[str]) -> int:
    """What messages cost together, each as often as it is named."""
    wanted = Counter(blob_ids)
    found = await store.find_blobs(session, repository_id, wanted)
    return sum(tokens_in(row, json.loads(row.encoded)) * wanted[blob_id] for blob_id, row in found.items())


async def window_tokens(session: ReadSession, repository_id: int, row: Row[Any] | None) -> int:
    """What the window at a commit comes to under the encoding that counts now."""
    if row is None:
        return 0
    if row.encoding == counting():
        return int(row.window_tokens)
    return sum(content.tokens for content in await contents_at(session, repository_id, row.commit_id))


def counting() -> str:
    """The encoding that counts."""
    return default_counter().count("").encoding


def cost(counter: TokenCounter, message: Message) -> int:
    """What a message costs in a request: words, calls, results, pictures, and its frame.

    Counted as for Anthropic, to whom thoughts are sent back too: who plans with that has room elsewhere.
    """
    return message_tokens(counter, message, "anthropic").tokens


def total(tokens: int) -> TokenCount:
    """A sum of costs, labelled as the counter labels it."""
    label = default_counter().count("")
    return TokenCount(tokens=tokens, method=label.method, encoding=label.encoding)

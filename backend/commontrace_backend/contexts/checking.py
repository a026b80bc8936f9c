"""What messages must not be, seen from the history that they are to follow."""

import json
from collections.abc import Iterable, Sequence

from commontrace.errors import InvalidInputError
from commontrace.objects import Commit
from commontrace.providers.messages import Message, answers_of, calls_of
from commontrace.providers.parts import check_parts
from commontrace_backend.contexts import store
from commontrace_backend.contexts.states import view_at
from commontrace_backend.contexts.walk import walk
from commontrace_backend.database.session import ReadSession

_MARK = b'"tool_call"'


def unanswerable(messages: Iterable[Message]) -> set[str]:
    """The ids of calls that messages answer and none before it among them makes."""
    made: set[str] = set()
    missing: set[str] = set()
    for message in messages:
        missing.update(call for call in answers_of(message) if call not in made)
        made.update(calls_of(message))
    return missing


async def check_answers(session: ReadSession, repository_id: int, tip: str | None, calls: set[str]) -> None:
    """Whether the history that leads to a commit makes these calls, the newest commits first.

    Raises:
        InvalidInputError: it does not, so a result would be without its call.
    """
    missing = set(calls)
    row = await store.find_commit(session, repository_id, tip) if tip else None
    if row:  # mostly the newest commit makes the call
        missing -= await _made(session, repository_id, Commit.decode(row.encoded))
    if row and missing:
        async for _, commit in walk(session, repository_id, [row.commit_id]):
            missing -= await _made(session, repository_id, commit)
            if not missing:
                break
    if not missing:
        return
    raise InvalidInputError(
        f"A tool result answers {min(missing)}, a call that is not in the history before it.",
        "Commit the message that makes the call first, or together with its result.",
    )


async def _made(session: ReadSession, repository_id: int, commit: Commit) -> set[str]:
    """The calls that the messages of a commit make."""
    named = [operation["blob"] for operation in commit.operations if isinstance(operation.get("blob"), str)]
    rows = (await store.find_blobs(session, repository_id, named)).values()
    return {call for row in rows if _MARK in row.encoded for call in calls_of(json.loads(row.encoded))}


async def check_custom(session: ReadSession, repository_id: int, tip: str | None, messages: Sequence[Message]) -> None:
    """Whether parts of the types that the context describes have what these require; raises InvalidInputError."""
    types = (await view_at(session, repository_id, tip)).notes().get("types") or {}
    for message in messages:
        check_parts(message, types)

"""What is delivered twice is done once: the answer of the first is kept under the key that came with it."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from sqlalchemy import bindparam, delete, insert, select

from commontrace.errors import IdempotencyError
from commontrace.models.base import Record, Repeatable
from commontrace.models.contexts import CommitResult, NewCommit
from commontrace_backend.contexts.places import Place, open_place
from commontrace_backend.contexts.tables import commit_keys
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

R = TypeVar("R", bound=Repeatable)
A = TypeVar("A", bound=Record)

_FIND: Final = select(commit_keys.c.request_digest, commit_keys.c.answer).where(
    commit_keys.c.repository_id == bindparam("repository"),
    commit_keys.c.contributor_id == bindparam("caller"),
    commit_keys.c.key == bindparam("given"),
)
_OF: Final = "operation"  # in an answer that may hold words; a commit's holds ids and numbers


async def find_answer(session: ReadSession, caller: Caller, place: Place, wanted: NewCommit) -> CommitResult | None:
    """What was answered to this commit before.

    Raises:
        IdempotencyError: the key came with something else.
    """
    answer = await _find(session, caller, place, wanted.idempotency_key, _digest(wanted))
    return CommitResult.model_validate(answer) if answer else None


async def keep_answer(
    session: WriteSession, caller: Caller, place: Place, wanted: NewCommit, answer: CommitResult
) -> None:
    """Remember what is answered to a commit that came with a key."""
    if wanted.idempotency_key:
        said = answer.model_dump(mode="json", exclude={"redactions"})
        await _keep(session, caller, place, wanted.idempotency_key, {"request_digest": _digest(wanted), "answer": said})


async def once(
    session: WriteSession,
    caller: Caller,
    name: str,
    wanted: R,
    act: Callable[[WriteSession, Caller, str, R], Awaitable[A]],
    kind: type[A],
) -> A:
    """Do an operation on a context, or answer as the first time where it comes again with its key.

    Args:
        session: the transaction.
        caller: who wants it.
        name: the context.
        wanted: what is wanted.
        act: does it.
        kind: what it answers.

    Raises:
        IdempotencyError: the key came with something else.
    """
    if wanted.idempotency_key is None or getattr(wanted, "dry_run", False):
        return await act(session, caller, name, wanted)
    place = await open_place(session, caller, name)
    digest = _digest(wanted, act.__name__)
    before = await _find(session, caller, place, wanted.idempotency_key, digest)
    if before:
        return kind.model_validate(before["said"])
    answer = await act(session, caller, name, wanted)
    said = {_OF: act.__name__, "said": answer.model_dump(mode="json")}
    await _keep(session, caller, place, wanted.idempotency_key, {"request_digest": digest, "answer": said})
    return answer


async def forget_words(session: WriteSession, place: Place) -> None:
    """Forget the answers that may hold words of messages: a purge leaves no copy of them."""
    here = commit_keys.c.repository_id == place.id
    await session.write(delete(commit_keys).where(here, commit_keys.c.answer[_OF].as_string().is_not(None)))


async def _find(session: ReadSession, caller: Caller, place: Place, key: str | None, digest: str) -> Any:
    sought = {"repository": place.id, "caller": caller.contributor_id, "given": key}
    row = await session.first(_FIND, sought) if key else None
    if row is not None and row.request_digest != digest:
        raise IdempotencyError("This idempotency key was used for something else.", "Use a new key for new content.")
    return None if row is None else row.answer


async def _keep(session: WriteSession, caller: Caller, place: Place, key: str, kept: dict[str, Any]) -> None:
    mine = {**place.key, "contributor_id": caller.contributor_id, "key": key}
    await session.write(insert(commit_keys), {**mine, **kept, "created_at": datetime.now(UTC)})


def _digest(wanted: BaseModel, operation: str = "") -> str:
    return hashlib.sha256(f"{operation}{wanted.model_dump_json()}".encode()).hexdigest()

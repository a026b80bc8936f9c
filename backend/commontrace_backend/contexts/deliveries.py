"""A commit that is delivered twice is stored once: the answer of the first is kept under the key that came with it."""

import hashlib
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, insert, select

from commontrace.errors import IdempotencyError
from commontrace.models.contexts import CommitResult, NewCommit
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.tables import commit_keys
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

_FIND: Final = select(commit_keys.c.request_digest, commit_keys.c.answer).where(
    commit_keys.c.repository_id == bindparam("repository"),
    commit_keys.c.contributor_id == bindparam("caller"),
    commit_keys.c.key == bindparam("given"),
)


async def find_answer(session: ReadSession, caller: Caller, place: Place, wanted: NewCommit) -> CommitResult | None:
    """What was answered to this commit before.

    Raises:
        IdempotencyError: the key came with another commit.
    """
    sought = {"repository": place.id, "caller": caller.contributor_id, "given": wanted.idempotency_key}
    row = await session.first(_FIND, sought) if wanted.idempotency_key else None
    if row is None:
        return None
    if row.request_digest != _digest(wanted):
        raise IdempotencyError("This idempotency key was used for another commit.", "Use a new key for new content.")
    return CommitResult.model_validate(row.answer)


async def keep_answer(
    session: WriteSession, caller: Caller, place: Place, wanted: NewCommit, answer: CommitResult
) -> None:
    """Remember what is answered to a commit that came with a key."""
    if wanted.idempotency_key:
        row = {
            **place.key,
            "contributor_id": caller.contributor_id,
            "key": wanted.idempotency_key,
            "request_digest": _digest(wanted),
            "answer": answer.model_dump(mode="json", exclude={"redactions"}),
            "created_at": datetime.now(UTC),
        }
        await session.write(insert(commit_keys), row)


def _digest(wanted: NewCommit) -> str:
    return hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()

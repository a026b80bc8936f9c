"""A commit that is delivered twice, as after an answer that got lost."""

import pytest

from commontrace import AsyncClient
from commontrace.errors import IdempotencyError
from commontrace.models.contexts import NewCommit

HELLO = NewCommit(messages=[{"role": "user", "content": "hello"}], message="first", idempotency_key="run-7/1")


@pytest.mark.both_databases
async def test_a_commit_that_is_sent_again_with_its_key_is_stored_once(client: AsyncClient) -> None:
    context = client.contexts.open("deliveries")
    first = await context.store(HELLO)
    await context.store(NewCommit(messages=[{"role": "assistant", "content": "hi"}]))
    assert await context.store(HELLO) == first
    assert [commit.message for commit in (await context.log()).commits][1:] == ["first"]


async def test_without_a_key_the_same_messages_are_two_commits(client: AsyncClient) -> None:
    context = client.contexts.open("deliveries")
    plain = HELLO.model_copy(update={"idempotency_key": None})
    assert (await context.store(plain)).commit_id != (await context.store(plain)).commit_id


async def test_a_key_that_comes_with_another_commit_is_refused_and_nothing_is_stored(client: AsyncClient) -> None:
    context = client.contexts.open("deliveries")
    first = await context.store(HELLO)
    with pytest.raises(IdempotencyError):
        await context.store(HELLO.model_copy(update={"message": "second"}))
    assert [commit.commit_id for commit in (await context.log()).commits] == [first.commit_id]


async def test_a_key_holds_for_one_context(client: AsyncClient) -> None:
    first = await client.contexts.open("one").store(HELLO)
    other = await client.contexts.open("other").store(HELLO)
    assert (first.repository, other.repository) == ("one", "other")


async def test_a_second_delivery_says_again_what_was_redacted(client: AsyncClient) -> None:
    secret = HELLO.model_copy(update={"messages": [{"role": "user", "content": "key AKIAIOSFODNN7EXAMPLQ here"}]})
    context = client.contexts.open("deliveries")
    first = await context.store(secret)
    assert first.redactions
    assert await context.store(secret) == first

"""What is delivered twice, as after an answer that got lost, is done once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository as Repository
from commontrace.errors import IdempotencyError, NotFoundError
from commontrace.models.contexts import NewCommit
from commontrace.models.traces import AmendmentProposal
from conversations import say
from doors import People
from factories import contribution
from tampering import dumped

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


def operations(slots: list[str]) -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
    """What can be done to a context once: each method with what it is given."""
    return {
        "branch": (("side",), {"switch": False}),
        "spawn": (("child",), {}),
        "tag": (("v1",), {}),
        "label": (("good",), {}),
        "edit": ((slots[0], "other words"), {}),
        "annotate": (("important",), {"slots": [slots[1]]}),
        "remove": ((slots[2],), {}),
        "restore": ((slots[2],), {}),
        "move": ((slots[2],), {}),
        "notes": ((), {"keep": ["words"]}),
        "compress": ((), {"slots": slots[3:5], "text": "two words", "force": True}),
        "undo": ((), {}),
        "redo": ((), {}),
        "revert": (("HEAD",), {}),
        "cherry_pick": (("HEAD~1",), {}),
        "reset": (("HEAD~1",), {}),
        "merge": (("aside",), {}),
        "collapse": (("child", "a summary"), {}),
    }


@pytest.fixture
async def talked(client: AsyncClient) -> Repository:
    """A context with a branch beside it."""
    repo = client.contexts.open("deliveries")
    await say(repo, "zero")
    await repo.branch("aside")
    await say(repo, "aside")
    await repo.switch("main")
    for number in range(4):
        await say(repo, f"words {number}, many of them, so that a plan has something to leave out")
    return repo


@pytest.mark.both_databases
async def test_whatever_comes_again_with_its_key_is_done_once_and_answers_as_the_first_time(talked: Repository) -> None:
    slots = [one.slot_id for one in (await talked.window(explain=True)).explanation]
    for name, (given, options) in operations(slots).items():
        method = getattr(talked, name)
        await twice(talked, partial(method, *given, **options, idempotency_key=f"key-of-{name}"))


async def twice(repo: Repository, act: Callable[[], Awaitable[Any]]) -> None:
    """Do something, and again: it must have been done once."""
    before = (await repo.operations(1))[0]
    first = await act()
    done = (await repo.operations(1))[0]
    assert done.operation_id > before.operation_id
    assert await act() == first
    assert (await repo.operations(1))[0] == done


async def test_rebases_and_plans_are_done_once_too(talked: Repository) -> None:
    await twice(talked, lambda: talked.rebase("aside", idempotency_key="r"))
    await twice(talked, lambda: talked.plan(90, apply=True, keep_newest=1, idempotency_key="p"))


async def test_a_call_that_is_sent_again_is_recorded_once(talked: Repository) -> None:
    window = await talked.window()
    first = await talked.record_call(window, model="m", idempotency_key="c")
    assert await talked.record_call(window, model="m", idempotency_key="c") == first
    assert await talked.calls() == [first]


@pytest.mark.both_databases
async def test_of_deliveries_at_the_same_moment_one_counts_and_all_are_answered_alike(
    client: AsyncClient, talked: Repository
) -> None:
    window = await talked.window()
    calls = [talked.record_call(window, model="m", idempotency_key="c") for _ in range(4)]
    traces = [client.traces.contribute(contribution(idempotency_key="t")) for _ in range(4)]
    recorded, stored = await asyncio.gather(*calls), await asyncio.gather(*traces)
    assert [*recorded] == await talked.calls() * 4
    assert [one.trace_id for one in stored] == [one.trace_id for one in (await client.traces.page()).traces] * 4


async def test_a_key_holds_for_one_operation_with_one_content_of_one_person(
    client: AsyncClient, talked: Repository, people: People
) -> None:
    await talked.tag("v1", idempotency_key="k")
    for other in (
        talked.tag("v2", idempotency_key="k"),
        talked.label("v1", idempotency_key="k"),
        talked.undo(idempotency_key="k"),
        talked.store(HELLO.model_copy(update={"idempotency_key": "k"})),
    ):
        with pytest.raises(IdempotencyError):
            await other
    await talked.undo(idempotency_key="turn")
    with pytest.raises(IdempotencyError):
        await talked.redo(idempotency_key="turn")
    await talked.share()
    ann = await people("ann")
    assert (await ann.contexts.open(talked.name).tag("hers", idempotency_key="k")).name == "hers"
    assert await client.contexts.open(talked.name).tags() == await talked.tags()


async def test_what_failed_or_was_only_tried_leaves_its_key_unused(talked: Repository) -> None:
    await talked.merge("aside", dry_run=True, idempotency_key="k")
    with pytest.raises(NotFoundError):
        await talked.merge("nowhere", idempotency_key="k")
    assert (await talked.merge("aside", idempotency_key="k")).kind == "merged"


@pytest.mark.both_databases
async def test_a_purge_forgets_the_answers_that_may_hold_the_words(talked: Repository, url: str) -> None:
    slots = [one.slot_id for one in (await talked.window(explain=True)).explanation]
    await talked.store(HELLO)
    summary = await talked.compress(slots=slots[:2], text="opensesame", force=True, idempotency_key="k")
    assert summary.text == "opensesame"
    assert b"opensesame" in await dumped(url, ["commit_keys"])
    await talked.purge("opensesame")
    assert b"opensesame" not in await dumped(url, ["commit_keys"])
    again = await talked.compress(slots=slots[2:4], text="other", force=True, idempotency_key="k")
    assert again.text == "other"
    head = (await talked.status()).commit_id
    await talked.store(HELLO)
    assert (await talked.status()).commit_id == head


async def test_to_publish_again_is_not_to_publish_later(client: AsyncClient) -> None:
    known = str((await client.traces.contribute(contribution())).trace_id)
    await client.traces.publish(known)
    moment = datetime.now(UTC)
    await client.traces.publish(known)
    owner = (await client.contributors.me()).name
    found = await client.reviews.reverse(since=moment, reason="r", contributor=owner, dry_run=True)
    assert found.traces == []


async def test_the_same_vouch_is_on_record_once(client: AsyncClient, people: People) -> None:
    await people("eve", "elsewhere")
    assert await client.vouches.add("elsewhere", "known") == await client.vouches.add("elsewhere", "known")
    assert len(await client.reviews.decisions()) == 1
    await client.vouches.add("elsewhere", "known for longer")
    assert len(await client.reviews.decisions()) == 2


@pytest.mark.both_databases
async def test_an_amendment_that_is_sent_again_is_proposed_once(client: AsyncClient, people: People) -> None:
    known = str((await client.traces.contribute(contribution(visibility="team"))).trace_id)
    ann = await people("ann")
    wanted = AmendmentProposal(not_when="On network drives.", reason="It hangs there.", idempotency_key="k")
    first = await ann.traces.amend(known, wanted)
    assert await ann.traces.amend(known, wanted) == first
    assert [one.amendment_id for one in await client.traces.amendments(known)] == [first.amendment_id]
    decided = await client.traces.decide(first.amendment_id, accept=True)
    assert await ann.traces.amend(known, wanted) == decided
    with pytest.raises(IdempotencyError):
        await ann.traces.amend(known, wanted.model_copy(update={"reason": "Another."}))
    with pytest.raises(IdempotencyError):
        await ann.traces.contribute(contribution(1, idempotency_key="k"))

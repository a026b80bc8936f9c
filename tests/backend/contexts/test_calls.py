"""Calls: what a model was given is rebuilt to the byte, what it used is kept, and estimates learn from it."""

from typing import Any, get_args

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.contexts import Usage, WindowFormat
from conversations import say

pytestmark = pytest.mark.both_databases

CALL = {"id": "a", "type": "function", "function": {"name": "run", "arguments": '{"n": 1}'}}
MODEL = "claude-sonnet-4-5"
TOOL = {"name": "run", "description": "Run it.", "input_schema": {"type": "object", "properties": {}}}


def answer(tokens: int, read: int = 0, written: int = 0) -> dict[str, Any]:
    """What Anthropic answers."""
    usage = {
        "input_tokens": tokens - read - written,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": 7,
    }
    return {"type": "message", "model": MODEL, "role": "assistant", "content": [], "usage": usage}


@pytest.fixture
async def full(repo: AsyncContextRepository) -> AsyncContextRepository:
    repo.system("Be brief.")
    repo.user("Why does it fail? " * 20)
    repo.add({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "a", "content": "a traceback"})
    repo.user("And now?")
    await repo.commit()
    await repo.notes(tools=[TOOL])
    return repo


@pytest.mark.parametrize("shape", get_args(WindowFormat))
async def test_a_call_is_rebuilt_to_the_byte_whatever_came_after(full: AsyncContextRepository, shape: Any) -> None:
    sent = await full.window(format=shape, budget=4_000, reserve=100)
    call = await full.record_call(sent, usage=answer(150), model="mine")
    slots = [item.slot_id for item in (await full.window(explain=True)).explanation]
    await full.edit(slots[1], "something else")
    await full.remove(slots[-1])
    await full.branch("other")
    await say(full, "more")
    await full.gc(grace_days=0)
    found = await full.rebuild_call(call.call_id)
    assert found.same
    assert found.call == call
    assert (found.window.messages, found.window.text, found.window.system) == (sent.messages, sent.text, sent.system)
    assert found.tools == [TOOL]
    assert (call.model, call.commit_id, call.reported) == ("mine", sent.commit_id, 150)
    assert call.rendering.model_dump() == {"format": shape, "budget": 4_000, "reserve": 100, "strategy": "recent"}


async def test_what_a_budget_left_out_or_shortened_is_rebuilt_so(repo: AsyncContextRepository) -> None:
    await say(repo, *("many words of an older message " * 30 for _ in range(12)))
    for strategy in ("recent", "adaptive"):
        sent = await repo.window(budget=900, strategy=strategy, format="openai")
        call = await repo.record_call(sent)
        found = await repo.rebuild_call(call.call_id)
        assert (found.same, found.window.messages) == (True, sent.messages)
        assert (call.model, call.usage, call.reported) == ("", None, None)


async def test_usage_is_taken_out_of_an_answer_or_taken_as_it_is(full: AsyncContextRepository) -> None:
    window = await full.window()
    call = await full.record_call(window, usage=answer(9_000, read=8_900, written=93), format="anthropic")
    assert (call.model, call.reported, call.rendering.format) == (MODEL, 9_000, "anthropic")
    assert call.usage is not None
    assert (call.usage.cache_read, call.usage.cache_write, call.usage.output) == (8_900, 93, 7)
    assert (await full.rebuild_call(call.call_id)).window.messages == window.to_anthropic()["messages"]
    own = Usage(provider="openai", input=12)
    assert (await full.record_call(window, usage=own, model="m")).usage == own
    with pytest.raises(InvalidInputError, match="no answer with usage"):
        await full.record_call(window, usage={"hello": 1})


async def test_tools_of_a_call_alone_are_kept_and_survive_a_collection(full: AsyncContextRepository) -> None:
    extra = {"name": "look", "description": "Look."}
    call = await full.record_call(await full.window(), tools=[extra])
    await full.gc(grace_days=0)
    assert (await full.rebuild_call(call.call_id)).tools == [TOOL, extra]
    assert (await full.verify(full=True)).problems == []


async def test_a_commit_that_only_a_call_needs_is_not_collected(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await say(repo, "two")
    call = await repo.record_call(await repo.window())
    await repo.undo()
    assert (await repo.gc(grace_days=0)).commits == 0
    found = await repo.rebuild_call(call.call_id)
    assert len(found.window.messages or []) == 2
    assert (await repo.verify()).calls == 1


async def test_a_window_that_was_changed_is_no_call_of_its_commit(full: AsyncContextRepository) -> None:
    window = await full.window()
    changed = window.model_copy(update={"messages": [*(window.messages or []), {"role": "user", "parts": []}]})
    with pytest.raises(InvalidInputError, match="not the one that its commit gives"):
        await full.record_call(changed)
    with pytest.raises(NotFoundError, match="no commit"):
        await full.record_call(window.model_copy(update={"commit_id": "0" * 64}))
    with pytest.raises(NotFoundError, match="no call 7"):
        await full.rebuild_call(7)
    assert await full.calls() == []


async def test_a_purge_takes_the_hash_of_what_showed_the_text(full: AsyncContextRepository) -> None:
    before = await full.record_call(await full.window())
    await say(full, "opensesame")
    call = await full.record_call(await full.window())
    await full.purge("opensesame")
    found = await full.rebuild_call(call.call_id)
    assert (found.same, found.call.request_sha256) == (None, None)
    assert (found.window.messages or [])[-1]["parts"][0]["text"] == "(purged)"
    assert (await full.rebuild_call(before.call_id)).same


async def test_estimates_learn_what_a_provider_reports(full: AsyncContextRepository) -> None:
    first = (await full.window(model=MODEL)).request
    assert first is not None
    assert first.method == "estimated"
    for _ in range(5):
        await say(full, "more words")
        window = await full.window(model=MODEL)
        counted = (await full.record_call(window, model=MODEL)).estimated
        await full.record_call(window, usage=answer(round(counted * 1.5)))
    await say(full, "and more")
    learned = (await full.window(model=MODEL)).request
    plain = (await full.record_call(await full.window(), model=MODEL)).estimated
    assert learned is not None
    assert learned.method == "estimated"
    assert abs(learned.tokens / plain - 1.5) < 0.03
    assert learned.low < learned.tokens < learned.high
    assert learned.high / learned.low < first.high / first.low
    other = (await full.window(model="claude-opus-9")).request
    assert other is not None
    assert abs(other.tokens / plain - 1) < 0.03


async def test_what_was_reported_for_this_request_is_not_estimated(full: AsyncContextRepository) -> None:
    window = await full.window(format="anthropic")
    await full.record_call(window, usage=answer(4_321))
    request = (await full.window(model=MODEL)).request
    assert request is not None
    assert (request.tokens, request.method, request.low, request.high) == (4_321, "reported", 4_321, 4_321)
    narrower = (await full.window(model=MODEL, budget=100_000)).request
    assert narrower is not None
    assert narrower.method == "estimated"
    exact = (await full.window(model="gpt-4o")).request
    assert exact is not None
    assert exact.method == "estimated"  # it has tools


@pytest.mark.parametrize("shape", get_args(WindowFormat))
async def test_appending_keeps_what_a_cache_holds(full: AsyncContextRepository, shape: Any) -> None:
    assert (await full.window(format=shape)).cache is None
    sent = await full.window(format=shape)
    call = await full.record_call(sent)
    same = (await full.window(format=shape)).cache
    assert same is not None
    assert (same.call_id, same.rebilled_tokens) == (call.call_id, 0)
    assert same.stable_messages == len(sent.messages or [])
    await say(full, "one more question")
    longer = (await full.window(format=shape)).cache
    assert longer is not None
    if shape in {"text", "markdown"}:
        assert longer.rebilled_tokens > longer.stable_tokens  # one text: what is behind the tools is another one
    else:
        assert 0 < longer.rebilled_tokens < longer.stable_tokens
        assert longer.stable_tokens > 0.8 * same.stable_tokens


async def test_a_rewrite_breaks_the_cache_where_it_begins(full: AsyncContextRepository) -> None:
    await full.record_call(await full.window(format="openai"))
    slots = [item.slot_id for item in (await full.window(explain=True)).explanation]
    await full.edit(slots[4], "Something else?")
    late = (await full.window()).cache
    await full.edit(slots[0], "Be long.")
    early = (await full.window()).cache
    await full.notes(tools=[{"name": "other"}])
    none = (await full.window()).cache
    assert late is not None
    assert early is not None
    assert none is not None
    assert [late.stable_messages, early.stable_messages, none.stable_messages] == [4, 0, 0]
    assert late.stable_tokens > early.stable_tokens > none.stable_tokens == 0
    assert late.rebilled_tokens < early.rebilled_tokens


async def test_the_cache_is_that_of_the_own_working_copy(
    full: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await full.record_call(await full.window())
    assert (await other.window()).cache is None
    assert (await full.window()).cache is not None


async def test_usage_is_summed_up_by_model(full: AsyncContextRepository) -> None:
    window = await full.window()
    for tokens in (100, 200):
        await full.record_call(window, usage=answer(tokens, read=50), model=MODEL)
    last = await full.record_call(window, model="silent")
    found = await full.usage()
    assert (found.calls, found.last, found.window) == (3, last, window.tokens)
    claude, silent = found.models
    assert (claude.model, claude.calls, claude.input, claude.cache_read, claude.output) == (MODEL, 2, 300, 100, 14)
    assert claude.reasoning is None
    assert claude.band[0] < claude.factor < claude.band[1]
    assert (silent.calls, silent.input, silent.factor) == (1, None, 1.0)
    assert [call.call_id for call in await full.calls(2)] == [last.call_id, last.call_id - 1]

"""What a policy does to commits, what hooks may stop, and what a window shows of what does not fit."""

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository, AsyncOperation
from commontrace.errors import BudgetExceededError, ForbiddenError, InvalidInputError
from commontrace.models.contexts import BudgetPolicy, BudgetVerdict
from conversations import said, say

LONG = "\n".join(f"line {number}: nothing of note happened in module_{number}.py" for number in range(80))
TOOL = {"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}


async def test_a_policy_that_rejects_keeps_what_does_not_fit_out(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    repo.budget = BudgetPolicy(limit=100, reserve=20, when_full="reject")
    repo.user(LONG)
    with pytest.raises(BudgetExceededError, match="room for 80") as caught:
        await repo.commit()
    assert "compress" in caught.value.hint
    assert await said(repo) == ["one"]
    repo.budget = None
    await repo.commit()
    assert await said(repo) == ["one", LONG]


async def test_a_policy_that_warns_says_so_and_keeps_the_commit(repo: AsyncContextRepository) -> None:
    heard: list[BudgetVerdict] = []

    async def listen(verdict: BudgetVerdict) -> None:
        heard.append(verdict)

    repo.when_full = listen
    repo.budget = BudgetPolicy(limit=100)
    repo.user("short")
    first = await repo.commit()
    assert first.budget is not None
    assert (first.budget.verdict, heard) == ("ok", [])
    repo.user(LONG)
    result = await repo.commit()
    assert result.budget is not None
    assert result.budget.verdict == "warn"
    assert [verdict.verdict for verdict in heard] == ["warn"]


async def test_a_policy_that_compresses_brings_the_window_down_in_one_step_of_undo(
    repo: AsyncContextRepository,
) -> None:
    for number in range(12):
        await say(repo, f"{number}: {LONG}")
    before = await repo.window()
    repo.budget = BudgetPolicy(limit=before.tokens.tokens, when_full="compress", high=0.9, low=0.5)
    await say(repo, "the last word")
    after = await repo.window()
    assert after.tokens.tokens <= before.tokens.tokens // 2
    assert (await repo.operations())[0].kind == "plan"
    await repo.undo()
    assert (await repo.window()).tokens.tokens > before.tokens.tokens


async def test_tools_are_kept_with_the_commit_that_has_them(repo: AsyncContextRepository) -> None:
    await say(repo, "one", tools=[TOOL])
    await say(repo, "two")
    assert (await repo.window()).tools == [TOOL]
    await repo.branch("other")
    await repo.notes(tools=[])
    assert (await repo.window()).tools == []
    assert (await repo.window("main")).tools == [TOOL]


async def test_a_hook_before_an_operation_may_stop_it_and_one_behind_sees_the_answer(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    seen: list[tuple[str, bool]] = []

    async def guard(operation: AsyncOperation) -> None:
        seen.append((operation.name, operation.answer is not None))
        if operation.name == "reset" and operation.answer is None:
            raise ForbiddenError("Nothing is reset here.", "Revert instead.")

    client.contexts.hooks.before.append(guard)
    client.contexts.hooks.after.append(guard)
    await say(repo, "one")
    await say(repo, "two")
    with pytest.raises(ForbiddenError, match="Nothing is reset"):
        await repo.reset("HEAD~1")
    assert await said(repo) == ["one", "two"]
    assert seen[:2] == [("commit", False), ("commit", True)]
    assert ("reset", False) in seen
    assert ("reset", True) not in seen


async def test_an_adaptive_window_shows_older_messages_shortened_or_in_a_line(repo: AsyncContextRepository) -> None:
    repo.system("Be brief.")
    for number in range(10):
        repo.user(f"{number}: {LONG}")
    await repo.commit()
    whole = await repo.window()
    one = whole.tokens.tokens // 10
    window = await repo.window(budget=3 * one, strategy="adaptive", explain=True)
    tiers = [item.tier for item in window.explanation]
    assert window.tokens.tokens <= 3 * one
    assert (tiers[0], tiers[-1]) == ("whole", "whole")
    assert {"shortened", "line"} <= set(tiers[1:-1])
    assert window.left_out == 0
    assert "[earlier] 0: line 0" in window.to_text()
    recent = await repo.window(budget=3 * one)
    assert recent.left_out > window.left_out


async def test_a_full_window_that_does_not_fit_is_refused_with_what_would_do(repo: AsyncContextRepository) -> None:
    await say(repo, LONG)
    tokens = (await repo.window()).tokens.tokens
    with pytest.raises(InvalidInputError, match=f"has {tokens} tokens") as caught:
        await repo.window(budget=tokens, reserve=1, strategy="full")
    assert caught.value.hint.startswith(f"Give at least {tokens + 1}")
    assert (await repo.window(budget=tokens + 1, reserve=1, strategy="full")).included == 1
    with pytest.raises(InvalidInputError, match="leaves nothing"):
        await repo.window(budget=5, reserve=5)


async def test_what_both_sides_say_differently_is_reported_and_never_decided(repo: AsyncContextRepository) -> None:
    await say(repo, "start")
    await repo.branch("fix")
    await say(repo, "The parser timeout must be 30 seconds. The cache is not shared between workers.")
    await repo.switch("main")
    await say(repo, "The parser timeout must be 10 seconds. The cache is shared between workers.")
    for mode in ("merge", "squash", "facts"):
        preview = await repo.merge("fix", mode=mode, dry_run=True)
        assert len(preview.contradictions) == 2, mode
        assert "30 seconds" in preview.contradictions[0]
    assert (await repo.merge("fix", mode="facts")).added == 1
    shown = (await repo.window()).to_text()
    assert "[Summary of 1 earlier message]" in shown
    assert "10 seconds" in shown

"""A plan that was carried out."""

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from transcripts import SESSION, Message, user


async def opened(client: AsyncClient, messages: list[Message]) -> AsyncContextRepository:
    repository = client.contexts.open("agent")
    for message in messages:
        repository.add(message)
    await repository.commit()
    return repository


async def tokens(repository: AsyncContextRepository) -> int:
    return (await repository.window()).tokens.tokens


@pytest.mark.parametrize("budget", [5_000, 2_000, 800, 500, 250, 200])
async def test_the_window_then_fits_its_budget_and_undo_gives_it_back(client: AsyncClient, budget: int) -> None:
    repository = await opened(client, SESSION)
    before = await tokens(repository)
    done = await repository.plan(budget, apply=True)
    assert await tokens(repository) <= done.plan.tokens_after <= budget
    await repository.undo()
    assert await tokens(repository) == before


async def test_a_summary_fits_with_its_heading(client: AsyncClient) -> None:
    steps = " ".join(f"Step {number} wants review_{number}." for number in range(100))
    repository = await opened(client, [user(steps), user("On."), user("Go.")])
    for budget in range(80, 120, 4):
        done = await repository.plan(budget, apply=True, keep_newest=2)
        assert [action.action for action in done.plan.actions] == ["cover"]
        assert await tokens(repository) <= budget
        await repository.undo()


async def test_the_summary_of_a_plan_keeps_what_must_be_kept_or_nothing_is_written(client: AsyncClient) -> None:
    repository = await opened(client, SESSION)
    await repository.notes(keep=["rule_17", "/PARSE-[0-9]+/"])
    await repository.plan(300, apply=True)
    text = (await repository.window(format="text")).text or ""
    assert "rule_17" in text
    assert "PARSE-4821" in text
    await repository.undo()
    await repository.notes(keep=["/rule_[0-9]+/"])
    before = await tokens(repository)
    with pytest.raises(InvalidInputError, match="What must be kept needs"):
        await repository.plan(300, apply=True)
    assert await tokens(repository) == before

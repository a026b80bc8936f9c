"""What a run is told at its start: where its context stands, what is left open, what is proven; or nothing."""

from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient
from commontrace.hooks.briefing import refresh_brief
from commontrace.hooks.surroundings import hooks_folder
from commontrace.safety.rendering import parse
from commontrace_backend.tokens import default_counter
from factories import contribution
from hooking import Agent, serving_hooks


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


async def brief(client: AsyncClient, project: Path) -> str:
    await refresh_brief(client, hooks_folder(), project)
    return Agent(client.url, project).starts()


async def test_without_evidence_nothing_is_said(client: AsyncClient, project: Path) -> None:
    assert Agent(client.url, project).starts() == ""
    await client.traces.contribute(contribution(0))
    await client.contexts.create("shop")
    (project / "requirements.txt").write_text("flask==3.0\n")
    assert await brief(client, project) == ""


async def test_the_branch_that_was_written_last_is_named_with_its_last_state(
    client: AsyncClient, project: Path
) -> None:
    repo = client.contexts.open("shop")
    repo.user("mend the cart")
    await repo.commit("Found the bug")
    await repo.branch("try-decimal")
    repo.user("decimals")
    made = await repo.commit("Decimals fit")
    said = await brief(client, project)
    assert f"context shop: branch try-decimal at {made.commit_id[:8]}" in parse(said)[0]
    assert "Decimals fit" in parse(said)[0]
    agent = Agent(client.url, project)
    assert [agent.starts(source) for source in ("resume", "clear")] == [said, said]
    assert Agent(client.url, project.parent).starts() == ""


async def test_ones_own_and_proven_traces_for_the_packages_of_the_project_are_named(
    client: AsyncClient, project: Path, people: Any
) -> None:
    (project / "requirements.txt").write_text("sqlite==3.0\ndocker==7.0\nrust==1.0\n")
    own = await client.traces.contribute(contribution(0))
    ann = await people("ann")
    theirs = await ann.traces.contribute(contribution(1, visibility="team"))
    (words,) = parse(await brief(client, project))
    assert own.trace_id
    assert own.trace_id[:10] in words
    assert contribution(0).title in words
    assert theirs.trace_id
    assert theirs.trace_id[:10] not in words


async def test_what_failed_again_and_again_is_left_open_until_it_passes(client: AsyncClient, project: Path) -> None:
    async with serving_hooks(client, project) as agent:
        await agent.fails("python app.py", "flurbo.FlurboError: no region")
        assert agent.starts() == ""
        await agent.fails("python app.py", "flurbo.FlurboError: no region")
        assert parse(agent.starts()) == ["left open: python app.py failed 2×: flurbo.FlurboError: no region"]
        await agent.passes("python app.py")
        assert agent.starts() == ""


async def test_a_brief_is_short_whatever_there_is(client: AsyncClient, project: Path) -> None:
    repo = client.contexts.open("shop")
    repo.user("x")
    await repo.commit("ein sehr langer Titel ☃ " * 20)
    async with serving_hooks(client, project) as agent:
        for number in range(5):
            for _ in range(2):
                await agent.fails(f"python run{number}.py", f"flurbo.FlurboError: {'☃{[' * 90} {'abcde'[number] * 9}")
        assert 0 < default_counter().count(await brief(client, project)).tokens <= 250

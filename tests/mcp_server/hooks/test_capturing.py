"""Transcripts are kept if that was chosen: at once if a server runs, else when the next one does; nothing is lost."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient
from commontrace.hooks import calling
from commontrace.hooks.capturing import keep_waiting
from commontrace.hooks.notes import Notes
from commontrace.hooks.surroundings import hooks_folder
from doors import Server
from hooking import Agent, serving_hooks, told, until

LIMIT = 1_000_000
RUN = "1f2e3d4c-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_CAPTURE", "true")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


def written(folder: Path, *prompts: str, run: str = RUN) -> Path:
    """A session file of Claude Code: a prompt and an answer for each."""
    lines: list[dict[str, Any]] = []
    for number, prompt in enumerate(prompts):
        for role, text in (("user", prompt), ("assistant", f"answer to {prompt}")):
            uuid = f"{run[:8]}-{number}-{role}"
            parent = lines[-1]["uuid"] if lines else None
            said = {"role": role, "content": text}
            lines.append({"type": role, "uuid": uuid, "parentUuid": parent, "sessionId": run, "message": said})
    path = folder / f"{run}.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def ends(url: str, project: Path, transcript: Path, hook: str = "session-end", run: str = RUN) -> str:
    """What the hook at the end of a run prints."""
    event = {"session_id": run, "cwd": str(project), "transcript_path": str(transcript), "reason": "other"}
    return calling.answer(hook, json.dumps(event).encode(), url).decode()


def spool() -> list[str]:
    folder = Path(hooks_folder()) / "spool"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def kept(client: AsyncClient, branch: str = "claude/1f2e3d4c") -> str:
    return (await client.contexts.open("shop").window(branch, format="text")).text or ""


async def test_a_transcript_that_waits_is_kept_once_by_the_next_server(
    client: AsyncClient, project: Path, tmp_path: Path
) -> None:
    transcript = written(tmp_path, "mend the cart", "key AKIAIOSFODNN7EXAMPLX please")
    assert ends(client.url, project, transcript) == ""
    assert ends(client.url, project, transcript) == ""
    assert spool() == [f"{RUN}.json"]
    assert await keep_waiting(client, hooks_folder(), LIMIT) == 1
    assert spool() == []
    words = await kept(client)
    assert "answer to mend the cart" in words
    assert "AKIAIOSFODNN7EXAMPLX" not in words
    assert await keep_waiting(client, hooks_folder(), LIMIT) == 0


async def test_before_a_compaction_it_is_kept_and_after_it_the_agent_hears_where(
    client: AsyncClient, project: Path, tmp_path: Path
) -> None:
    async with serving_hooks(client, project) as agent:
        agent.run = RUN
        assert ends(client.url, project, written(tmp_path, "mend the cart"), "pre-compact") == ""
        said = agent.starts("compact")
        assert "branch claude/1f2e3d4c" in said
        assert "context_log(ref='claude/1f2e3d4c')" in said
        await until(lambda: Notes(hooks_folder()).captures())
        assert agent.starts("compact") == said
    assert "mend the cart" in await kept(client)
    assert (await client.contexts.open("shop").log("claude/1f2e3d4c")).commits


async def test_nothing_is_kept_unless_it_was_chosen(
    client: AsyncClient, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMMONTRACE_CAPTURE")
    assert ends(client.url, project, written(tmp_path, "mend the cart")) == ""
    assert spool() == []
    assert Agent(client.url, project, RUN).starts("compact") == ""


async def test_nothing_is_sent_to_a_server(
    client: AsyncClient, server: Server, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = written(tmp_path, "mend the cart")
    assert ends(server.url, project, transcript) == ""
    assert spool() == []


async def test_what_cannot_be_read_is_let_go_of_and_said_in_the_log(
    client: AsyncClient, project: Path, tmp_path: Path
) -> None:
    ends(client.url, project, tmp_path / "gone.jsonl")
    (tmp_path / "odd.jsonl").write_text("no transcript\n")
    ends(client.url, project, tmp_path / "odd.jsonl", run="other")
    assert await keep_waiting(client, hooks_folder(), LIMIT) == 0
    assert spool() == []
    log = (Path(hooks_folder()) / "log").read_text()
    assert log.count("not kept") == 2


async def test_what_a_server_took_up_and_did_not_finish_is_kept_by_another(
    client: AsyncClient, project: Path, tmp_path: Path
) -> None:
    ends(client.url, project, written(tmp_path, "mend the cart"))
    (name,) = spool()
    taken = Path(hooks_folder()) / "spool" / f"{name}.taken"
    taken.with_suffix("").rename(taken)
    assert await keep_waiting(client, hooks_folder(), LIMIT) == 0
    os.utime(taken, (1, 1))
    assert await keep_waiting(client, hooks_folder(), LIMIT) == 1
    assert "mend the cart" in await kept(client)


async def test_beyond_the_limit_the_oldest_go_and_what_somebody_went_on_with_stays(
    client: AsyncClient, project: Path, tmp_path: Path
) -> None:
    repo = client.contexts.open("shop")
    for number in range(3):
        run = f"{number}{RUN[1:]}"
        ends(client.url, project, written(tmp_path, "x " * 1_000, run=run), run=run)
        assert await keep_waiting(client, hooks_folder(), LIMIT) == 1
    repo.user("and then?")
    await repo.commit(branch="claude/0f2e3d4c")
    ends(client.url, project, written(tmp_path, "x " * 1_000, "more", run=f"3{RUN[1:]}"), run=f"3{RUN[1:]}")
    assert await keep_waiting(client, hooks_folder(), 12_000) == 1
    names = {branch.name for branch in await repo.branches()}
    assert names >= {"claude/0f2e3d4c", "claude/2f2e3d4c", "claude/3f2e3d4c"}
    assert "claude/1f2e3d4c" not in names
    assert [one.branch for one in Notes(hooks_folder()).captures()] == ["claude/3f2e3d4c", "claude/2f2e3d4c"]


def test_a_start_without_a_compaction_says_nothing_of_it(client: AsyncClient, project: Path, tmp_path: Path) -> None:
    ends(client.url, project, written(tmp_path, "mend the cart"))
    assert told(calling.answer("session-start", b'{"session_id": "x", "cwd": "/"}', client.url).decode()) == ""

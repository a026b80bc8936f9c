"""The hook behind a failing command: the fix that is known, once and short; silence for everything else."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient
from commontrace.hooks.failures import failure_of, ran_of
from commontrace.models.search import Query
from commontrace.safety.rendering import parse
from commontrace_backend.tokens import default_counter
from factories import contribution
from hooking import Agent, recorded, serving_hooks

ERROR = (
    'Traceback (most recent call last):\n  File "/srv/app.py", line 9, in <module>\n    cursor.execute(sql)\n'
    "sqlite3.OperationalError: database is locked"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
async def agent(client: AsyncClient, project: Path) -> AsyncIterator[Agent]:
    async with serving_hooks(client, project) as running:
        yield running


async def test_the_known_fix_of_an_error_arrives_and_can_be_voted_on(agent: Agent, client: AsyncClient) -> None:
    stored = await client.traces.contribute(contribution(0))
    said = await agent.fails("python app.py", ERROR)
    assert stored.trace_id
    assert stored.trace_id[:10] in said.splitlines()[0]
    assert "your own trace" in said.splitlines()[0]
    assert "unproven" in said.splitlines()[0]
    (words,) = parse(said)
    assert words.splitlines() == [contribution(0).title, contribution(0).solution]
    assert f"vote_trace(trace_id='{stored.trace_id[:10]}'" in said.splitlines()[-1]
    assert (await client.traces.vote(stored.trace_id, "worked")).outcome == "worked"


async def test_an_error_is_spoken_of_once_a_run(agent: Agent, client: AsyncClient) -> None:
    await client.traces.contribute(contribution(0))
    assert await agent.fails("python app.py", ERROR)
    assert not await agent.fails("python other.py", ERROR.replace("line 9", "line 12"))
    agent.run = "run-2"
    assert await agent.fails("python app.py", ERROR)


@pytest.mark.parametrize("letters", ["Set the timeout and try again. ", "先设置超时，然后重试。", "{[(<0x7f>)]}; "])
async def test_what_is_said_stays_within_200_tokens(agent: Agent, client: AsyncClient, letters: str) -> None:
    stored = await client.traces.contribute(
        contribution(0, solution=f"Open writes with BEGIN IMMEDIATE. {letters * 99}")
    )
    said = await agent.fails("python app.py", ERROR)
    assert default_counter().count(said).tokens <= 200
    assert stored.trace_id
    assert f"query_traces(ids=['{stored.trace_id[:10]}'])" in said
    assert "BEGIN IMMEDIATE" in parse(said)[0]


async def test_an_error_is_found_in_a_huge_output_and_behind_a_pipe(agent: Agent, client: AsyncClient) -> None:
    await client.traces.contribute(contribution(0))
    assert await agent.fails("python app.py", f"{'progress ' * 500_000}\n{ERROR}")
    agent.run = "run-2"
    assert await agent.passes("python app.py 2>&1 | tail -20", ERROR)


async def test_what_mostly_failed_those_who_used_it_is_not_shown(
    agent: Agent, client: AsyncClient, people: Any
) -> None:
    stored = await client.traces.contribute(contribution(0, visibility="team"))
    ann = await people("ann")
    assert stored.trace_id
    await ann.traces.query(Query(ids=[stored.trace_id]))
    await ann.traces.vote(stored.trace_id, "did_not_work", "The lock stayed.")
    assert not await agent.fails("python app.py", ERROR)


async def test_an_unknown_error_is_met_with_silence_and_wanted_by_nobody(agent: Agent, client: AsyncClient) -> None:
    await client.traces.contribute(contribution(0))
    assert not await agent.fails("python app.py", "flurbo.FlurboError: the database is locked by a goose")
    assert await client.traces.wanted() == []


HARMLESS = [
    ("grep -rn OperationalError logs/", ERROR),
    ("rg 'database is locked' | head", ERROR),
    ("git diff --exit-code", f"+{ERROR}"),
    ("diff a.log b.log", ERROR),
    ("cat app.log; exit 1", ERROR),
    ("cd app && tail -50 server.log && false", ERROR),
    ("docker logs web 2>&1 | tail -5", ERROR),
    ("test -f missing.txt", ""),
    ("which flurbo", ""),
    ("pgrep -f app.py", ""),
    ("git show HEAD~1:app.py | grep x", ERROR),
    ("uv --version", ERROR),
    ("pytest -q", "E       assert 3 == 4\n\nFAILED tests/test_a.py::test_sum - assert 3 == 4\n1 failed in 0.1s"),
    ("pytest tests", "E   AssertionError: no cart\n1 failed, 3 passed in 2.10s"),
    ("python -m unittest", "FAIL: test_sum (tests.Sums)\nTraceback (most recent call last):\nAssertionError: 3 != 4"),
    ("make", ""),
]


@pytest.mark.parametrize(("command", "output"), HARMLESS, ids=[command for command, _ in HARMLESS])
def test_an_exit_that_is_an_answer_is_no_failure(command: str, output: str) -> None:
    event = recorded("PostToolUseFailure", tool_input={"command": command}, error=f"Exit code 1\n{output}".strip())
    ran = ran_of(event)
    assert ran
    assert ran.failed
    assert failure_of(ran) is None


@pytest.mark.parametrize(
    "changes",
    [{"is_interrupt": True}, {"error": f"Exit code 124\n{ERROR}"}, {"error": f"Exit code 137\n{ERROR}"}],
    ids=["interrupted", "timed out", "killed"],
)
def test_what_somebody_ended_did_not_fail(changes: dict[str, Any]) -> None:
    event = recorded("PostToolUseFailure", **{"error": f"Exit code 1\n{ERROR}", **changes})
    ran = ran_of(event)
    assert ran
    assert failure_of(ran) is None


def test_what_the_client_knows_to_be_no_error_is_none() -> None:
    said = {"stdout": ERROR, "stderr": "", "interrupted": False}
    event = recorded("PostToolUse", tool_input={"command": "python app.py || true"}, tool_response=said)
    assert (ran := ran_of(event))
    assert failure_of(ran)
    event["tool_response"] = {**said, "returnCodeInterpretation": "No matches found"}
    assert (ran := ran_of(event))
    assert not failure_of(ran)


def test_a_command_that_passes_and_says_error_did_not_fail() -> None:
    said = {"stdout": ERROR, "stderr": "", "interrupted": False}
    event = recorded("PostToolUse", tool_input={"command": "python show_errors.py"}, tool_response=said)
    assert (ran := ran_of(event))
    assert failure_of(ran) is None


def test_every_recorded_payload_is_read() -> None:
    from hooking import PAYLOADS

    failed = [ran for one in PAYLOADS if (ran := ran_of(one)) and failure_of(ran)]
    assert [ran.command for ran in failed] == [
        "python3 -c 'import nonpresent'",
        "python3 -c 'import nonpresent' 2>&1 | tail -3",
        "python3 -c 'print(1)'; python3 -c 'raise ValueError(7)' || true",
    ]
    assert len(json.dumps(PAYLOADS)) > 20_000

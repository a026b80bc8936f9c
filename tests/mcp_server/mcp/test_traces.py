"""The tools for shared knowledge, as an agent uses them."""

from typing import Any

from fastmcp import Client

from commontrace import AsyncClient
from commontrace.models.traces import Contribution
from commontrace.safety.rendering import parse
from doors import People

FIX: dict[str, Any] = {
    "title": "SQLite: database is locked with several writers",
    "problem": "Several processes write to one SQLite file, and some fail at once with OperationalError.",
    "solution": "Cause: a deferred BEGIN takes the write lock too late. Use `BEGIN IMMEDIATE` under a lock file.",
    "error": "sqlite3.OperationalError: database is locked",
    "tags": ["SQLite", "python"],
    "environment": {"language": "python", "packages": ["sqlalchemy>=2,<3"]},
}


async def test_what_one_agent_contributes_the_next_one_finds_by_its_error(agent: Any) -> None:
    stored = await agent.record("contribute_trace", **FIX)
    found = await agent.call("query_traces", error='File "/other/place.py", line 7\n' + FIX["error"])
    assert stored["stored"]
    assert stored["trace_id"][:10] in found
    assert "exactly this error" in found
    assert "BEGIN IMMEDIATE" not in found  # one line a hit until the text is asked for


async def test_ids_give_the_full_text_inside_the_fence(agent: Any) -> None:
    trace_id = (await agent.record("contribute_trace", **FIX))["trace_id"]
    text = await agent.call("query_traces", ids=[trace_id[:10]])
    assert FIX["solution"] in parse(text)[0]


async def test_an_empty_answer_says_what_to_do(agent: Any) -> None:
    text = await agent.call("query_traces", query="quantum flux capacitor misaligned")
    assert "Nothing good enough" in text
    assert "contribute_trace" in text


async def test_the_fit_of_the_callers_versions_is_said(agent: Any) -> None:
    await agent.record("contribute_trace", **FIX)
    text = await agent.call(
        "query_traces", error=FIX["error"], environment={"language": "python", "packages": ["sqlalchemy==1.4.2"]}
    )
    assert "sqlalchemy 1.4.2 is outside >=2,<3" in text


async def test_an_answer_stays_within_max_tokens_and_says_what_it_left_out(agent: Any) -> None:
    for name in ("alpha", "beta", "gamma"):
        body = " ".join(f"{name} step {number} of the reindexing job" for number in range(60))
        await agent.record(
            "contribute_trace", title=f"Reindexing hangs: {name}", problem=f"reindexing hangs in {name}", solution=body
        )
    text = await agent.call("query_traces", query="reindexing hangs", detail="full", max_tokens=700)
    assert "left out" in text
    assert len(text) < 700 * 5


async def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(agent: Any) -> None:
    preview = await agent.record("contribute_trace", **FIX | {"solution": FIX["solution"] + _KEY}, dry_run=True)
    assert not preview["stored"]
    assert preview["redacted"] == ["solution: secret:github-token ×1"]
    assert "[redacted secret:github-token]" in preview["would_store"]["solution"]
    assert "Nothing good enough" in await agent.call("query_traces", error=FIX["error"])


_KEY = " Token: ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2


async def test_a_near_duplicate_is_refused_and_named_until_insisted_on(agent: Any) -> None:
    first = await agent.record("contribute_trace", **FIX)
    nearly = FIX | {"solution": FIX["solution"] + " It helps."}
    refusal = await agent.refusal("contribute_trace", **nearly)
    assert first["trace_id"][:10] in refusal
    assert "insist" in refusal
    assert (await agent.record("contribute_trace", **nearly, insist=True))["stored"]


async def test_the_same_contribution_again_is_said_to_be_there(agent: Any) -> None:
    first = await agent.record("contribute_trace", **FIX)
    again = await agent.record("contribute_trace", **FIX)
    assert again["trace_id"] == first["trace_id"]
    assert "there already" in again["note"]


async def test_risks_are_labelled(agent: Any) -> None:
    risky = FIX | {"solution": "Because the disk is full: `rm -rf / --no-preserve-root` frees all of it."}
    answer = await agent.record("contribute_trace", **risky)
    assert answer["labels"] == ["risky command: deletes a root or home folder"]


async def test_a_vote_on_ones_own_trace_is_a_self_report(agent: Any) -> None:
    trace_id = (await agent.record("contribute_trace", **FIX))["trace_id"]
    vote = await agent.record("vote_trace", trace_id=trace_id, outcome="worked")
    assert vote["self_report"]
    assert vote["tier"] == "unproven"


async def test_a_vote_needs_to_have_been_shown_the_trace(agent: Any, people: People) -> None:
    ann = await people("ann")
    theirs = await ann.traces.contribute(Contribution(**_content(), visibility="team"))
    refusal = await agent.refusal("vote_trace", trace_id=theirs.trace_id, outcome="worked")
    await agent.call("query_traces", ids=[theirs.trace_id])
    vote = await agent.record("vote_trace", trace_id=theirs.trace_id, outcome="worked", evidence={"exit_after": 0})
    assert "query_traces with ids" in refusal
    assert (vote["tier"], vote["worked"], vote["people"]) == ("corroborated", 1, 1)


def _content() -> dict[str, Any]:
    return {"title": FIX["title"], "problem": FIX["problem"], "solution": FIX["solution"]}


async def test_wrong_arguments_get_one_line_that_names_the_argument(agent: Any) -> None:
    refusals = {
        "limit": await agent.refusal("query_traces", query="x", limit=500),
        "nonsense": await agent.refusal("query_traces", query="x", nonsense=1),
        "solution": await agent.refusal("contribute_trace", title="t", problem="p"),
        "outcome": await agent.refusal("vote_trace", trace_id="abcdef", outcome="great"),
        "tags.0": await agent.refusal("contribute_trace", **FIX | {"tags": ["no spaces"]}),
    }
    for argument, text in refusals.items():
        assert argument in text
        assert "\n" not in text
        assert "pydantic" not in text.lower()


async def test_a_refused_request_says_what_to_do(agent: Any) -> None:
    assert "Give query, error, tags or ids" in await agent.refusal("query_traces")
    assert "No trace abcdef" in await agent.refusal("vote_trace", trace_id="abcdef", outcome="worked")
    assert "the solution says too little" in await agent.refusal("contribute_trace", **FIX | {"solution": "it is"})


async def test_a_backend_that_is_down_is_said_in_one_line() -> None:
    from functools import partial

    from commontrace import connect_async
    from commontrace.mcp.server import build_server

    connect = partial(connect_async, "http://127.0.0.1:9", timeout=2)
    async with Client(build_server(connect)) as mcp:
        result = await mcp.call_tool("query_traces", {"query": "anything"}, raise_on_error=False)
    assert result.is_error
    assert "cannot be reached. Check COMMONTRACE_URL" in str(result.content[0])


async def test_the_other_tools_read_amend_flag_and_list(expert: Any) -> None:
    trace_id = (await expert.record("contribute_trace", **FIX))["trace_id"]
    read = await expert.call("get_trace", trace_id=trace_id)
    amended = await expert.call("amend_trace", trace_id=trace_id, reason="clearer", title="SQLite: locked by writers")
    flagged = await expert.record("flag_trace", trace_id=trace_id, reason="outdated", note="fixed in 3.51")
    assert FIX["solution"] in parse(read)[0]
    assert "is accepted" in amended
    assert "+SQLite: locked by writers" in parse(amended)[0]
    assert flagged["reason"] == "outdated"
    assert parse(await expert.call("list_tags")) == ["python 1, sqlite 1"]
    assert await expert.call("list_tags", prefix="zz") == "No tags yet."
    cut = await expert.call("list_tags", limit=1)
    assert parse(cut) == ["python 1"]
    assert cut.endswith("There are more: raise limit, or give a prefix.")


async def test_reading_a_trace_whole_entitles_to_vote(expert: Any, people: People, client: AsyncClient) -> None:
    ann = await people("ann")
    theirs = await ann.traces.contribute(Contribution(**_content(), visibility="team"))
    await expert.call("get_trace", trace_id=theirs.trace_id)
    vote = await expert.record("vote_trace", trace_id=theirs.trace_id, outcome="worked_with_changes", note="other path")
    assert vote["worked_with_changes"] == 1
    assert (await client.traces.get(str(theirs.trace_id))).standing.tier == "corroborated"

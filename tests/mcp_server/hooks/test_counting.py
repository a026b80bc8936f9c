"""What is counted, on this machine alone, and a share that is held out of it for comparison."""

from pathlib import Path

import pytest
from fastmcp import Client as McpClient

from commandline import Cli
from commontrace import AsyncClient, connect_async
from commontrace.fingerprint import fingerprint
from commontrace.hooks.surroundings import hooks_folder
from commontrace.mcp.counting import Counted
from commontrace.mcp.server import Around, build_server
from factories import contribution
from hooking import serving_hooks

ERRORS = [
    f"flurbo.FlurboError: {word} is not a region"
    for word in ["moon", "mars", "venus", "pluto", "earth", "saturn", "uranus", "ceres", "juno", "vesta"]
]


async def _seen(client: AsyncClient, tmp_path: Path) -> list[str]:
    """The errors of which something was said."""
    for place, error in enumerate(ERRORS):
        made = contribution(0, title=f"Region {place} {error[-20:]}", problem=error, errors=[error], insist=True)
        await client.traces.contribute(made)
    async with serving_hooks(client, tmp_path) as agent:
        return [error for error in ERRORS if await agent.fails("python app.py", error)]


async def test_what_hooks_show_is_counted_and_drawn(client: AsyncClient, tmp_path: Path, cli: Cli) -> None:
    assert "Nothing was counted yet" in cli.good("stats")
    assert await _seen(client, tmp_path) == ERRORS
    totals = cli.json("stats")["totals"]
    assert (totals["recognised"], totals["shown"], totals["held_out"]) == (10, 10, 0)
    assert 10 * 20 < totals["tokens"] <= 10 * 200
    drawn = cli.good("stats")
    assert "10 fixes shown" in " ".join(drawn.split())
    assert "█" * 30 in drawn


async def test_a_share_stays_silent_and_is_the_same_each_time(
    client: AsyncClient, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_HOOKS_HOLDOUT", "0.5")
    held = [error for error in ERRORS if int((fingerprint(error) or "")[:8], 16) < 2**31]
    assert 0 < len(held) < len(ERRORS)
    assert await _seen(client, tmp_path) == [error for error in ERRORS if error not in held]
    told = cli.json("stats")
    assert (told["totals"]["recognised"], told["totals"]["held_out"]) == (len(ERRORS), len(held))
    assert told["holdout"] == 0.5


async def test_outcomes_and_tokens_of_tools_are_counted(url: str, client: AsyncClient, cli: Cli) -> None:
    trace_id = (await client.traces.contribute(contribution(0))).trace_id
    server = build_server(lambda: connect_async(url), around=Around(counted=[Counted(hooks_folder())]))
    async with McpClient(server) as mcp:
        await mcp.call_tool("query_traces", {"error": contribution(0).errors[0]})
        await mcp.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "worked"})
        with pytest.raises(Exception, match="note"):
            await mcp.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "unsafe"})
    totals = cli.json("stats")["totals"]
    assert totals["outcomes"] == 1
    assert 20 < totals["tokens"] < 500


def test_damaged_notes_count_nothing_and_break_nothing(cli: Cli) -> None:
    path = Path(hooks_folder()) / "notes.db"
    path.parent.mkdir(parents=True)
    for arguments in (("stats",), ("learn", "--dry-run"), ("quickstart",)):
        path.write_bytes(b"no database " * 500)
        cli.good(*arguments)

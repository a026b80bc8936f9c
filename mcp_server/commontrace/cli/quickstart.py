"""`commontrace quickstart`: starter traces, one query as an agent sees it, and what to do next."""

from typing import TYPE_CHECKING, Any, Final

from commontrace._transport import without_password
from commontrace.cli.command import command
from commontrace.cli.learn import found_lately
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.models.search import Query
from commontrace.safety.rendering import render_answer

if TYPE_CHECKING:
    from commontrace import Client

ERROR: Final = "sqlite3.OperationalError: database is locked"
_STEPS: Final = (
    ("commontrace setup claude-code", "give Claude Code the tools in this folder"),
    ("commontrace setup claude-desktop", "the same for Claude Desktop"),
    ('commontrace query "…"', "look for a fix yourself"),
    ("commontrace contribute FIX.json", "keep one of yours; it stays private"),
    ("trace commit -m … FILE", "keep a state of a conversation"),
)


@command("quickstart")
def quickstart() -> None:
    """Load the starter traces, look up one real error, and say how to give an agent the tools. Safe to run again."""
    with open_client() as client:
        found = _gathered(client) | {"findings": found_lately()}
    answer(found, lambda screen: _draw(screen, found))


def _gathered(client: "Client") -> dict[str, Any]:
    starter = client.traces.load_starter()
    index = client.traces.query(Query(error=ERROR, limit=3))
    best = [hit.short_id for hit in index.hits[:1]]
    whole = client.traces.query(Query(ids=best, max_tokens=1500)) if best else index
    return {
        "url": without_password(client.url),
        "starter": starter.model_dump(),
        "error": ERROR,
        "answer": index.model_dump(mode="json"),
        "agent_sees": render_answer(index),
        "then_reads": render_answer(whole),
        "best": best,
    }


def _draw(screen: Screen, found: dict[str, Any]) -> None:
    starter = found["starter"]
    there = f", {starter['existing']} there already" if starter["existing"] else ""
    screen.line(("✓ ", "bold green"), f"{counted(starter['added'], 'starter trace')} added{there}")
    screen.line(("✓ ", "bold green"), f"stored in {found['url']}")
    screen.line()
    screen.line(("An agent meets ", "bold"), (found["error"], "bold red"), (" and is told:", "bold"))
    screen.quote(found["agent_sees"], f'query_traces(error="{found["error"]}")')
    for identifier in found["best"]:
        screen.line(("It reads the one that fits:", "bold"))
        screen.quote(found["then_reads"], f'query_traces(ids=["{identifier}"])')
    if found["findings"]:
        fixes = counted(found["findings"], "fix", "fixes")
        screen.line(("Your agents' past transcripts hold ", "bold"), (fixes, "bold green"), (" of their own:", "bold"))
        screen.line(("commontrace learn", "cyan"), " shows each before it is kept, as a private trace.", indent=2)
        screen.line()
    screen.line(("Next", "bold"))
    screen.table([((step, "cyan"), (what, "dim")) for step, what in _STEPS], indent=2)

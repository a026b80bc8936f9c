"""`commontrace quickstart`: starter traces, one query as an agent sees it, and what to do next."""

from typing import TYPE_CHECKING, Any, Final

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.cli.status import without_password
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
        found = _gathered(client)
    answer(found, lambda screen: _draw(screen, found))


def _gathered(client: "Client") -> dict[str, Any]:
    starter = client.traces.load_starter()
    result = client.traces.query(Query(error=ERROR, limit=2, detail="full", max_tokens=1200))
    return {
        "url": without_password(client.url),
        "starter": starter.model_dump(),
        "error": ERROR,
        "answer": result.model_dump(mode="json"),
        "agent_sees": render_answer(result),
    }


def _draw(screen: Screen, found: dict[str, Any]) -> None:
    from rich.panel import Panel
    from rich.text import Text

    from commontrace.cli.output import printable

    starter = found["starter"]
    there = f", {starter['existing']} there already" if starter["existing"] else ""
    screen.line(("✓ ", "bold green"), f"{counted(starter['added'], 'starter trace')} added{there}")
    screen.line(("✓ ", "bold green"), f"stored in {found['url']}")
    screen.line()
    screen.line(("An agent meets ", "bold"), (found["error"], "bold red"), (" and is told:", "bold"))
    screen.line()
    screen.console.print(
        Panel(Text(printable(found["agent_sees"])), title="query_traces(error=…)", border_style="cyan", expand=False),
        soft_wrap=False,
    )
    screen.line()
    screen.line(("Next", "bold"))
    screen.table([((step, "cyan"), (what, "dim")) for step, what in _STEPS], indent=2)

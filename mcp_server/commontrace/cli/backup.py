"""`commontrace backup` and `restore`: the whole store in one file, and back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, counted, note
from commontrace.cli.state import desk
from commontrace.settings import default_remotes, default_sync_memory

if TYPE_CHECKING:
    from commontrace.models.operation import BackupReport

Told = Callable[[int, int], None]


@command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write everything that the store holds to FILE, as it stands at one moment, while others go on writing.

    What is known of remotes lies in files beside the store, which are named and not in it.
    The file also holds the secret behind the API keys: keep it as safe as the database.
    """
    made = _followed("Backing up", lambda told: desk().back_up(file, told))
    answer(made, lambda screen: _draw(screen, made, f"{made.file} written"))
    beside = [str(place) for place in (default_remotes(), default_sync_memory()) if place.exists()]
    if beside:
        note(
            (
                f"Not in it: {' and '.join(beside)} (remotes with their keys, cursors, what waits). Copy them too.",
                "yellow",
            )
        )


@command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--into", metavar="PATH", type=click.Path(path_type=Path), help="A new SQLite file instead of the URL.")
def restore(file: Path, into: Path | None) -> None:
    """Load the backup FILE into an empty store: all of it, or nothing. A store that holds anything is refused.

    A backup of SQLite can be restored into PostgreSQL, and the other way round.
    """
    if not file.exists():
        raise click.UsageError(f"There is no file {file}. To bring back a withdrawn trace: commontrace unwithdraw ID")
    target = desk(f"sqlite:///{into.absolute()}" if into else None)
    done = _followed("Restoring", lambda told: target.restore(file, told))
    answer(done, lambda screen: _draw(screen, done, f"{done.file} restored"))


def _followed(doing: str, work: "Callable[[Told], Awaitable[BackupReport]]") -> "BackupReport":
    """Do it, with a bar on standard error where a person looks on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Screen(stderr=True).console
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing, total=0)

        def told(done: int, more: int) -> None:
            progress.update(task, advance=done, total=(progress.tasks[0].total or 0) + more)

        async def run() -> "BackupReport":
            return await work(told)

        return asyncio.run(run())


def _draw(screen: Screen, report: "BackupReport", said: str) -> None:
    traces, contexts = report.rows.get("traces", 0), report.rows.get("repositories", 0)
    screen.line((said, "bold"), f": {counted(sum(report.rows.values()), 'row')}, {report.bytes:,} bytes")
    taken = f"schema {report.schema_number}, taken from {report.engine} at {report.created_at}"
    screen.line((f"{counted(traces, 'trace')}, {counted(contexts, 'context')}; {taken}", "dim"))

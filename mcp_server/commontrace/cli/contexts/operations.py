"""`trace init`, `repos`, `undo`, `redo`, `reflog`: which contexts there are, and what was done in one."""

from collections.abc import Sequence
from pathlib import Path

import click

from commontrace.cli.contexts.command import context_command, open_repository, repository
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.models.contexts import OperationInfo, RepositoryInfo
from commontrace.project import remember


@context_command("init")
@click.argument("name", required=False)
def init(name: str | None) -> None:
    """Create the context of this folder, before its first commit; NAME goes into .commontrace.toml.

    Without NAME it is called like the checkout. One that is there already stays as it is.
    """
    chosen = name or repository()
    with open_client() as client:
        made = client.contexts.create(chosen)
    written = name is not None and name != repository() and remember(Path.cwd(), name)
    answer(made, lambda screen: _made(screen, made, written=written))


def _made(screen: Screen, made: RepositoryInfo, *, written: bool) -> None:
    screen.line("The context ", (made.name, "bold green"), " is ready", " (.commontrace.toml)" if written else "")
    if not made.branches:
        screen.line(("Begin: trace commit -m … --text …", "dim"))


@context_command("undo")
def undo() -> None:
    """Take back the newest operation of this folder: a commit, a deleted branch, a switch, whatever it was."""
    with open_client() as client:
        taken = client.contexts.open(repository()).undo()
    answer(taken, lambda screen: screen.line(f"Took back: {taken.summary}"))


@context_command("redo")
def redo() -> None:
    """Do again what undo took back last."""
    with open_client() as client:
        done = client.contexts.open(repository()).redo()
    answer(done, lambda screen: screen.line(f"Did again: {done.summary}"))


@context_command("reflog")
@LIMIT
def reflog(limit: int) -> None:
    """What was done to the refs, newest first, by whom; what undo took back is marked."""
    with open_client() as client:
        found = first(client.contexts.open(repository()).operations, limit)
    answer(found, lambda screen: _operations(screen, found))


def _operations(screen: Screen, found: Sequence[OperationInfo]) -> None:
    screen.table(
        [
            (
                (str(item.operation_id), "yellow"),
                f"{item.created_at:%Y-%m-%d %H:%M:%S}",
                (item.kind, "dim" if item.undone else "bold"),
                item.contributor,
                (f"{item.summary}{' (undone)' if item.undone else ''}", "dim" if item.undone else ""),
            )
            for item in found
        ]
    )


@context_command("repos")
@LIMIT
def repos(limit: int) -> None:
    """The contexts that you may see."""
    with open_client() as client:
        found = first(client.contexts.repositories, limit)
    answer(found, lambda screen: _repositories(screen, found))


@context_command("share")
@click.option("--private", is_flag=True, help="Take it back: you alone see it.")
def share(*, private: bool) -> None:
    """Show this context, all of its history, to everybody in your organization; they may then write to it too."""
    with open_repository() as repo:
        found = repo.share("private" if private else "team")
    who = "you alone" if private else "everybody in your organization"
    answer(found, lambda screen: screen.line((found.name, "bold"), f" is now seen by {who}"))


def _repositories(screen: Screen, found: Sequence[RepositoryInfo]) -> None:
    if not found:
        screen.line("No contexts yet: trace commit -m … --text …")
    screen.table(
        [
            (
                (item.name, "bold"),
                counted(item.branches, "branch", "branches"),
                item.visibility,
                f"since {item.created_at:%Y-%m-%d}",
            )
            for item in found
        ]
    )

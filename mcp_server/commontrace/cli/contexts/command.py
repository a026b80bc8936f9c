"""What every context command has: the repository it works in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from commontrace.cli.command import Command
from commontrace.cli.output import Part
from commontrace.cli.state import State, state
from commontrace.models.contexts import TokenCount


def _keep(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(State).repository = value


def repository_option() -> click.Option:
    """`-R NAME`, before or after the command."""
    return click.Option(
        ["-R", "--repo"],
        metavar="NAME",
        expose_value=False,
        callback=_keep,
        help="The context to work in. Default: `repository` in .commontrace.toml, else the checkout's name.",
    )


class ContextCommand(Command):
    """A command that works in one repository."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(repository_option())


def context_command(name: str) -> Callable[[Callable[..., None]], ContextCommand]:
    """Make a function a context command of this name; its docstring is the help."""
    return click.command(name, cls=ContextCommand)


def repository() -> str:
    """The repository that was asked for, else the folder's."""
    from commontrace.project import default_repository

    return state().repository or default_repository(Path.cwd())


def short(commit_id: str | None) -> Part:
    """The first digits of a commit, in their colour."""
    return (commit_id or "")[:10], "yellow"


def tokens(count: TokenCount) -> str:
    """`42 tokens`, or `~42 tokens` where it is an estimate."""
    return f"{'~' if count.method == 'estimated' else ''}{count.tokens:,} token{'' if count.tokens == 1 else 's'}"

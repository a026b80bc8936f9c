"""Commands and groups: shared options, lazy loading, and the one place where an error becomes an exit code."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import click
from rich_click import RichCommand, RichGroup, RichHelpConfiguration

from commontrace.cli.output import report
from commontrace.cli.state import State

FAILED: Final = 1
INTERRUPTED: Final = 130


def _keep_url(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    state = context.ensure_object(State)
    state.url = value if value is not None else state.url


def _keep_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    state = context.ensure_object(State)
    state.json = state.json or value


def _shared() -> list[click.Parameter]:
    """The options that every command takes."""
    return [
        click.Option(
            ["--url"],
            metavar="URL",
            expose_value=False,
            is_eager=True,
            callback=_keep_url,
            help="The backend: sqlite:///path, postgresql://… or https://host. Else COMMONTRACE_URL or your own store.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_keep_json,
            help="Print one JSON document and nothing else.",
        ),
    ]


class Command(RichCommand):
    """A command that knows the shared options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _shared()


def command(name: str) -> Callable[[Callable[..., None]], Command]:
    """Make a function a command of this name; its docstring is the help."""
    return click.command(name, cls=Command)


class Lazy(NamedTuple):
    """Where a command lives and what the group's help says of it."""

    module: str
    attribute: str
    summary: str


class LazyGroup(RichGroup):
    """A group that imports a command's module only when it is invoked.

    Args:
        sections: heading of the group's help to commands by name, in the order they are shown.
    """

    def __init__(self, name: str, sections: Mapping[str, Mapping[str, Lazy]], **kwargs: Any) -> None:
        groups = [{"name": heading, "commands": list(part)} for heading, part in sections.items()]
        looks = RichHelpConfiguration(command_groups={"*": groups}, style_commands_table_column_width_ratio=(1, 4))  # type: ignore[dict-item] # rich-click's own stub knows fewer keys
        super().__init__(name=name, context_settings={"rich_help_config": looks, **_HELP}, **kwargs)
        self.params += _shared()
        self.lazy: dict[str, Lazy] = {key: lazy for part in sections.values() for key, lazy in part.items()}
        self._summaries = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the help."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; while help is printed, a stand-in with its summary."""
        del ctx
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return None
        if self._summaries:
            return RichCommand(name=cmd_name, short_help=lazy.summary)
        found: click.Command = getattr(import_module(lazy.module), lazy.attribute)
        return found

    def get_help(self, ctx: click.Context) -> str:
        """The help, without importing a single command."""
        self._summaries = True
        try:
            return super().get_help(ctx)
        finally:
            self._summaries = False

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors, Ctrl-C and a closed pipe become exit codes."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _forget_output()
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if not report(error, as_json=ctx.ensure_object(State).json):
                raise
            ctx.exit(FAILED)
        return result


_HELP: Final = {"help_option_names": ["-h", "--help"]}


def _forget_output() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())

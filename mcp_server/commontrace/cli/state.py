"""What the global options say, and the client they lead to."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from commontrace import Client


@dataclass
class State:
    """The global options, given before or after the command."""

    url: str | None = None
    json: bool = False
    repository: str | None = None


def state() -> State:
    """The state of the command that runs."""
    return click.get_current_context().ensure_object(State)


def open_client() -> "Client":
    """The client for `--url`, else for the environment and the config file; HEAD is this folder's."""
    from commontrace import connect
    from commontrace.project import working_copy
    from commontrace.settings import Settings

    return connect(state().url, working_copy=Settings().working_copy or working_copy(Path.cwd()))


def desk(url: str | None = None) -> Any:
    """What is done next to the data, for `url`, `--url`, the environment or the config file."""
    from commontrace._transport import beside_the_data
    from commontrace.settings import Settings

    return beside_the_data(url or state().url or Settings().url)

"""`commontrace remote`: other stores that knowledge moves to and from."""

import sys
from typing import Final

import click

from commontrace.cli.command import Lazy, LazyGroup, command
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import open_client, state
from commontrace.models.syncing import OutboxItem, RemoteInfo

remote: Final = LazyGroup(
    "remote",
    {
        "Remotes": {
            "add": Lazy(__name__, "add", "Add a server, a store or a folder"),
            "list": Lazy(__name__, "list_remotes", "Every remote"),
            "show": Lazy(__name__, "show", "One remote, and what waits for it"),
            "remove": Lazy(__name__, "remove", "Forget a remote and its key"),
        }
    },
    help="Other stores, as remotes are in git: a team's server, another store of yours, or a folder in a git checkout.",
)


@command("add")
@click.argument("name")
@click.argument("place", metavar="URL")
@click.option(
    "--key-from",
    metavar="VARIABLE|prompt|stdin",
    help="Where the key of a server is read from: a variable of the environment, a prompt, or standard input.",
)
def add(name: str, place: str, key_from: str | None) -> None:
    """Add the remote NAME at URL: https://host, sqlite:///path, or a folder with one file a trace.

    The key of a server is kept in a file that only you may read, is bound to this URL, and is never shown. Added again
    with the same NAME and URL, it takes another key.
    """
    with open_client() as client:
        added = client.remotes.add(name, place, _key(key_from))
    answer(added, lambda screen: _draw(screen, [added]))


def _key(key_from: str | None) -> str:
    if key_from is None:
        return ""
    if key_from == "stdin":
        return sys.stdin.readline().strip()
    if key_from == "prompt":
        return str(click.prompt("Key", hide_input=True, err=True)).strip()
    from commontrace.settings import variable

    return variable(key_from)


@command("list")
def list_remotes() -> None:
    """Every remote, by name."""
    with open_client() as client:
        found = client.remotes.all()
    answer(found, lambda screen: _draw(screen, found))


def _draw(screen: Screen, remotes: list[RemoteInfo]) -> None:
    if not remotes:
        screen.line("There is no remote. Add one: commontrace remote add origin https://… --key-from prompt")
    keyed = {True: "with a key", False: ""}
    screen.table([[(one.name, "bold"), one.url, (f"{one.kind} {keyed[one.has_key]}", "dim")] for one in remotes])


@command("show")
@click.argument("name", default="")
def show(name: str) -> None:
    """The remote NAME, and what waits for it to answer."""
    with open_client() as client:
        found = client.remotes.get(name)
        waiting = client.remotes.outbox(found.name)
    if state().json:
        answer({**found.model_dump(), "outbox": [item.model_dump(mode="json") for item in waiting]}, _nothing)
        return
    screen = Screen()
    _draw(screen, [found])
    draw_outbox(screen, waiting)


def _nothing(_screen: Screen) -> None: ...


def draw_outbox(screen: Screen, waiting: list[OutboxItem]) -> None:
    """What waits, and why."""
    if waiting:
        screen.line((f"{counted(len(waiting), 'thing')} in the outbox; commontrace sync delivers it.", "yellow"))
    for item in waiting:
        tried = f" · tried {counted(item.tries, 'time')}: {item.problem}" if item.tries else ""
        screen.line(f"{item.kind} {item.subject}", (f" for {item.remote}{tried}", "dim"), indent=2)


@command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the remote NAME, its key, and what waits for it. Nothing is removed there or here."""
    with open_client() as client:
        gone = client.remotes.remove(name)
    answer(gone, lambda screen: screen.line(f"{gone.name} is forgotten; what came from there stays."))

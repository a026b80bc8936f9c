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
            "retry": Lazy(__name__, "retry", "Let what a remote refused wait for it again"),
            "drop": Lazy(__name__, "drop", "Give up what waits, or was refused"),
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


def draw_outbox(screen: Screen, items: list[OutboxItem]) -> None:
    """What waits and what was refused, and why."""
    waiting = [item for item in items if not item.refused]
    if waiting:
        screen.line((f"{counted(len(waiting), 'thing')} in the outbox; commontrace sync delivers it.", "yellow"))
        _draw_items(screen, waiting)
    refused = [item for item in items if item.refused]
    if refused:
        said = f"{counted(len(refused), 'thing')} of the outbox refused and put aside"
        screen.line((f"{said}; commontrace remote retry NUMBER, or remote drop NUMBER", "bold red"))
        _draw_items(screen, refused)


def _draw_items(screen: Screen, items: list[OutboxItem]) -> None:
    for item in items:
        tried = f" · tried {counted(item.tries, 'time')}: {item.problem}" if item.tries else ""
        screen.line((f"{item.item_id} ", "bold"), f"{item.kind} {item.subject}", (f" for {item.remote}{tried}", "dim"))


@command("retry")
@click.argument("items", metavar="[NUMBER]...", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that was put aside, for any remote.")
def retry(items: tuple[int, ...], *, everything: bool) -> None:
    """Let what a remote refused, and `commontrace status` numbers, wait for it again; `commontrace sync` delivers it.

    Do that once the reason is gone: the key may more now, the trace was amended.
    """
    with open_client() as client:
        aside = [item.item_id for item in client.remotes.outbox() if item.refused] if everything else []
        if not items and not everything:
            raise click.UsageError("Give the numbers of things in the outbox, or --all.")
        found = client.remotes.retry(*items, *aside)
    answer(found, lambda screen: screen.line(f"{counted(len(found), 'thing')} waits again: commontrace sync"))


@command("drop")
@click.argument("items", metavar="NUMBER...", nargs=-1, required=True, type=int)
def drop(items: tuple[int, ...]) -> None:
    """Give up what waits in the outbox, or was refused, by the numbers that `commontrace status` shows.

    It is not sent; nothing is removed here or there.
    """
    with open_client() as client:
        gone = client.remotes.drop(*items)
    answer(gone, lambda screen: screen.line(f"{counted(len(gone), 'thing')} given up; it is not sent."))


@command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the remote NAME, its key, and what waits for it. Nothing is removed there or here."""
    with open_client() as client:
        gone = client.remotes.remove(name)
    answer(gone, lambda screen: screen.line(f"{gone.name} is forgotten; what came from there stays."))

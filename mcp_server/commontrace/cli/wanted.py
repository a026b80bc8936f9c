"""`commontrace wanted`: what was asked in vain and nobody has answered since."""

import click

from commontrace.cli.command import command
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.models.search import Wanted

_WIDTH = 100


@command("wanted")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many at most.")
def wanted(limit: int) -> None:
    """What was asked in vain: most people first, then most often.

    Questions that come to the same are one: the same error, or nearly the same words. Once a query for it finds
    something it is gone from here; what was last asked half a year ago is, too.
    """
    with open_client() as client:
        found = client.traces.wanted(limit)
    answer(found, lambda screen: _draw(screen, found))


def _draw(screen: Screen, found: list[Wanted]) -> None:
    if not found:
        screen.line("Nothing was asked in vain.")
        return
    head: list[Part] = [(name, "dim") for name in ("asked", "by", "last", "for")]
    screen.table([head, *(_row(item) for item in found)])
    screen.line(("If you know one: commontrace contribute --title … --problem … --solution …", "dim"))


def _row(item: Wanted) -> list[Part]:
    lines = item.example.strip().splitlines()
    # An error says at its end what went wrong, words at their beginning what is wanted.
    said = lines[-1] if item.fingerprint else lines[0]
    return [
        (f"{item.times:,}×", "bold"),
        counted(item.people, "person", "people"),
        f"{item.last_asked:%Y-%m-%d}",
        (said if len(said) <= _WIDTH else f"{said[:_WIDTH]}…", "cyan"),
    ]

"""`commontrace stats`: whether it helps, counted on this machine alone."""

from typing import Any, Final

import click

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer
from commontrace.hooks.notes import Notes
from commontrace.hooks.surroundings import hooks_folder
from commontrace.settings import Settings

_NAMES: Final = {
    "recognised": "errors recognised",
    "shown": "fixes shown",
    "held_out": "held out",
    "outcomes": "outcomes reported",
    "tokens": "tokens returned",
}
_BAR: Final = 30


@command("stats")
@click.option("--days", type=click.IntRange(1, 3650), default=14, show_default=True, help="How many days to draw.")
def stats(days: int) -> None:
    """Show what hooks and tools did for you: counted in a file on this machine, sent nowhere.

    With the setting hooks_holdout a share of the recognised errors is counted and not shown, so that runs with and
    without help can be compared.
    """
    counters = Notes(hooks_folder()).counters()
    totals = {name: sum(day.get(name, 0) for day in counters.values()) for name in _NAMES}
    shown = dict(list(counters.items())[-days:])
    told = {"totals": totals, "holdout": Settings().hooks_holdout, "days": shown}
    answer(told, lambda screen: _draw(screen, totals, shown))


def _draw(screen: Screen, totals: dict[str, int], days: dict[str, dict[str, int]]) -> None:
    screen.table([(f"{totals[name]:,}", (said, "dim")) for name, said in _NAMES.items()], indent=2)
    if not days:
        screen.line(("Nothing was counted yet: hooks count once an agent runs with them.", "dim"))
        return
    screen.line()
    most = max([day.get("recognised", 0) for day in days.values()] + [1])
    screen.table([_bar(name, day, most) for name, day in days.items()], indent=2)
    screen.line(("█ shown  ░ held out", "dim"), indent=2)


def _bar(name: str, day: dict[str, Any], most: int) -> tuple[str, str, tuple[str, str]]:
    shown, held = (round(_BAR * day.get(what, 0) / most) for what in ("shown", "held_out"))
    return name, str(day.get("recognised", 0)), ("█" * shown + "░" * held, "green")

"""Packages: how many misspelled names are told from known ones, and how many honest names look like others."""

import importlib.metadata
import random
import string
import tomllib
from importlib.resources import files
from pathlib import Path

from commontrace.safety.packages import verdict
from safety_parts import Table, cpu, share

TITLE = "Packages"
SEED = 20_261_121
EACH = 2


def typos(name: str, dice: random.Random) -> str:
    """A name with one slip: a letter more, less, other, two exchanged, another separator, a word that reassures."""
    place = dice.randrange(1, len(name) - 1)
    letter = dice.choice(string.ascii_lowercase)
    return dice.choice([
        name[:place] + name[place + 1 :],
        name[:place] + letter + name[place:],
        name[:place] + letter + name[place + 1 :],
        name[: place - 1] + name[place] + name[place - 1] + name[place + 1 :],
        name.replace("-", "") if "-" in name else f"{name[:place]}-{name[place:]}",
        f"python-{name}",
        f"{name}-official",
        f"{name}2",
    ])  # fmt: skip


def run(data: Path) -> list[Table]:
    """Recall on slips of known names; alarms on what this environment has installed and is not on the list."""
    del data
    dice = random.Random(SEED)
    known = tomllib.loads((files("commontrace.safety") / "rules" / "packages.toml").read_text("utf-8"))
    names = sorted({name for listed in known.values() for name in listed["names"].split()})
    slips = {
        typos(name, dice) for name in names if len(name) > 5 and not name.startswith("@") for _ in range(EACH)
    } - set(names)
    found = sum(verdict(slip)[0] == "look-alike" for slip in slips)
    installed = sorted({str(one.metadata["Name"]).lower() for one in importlib.metadata.distributions()})
    kinds = {name: verdict(name) for name in installed}
    alarms = [{"name": name, "like": like} for name, (kind, like) in kinds.items() if kind == "look-alike"]
    rows = [
        {"names": f"{len(slips)} slips of known names", "called look-alike": share(found, len(slips))},
        {"names": f"{len(installed)} installed here", "called look-alike": share(len(alarms), len(installed))},
    ]
    return [
        Table("Names", rows, f"{len(names)} names are known"),
        Table("Honest and called look-alike", alarms),
        Table("Cost of a name", [cpu(verdict, [*slips])]),
    ]

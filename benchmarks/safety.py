"""How well the safety pipeline does: recall and false alarms on open attack sets, and what it costs.

Each module of `safety_parts` is a section; a new one needs a docstring, `TITLE` and `run(data) -> list[Table]`.

    python benchmarks/safety.py [--data DIR] [--only NAME ...] [--json]
"""

import argparse
import importlib
import json
import pkgutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safety_parts
from safety_parts import Table

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def sections() -> dict[str, Any]:
    """Every section by its name: the modules of `safety_parts` that have a title."""
    names = [module.name for module in pkgutil.iter_modules(safety_parts.__path__)]
    modules = {name: importlib.import_module(f"safety_parts.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "TITLE")}


def shown(table: Table) -> str:
    """A table in columns; empty for one without rows."""
    if not table.rows:
        return f"{table.title}\n  nothing"
    names = list(table.rows[0])
    cells = [names, *([str(row[name]) for name in names] for row in table.rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    body = ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join([table.title, *(line.rstrip() for line in body), *([f"  ({table.note})"] if table.note else [])])


def main(arguments: Sequence[str] | None = None) -> None:
    known = sections()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=BESIDE, help="folder with safety/ and retrieval/")
    parser.add_argument("--only", nargs="+", choices=sorted(known), default=list(known), metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one JSON object: section -> tables")
    wanted = parser.parse_args(arguments)
    answers: dict[str, list[dict[str, Any]]] = {}
    for name in wanted.only:
        tables = known[name].run(wanted.data)
        answers[name] = [asdict(table) for table in tables]
        if not wanted.json:
            print(f"\n== {known[name].TITLE}\n", *map(shown, tables), sep="\n")
    if wanted.json:
        print(json.dumps(answers, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()

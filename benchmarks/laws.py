"""The laws of contexts on as many made-up cases as are wanted; ends with 1 if one does not hold.

First the core: every law of `tests/backend/contexts/test_core_laws.py` on generated histories. Then sequences of
operations through the SDK, everything checked after each of them, and every pair of operations counted: there in a row,
in the core on the two sides of a merge, which matters most where both touch one message. Then some of
the same sequences on SQLite and PostgreSQL, blocking and asynchronous, whose answers must be the same. A sequence that
fails is told by its number: `--first NUMBER --sequences 1` runs it again.
"""

import argparse
import asyncio
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from itertools import combinations, pairwise, product
from pathlib import Path
from random import Random
from typing import Any

from hypothesis.errors import UnsatisfiedAssumption

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/backend/contexts")]
os.environ["COMMONTRACE_EMBEDDER"] = "none"


from commontrace import AsyncClient, connect, connect_async  # noqa: E402
from deeds import DEEDS, OPENING, settled  # noqa: E402
from graphs import KINDS, History, history, together, two  # noqa: E402
from stories import Story  # noqa: E402

NAMES = list(DEEDS)
AT_ONCE = 20
EVERY = 20  # seconds
# Only one side can append a slot, so that nothing else is done to it on the other.
PAIRS = {False: [*product(KINDS, KINDS)], True: [*product(KINDS[1:], KINDS[1:])]}


@dataclass
class Tally:
    """What was done, and what failed."""

    checked: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    together: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count in what somebody else did."""
        self.checked += other.checked
        self.pairs += other.pairs
        self.together += other.together
        self.succeeded += other.succeeded
        self.steps += other.steps
        self.failures += other.failures


def laws() -> dict[str, Callable[..., None]]:
    """The laws of the core, without what makes histories for them up."""
    found = inspect.getmembers(import_module("test_core_laws"), lambda one: hasattr(one, "hypothesis"))
    return {name.removeprefix("test_"): law.hypothesis.inner_test for name, law in found}


def core(numbers: Iterable[int]) -> Tally:
    """Every law on a history of each number."""
    warnings.simplefilter("ignore")  # of Hypothesis, that nobody searches for an example here
    tally = Tally()
    for number in numbers:
        found = history(Random(number))
        for one, other in merges(found, chosen(number)):
            tally.together.update(together(found, one, other))
        for name, law in laws().items():
            try:
                law(found, chosen(number))
                tally.checked[name] += 1
            except UnsatisfiedAssumption:
                continue
            except Exception:  # noqa: BLE001 - it is told, and the next law is checked
                tally.failures.append(f"history {number}, {name}:\n{traceback.format_exc(limit=-3)}")
    return tally


def chosen(number: int) -> Random:
    """What a law chooses by: other numbers than the history was made of."""
    return Random(f"law {number}")


def merges(found: History, random: Random) -> list[tuple[str, str]]:
    """The commits that are brought together: in the history, and first of all by the laws on merging."""
    made = [pair for commit in found.commits.values() for pair in combinations(commit.parents, 2)]
    return [*made, two(found, random)]


def deeds(number: int, steps: int) -> list[str]:
    """The operations of a sequence."""
    return [*OPENING, *Random(number).choices(NAMES, k=steps)]


def stories(numbers: Iterable[int], steps: int) -> Tally:
    """Sequences of operations on a repository each, in a store of their own."""
    return asyncio.run(_stories(numbers, steps))


async def _stories(numbers: Iterable[int], steps: int) -> Tally:
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        async with connect_async(f"sqlite:///{folder}/store.db") as client:
            for number in numbers:
                await _tell(client, number, steps, tally)
    return tally


async def _tell(client: AsyncClient, number: int, steps: int, tally: Tally) -> None:
    story = Story(client, f"story-{number}", Random(number))
    done = []
    try:
        for name in deeds(number, steps):
            await story.step(name)
            done.append(name)
        await story.end()
        tally.checked["sequences"] += 1
    except Exception:  # noqa: BLE001 - it is told, and the next one follows
        tally.failures.append(f"sequence {number} at step {len(done)}:\n{traceback.format_exc(limit=-3)}")
    tally.steps += len(done)
    tally.pairs.update(pairwise(done))
    tally.succeeded.update(story.done)


async def _told(client: Any, number: int, steps: int) -> list[str]:
    story = Story(client, f"story-{number}", Random(number))
    for name in deeds(number, steps):
        await story.step(name)
    return story.told


async def _told_asynchronously(url: str, numbers: Iterable[int], steps: int) -> list[list[str]]:
    async with connect_async(url) as client:
        return [await _told(client, number, steps) for number in numbers]


def everywhere(numbers: list[int], steps: int) -> Tally:
    """The same sequences, blocking and asynchronous, on both databases."""
    tally = Tally()
    server = subprocess.Popen([sys.executable, str(ROOT / "tests/postgres.py")], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    postgres = server.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as folder:
        with connect(f"sqlite:///{folder}/blocking.db") as client:
            expected = [settled(_told(client, number, steps)) for number in numbers]
        for url in (f"sqlite:///{folder}/asynchronous.db", postgres):
            for number, one, other in zip(
                numbers, expected, asyncio.run(_told_asynchronously(url, numbers, steps)), strict=True
            ):
                tally.checked[f"as on {url.partition(':')[0]}, asynchronous"] += one == other
                if one != other:
                    tally.failures.append(f"sequence {number} is told otherwise on {url.partition(':')[0]}")
    server.terminate()
    server.wait()
    return tally


def spread(work: Callable[..., Tally], numbers: range, processes: int, *options: Any) -> Tally:
    """Do it in several processes, saying now and then how far it is."""
    tally, began, said = Tally(), time.perf_counter(), 0.0
    parts = [range(start, min(start + AT_ONCE, numbers.stop)) for start in range(numbers.start, numbers.stop, AT_ONCE)]
    with ProcessPoolExecutor(processes) as pool:
        for part, found in enumerate(pool.map(work, parts, *([option] * len(parts) for option in options)), 1):
            tally.add(found)
            for failure in found.failures:
                print(failure, flush=True)
            passed = time.perf_counter() - began
            if passed > said + EVERY or part == len(parts):
                print(f"{work.__name__}: {min(part * AT_ONCE, len(numbers))} in {passed:.0f} s", flush=True)
                said = passed
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=1000, help="of the core, and through the SDK")
    parser.add_argument("--steps", type=int, default=20, help="operations of a sequence, behind those that begin it")
    parser.add_argument("--everywhere", type=int, default=20, help="sequences on both databases and both clients")
    parser.add_argument("--first", type=int, default=0, help="the number of the first sequence")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=["core", "stories", "everywhere"], help="one part of it")
    given = parser.parse_args()
    numbers = range(given.first, given.first + given.sequences)
    total = Tally()
    if given.only in {None, "core"}:
        total.add(spread(core, numbers, given.processes))
    if given.only in {None, "stories"}:
        total.add(spread(stories, numbers, given.processes, given.steps))
    if given.only in {None, "everywhere"}:
        total.add(everywhere([*range(given.first, given.first + given.everywhere)], given.steps))
    return _print(total)


def _print(total: Tally) -> int:
    for name, times in sorted(total.checked.items()):
        print(f"{times:>8}  {name.replace('_', ' ')}")
    if total.steps:
        print(f"{total.steps:>8}  operations, of which {total.succeeded.total()} changed something")
        for name in NAMES:
            print(f"{total.succeeded[name]:>8}  {name.replace('_', ' ')}")
        print(f"{len(total.pairs):>8}  of {len(NAMES) ** 2} pairs of operations in a row")
    if total.together:
        _print_together(total.together)
    for failure in total.failures:
        print(failure)
    figures = {
        "checked": dict(total.checked),
        "operations": total.steps,
        "pairs": len(total.pairs),
        "pairs_possible": len(NAMES) ** 2,
        "pairs_merged": [
            f"{sum(same == wanted for _, _, same in total.together)} of {len(PAIRS[wanted])}" for wanted in PAIRS
        ],
        "failures": len(total.failures),
    }
    print(json.dumps(figures))
    return 1 if total.failures else 0


def _print_together(found: Counter[tuple[str, str, bool]]) -> None:
    """How often which operations were on the two sides of a merge and touched one slot, and what was missed."""
    print("merged: how often ours (down) and theirs (across) touched one slot")
    print(" " * 10 + "".join(f"{kind:>9}" for kind in KINDS[1:]))
    for ours in KINDS[1:]:
        print(f"{ours:>9} " + "".join(f"{found[ours, theirs, True]:>9}" for theirs in KINDS[1:]))
    for same, wanted in PAIRS.items():
        missing = [pair for pair in wanted if not found[*pair, same]]
        where = "on one slot" if same else "on two slots"
        share = f"{1 - len(missing) / len(wanted):.0%}"
        print(f"{len(wanted) - len(missing):>8}  of {len(wanted)} pairs on the two sides of a merge, {where}: {share}")
        print(*(f"          missing: {' with '.join(pair)}\n" for pair in missing), sep="", end="")


if __name__ == "__main__":
    sys.exit(main())

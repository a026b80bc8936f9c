"""Mistakes made on purpose in the core of version control, and whether a test notices each; they stand in mutants.toml.

Every mutant is tried in a copy of the tree, with the tests that mutants.toml names for its file, to the first failure.
Ends with 1 if fewer than nine in ten are killed; those that are marked as equivalent count for nothing.
"""

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LISTED = Path(__file__).with_suffix(".toml")
COPIED = ("mcp_server", "backend", "tests", "benchmarks", "pyproject.toml")
GOAL = 0.9
HISTORIES = 300  # made up ones, of which each is asked for every law
_LAWS = ["benchmarks/laws.py", "--only", "core", "--processes", "1"]
_QUIETLY = ["-q", "--no-header", "--tb=no", "-rfE", "-n", "0", "-p", "no:cacheprovider"]
_PYTEST = ["-m", "pytest", "-x", *_QUIETLY, "--hypothesis-seed=0", "--hypothesis-profile=hasty"]
_TOO_LONG = {-24, -9}  # SIGXCPU, and SIGKILL a second later
_NOTICED = {1, 2}  # what pytest ends with when a test fails, and when not even its module can be imported


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        name: what it is called.
        file: where it is made.
        old: what stands there once.
        new: what is put in its place.
        breaks: the law that does not hold any more.
        equivalent: why no test can notice it; empty where one should.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    equivalent: str = ""

    def source(self, root: Path) -> str:
        """The file with the mistake in it; raises ValueError where it cannot be made."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: its old text stands {text.count(self.old)} times in {self.file}.")
        mutated = text.replace(self.old, self.new)
        compile(mutated, self.file, "exec")
        return mutated


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed, survived or timeout, by which test, in how many seconds."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float


class Plan:
    """The mutants, and which tests are asked for each."""

    def __init__(self, listed: Path = LISTED) -> None:
        read = tomllib.loads(listed.read_text(encoding="utf-8"))
        self.mutants = [Mutant(**fields) for fields in read["mutant"]]
        self._tests: dict[str, list[str]] = read["tests"]
        self._sets: dict[str, list[str]] = read["sets"]

    def tests(self, file: str) -> list[str]:
        """The tests for a file: those of the longest path that it lies under."""
        nearest = max((path for path in self._tests if file.startswith(path)), key=len)
        return [test for named in self._tests[nearest] for test in self._sets.get(named, [named])]


@contextmanager
def mutated(tree: Path, mutant: Mutant) -> Iterator[None]:
    """A copy of the tree with the mistake in it, for a while."""
    path = tree / mutant.file
    whole = path.read_text(encoding="utf-8")
    for text in (mutant.source(tree), None):
        before = path.stat().st_mtime_ns
        path.write_text(text or whole, encoding="utf-8")
        os.utime(path, ns=(before + 10**10, before + 10**10))  # else what was compiled within the second is taken
        if text:
            try:
                yield
            except BaseException:
                path.write_text(whole, encoding="utf-8")
                raise


def ask(tree: Path, tests: list[str], seconds: int) -> tuple[str, str]:
    """Run tests in a copy up to the first failure, the laws in a copy first: what came of it, and what failed."""
    shutil.rmtree(tree / ".hypothesis", ignore_errors=True)  # what one mutant was caught by is no help for the next
    if "laws" in tests:
        done = _run(tree, [*_LAWS, "--sequences", str(HISTORIES)], seconds)
        if done.returncode:
            return _outcome(done, [line for line in done.stdout.splitlines() if line.startswith("history")])
    done = _run(tree, [*_PYTEST, *(test for test in tests if test != "laws")], seconds)
    return _outcome(done, [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))])


def _run(tree: Path, arguments: list[str], seconds: int) -> subprocess.CompletedProcess[str]:
    """Python in a copy, ended by the system after some seconds of CPU: how busy the machine is does not count."""
    path = os.pathsep.join([str(tree / "mcp_server"), str(tree / "backend")])
    return subprocess.run(
        ["sh", "-c", f'ulimit -t {seconds}; exec "$@"', "sh", sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _outcome(done: subprocess.CompletedProcess[str], failed: list[str]) -> tuple[str, str]:
    if done.returncode in _TOO_LONG:
        return "timeout", ""
    if done.returncode not in {0, *_NOTICED}:
        raise RuntimeError(f"It ends with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return ("killed", failed[0].partition(" - ")[0] if failed else "") if done.returncode else ("survived", "")


def copied(folder: Path, number: int) -> Path:
    """A copy of the tree."""
    tree = folder / str(number)
    tree.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name)
        else:
            shutil.copy2(ROOT / name, tree / name)
    return tree


def tried(plan: Plan, mutants: list[Mutant], jobs: int, seconds: int) -> Iterator[Verdict]:
    """Each mutant with what became of it, in order."""
    for mutant in mutants:
        mutant.source(ROOT)  # all can be made, or nothing is begun
    trees: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for number in range(jobs):
            trees.put(copied(Path(folder), number))

        def one(mutant: Mutant) -> Verdict:
            tree, began = trees.get(), time.perf_counter()
            try:
                with mutated(tree, mutant):
                    outcome, by = ask(tree, plan.tests(mutant.file), seconds)
            finally:
                trees.put(tree)
            return Verdict(mutant, outcome, by, time.perf_counter() - began)

        yield from pool.map(one, mutants)


def check_unmutated(plan: Plan, mutants: list[Mutant], seconds: int) -> None:
    """Without a mistake every test passes; else nothing can be learned. Raises RuntimeError."""
    tests = dict.fromkeys(test for mutant in mutants for test in plan.tests(mutant.file))
    with tempfile.TemporaryDirectory() as folder:
        outcome, by = ask(copied(Path(folder), 0), [*tests], 5 * seconds)
    if outcome != "survived":
        raise RuntimeError(f"Without any mistake: {outcome} {by}.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this mutant; can be given several times")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument("--seconds", type=int, default=200, help="of CPU that the tests of a mutant may take")
    parser.add_argument("--unchecked", action="store_true", help="do not run the tests without a mistake first")
    given = parser.parse_args()
    plan = Plan()
    mutants = [mutant for mutant in plan.mutants if not given.only or mutant.name in given.only]
    if unknown := {*(given.only or ())} - {mutant.name for mutant in mutants}:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}")
    if not given.unchecked:
        check_unmutated(plan, mutants, given.seconds)
    verdicts = []
    for verdict in tried(plan, mutants, given.jobs, given.seconds):
        verdicts.append(verdict)
        note = verdict.by or (f"equivalent: {verdict.mutant.equivalent}" if verdict.mutant.equivalent else "")
        print(f"{verdict.outcome:<9} {verdict.seconds:>5.0f} s  {verdict.mutant.name}  {note}", flush=True)
    return _print(verdicts)


def _print(verdicts: list[Verdict]) -> int:
    counted = [verdict for verdict in verdicts if not verdict.mutant.equivalent]
    outcomes = Counter(verdict.outcome for verdict in counted)
    rate = 1 - outcomes["survived"] / len(counted) if counted else 1.0
    survivors = [verdict.mutant for verdict in counted if verdict.outcome == "survived"]
    print(f"{rate:.1%} of {len(counted)} noticed, {outcomes['timeout']} of them by taking too long")
    for mutant in survivors:
        print(f"survived: {mutant.name} in {mutant.file}: {mutant.breaks}")
    figures = {
        "mutants": len(counted),
        "killed": outcomes["killed"],
        "timeouts": outcomes["timeout"],
        "survived": [mutant.name for mutant in survivors],
        "equivalent": len(verdicts) - len(counted),
        "rate": round(rate, 3),
    }
    print(json.dumps(figures))
    return 0 if rate >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

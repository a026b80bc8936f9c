"""How well error fingerprints hold: programs that fail are run again elsewhere, and each text's key is compared.

Each case of benchmarks/failures/*.toml is one failing program with words that vary: `@name@` tells two failures
apart (another module, symbol, table, file …); everything else is the place: folder, user, shifted lines, the name
of the file, ports, values, and the version of the tool. All runs with one name must agree (same error); runs with
two names must not (near miss). A tool, or a library that a case `needs`, which is not on this machine is left out
and said.

    python benchmarks/fingerprints.py [--tool KIND=PATH ...] [--postgres URL] [--record DIR] [--held-out]
"""

import argparse
import http.server
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from commontrace.fingerprint import VERSION, fingerprint, normalise

HERE = Path(__file__).parent
SECONDS = 120

ALONE: Final = "node npm tsc jest esbuild webpack prettier uv rustc cargo go javac java perl php ruby make cmake mvn"
SEARCHED: Final[dict[str, tuple[str, ...]]] = {
    "python": tuple(f"python3.{minor}" for minor in range(10, 16)),
    "shell": ("bash", "dash", "zsh", "ksh", "mksh", "sh"),
    "cc": ("gcc", "gcc-11", "gcc-13", "clang", "clang-19"),
    "c++": ("g++", "g++-11", "g++-13", "clang++", "clang++-19"),
    "lua": ("lua5.4", "lua"),
    **{name: (name,) for name in ALONE.split()},
}
"""What a kind of tool is called on the PATH; pyenv's interpreters are added."""


@dataclass(frozen=True)
class Place:
    """Where a program fails: none of it is part of the error."""

    user: str
    folder: str
    prefix: str
    shift: int
    value: str
    number: int
    colour: bool = False


PLACES: Final = (
    Place("ann", "home/ann/projects/shop", "", 0, "alice", 3),
    Place("bob", "builds/bob/web-7f3a9c2e/src", "my_", 17, "bob-42", 12, colour=True),
)


@dataclass
class Group:
    """The outputs of one failure, wherever it was run."""

    case: str
    kind: str
    name: str
    held_out: bool
    texts: list[str] = field(default_factory=list)

    def keys(self) -> list[str | None]:
        """The fingerprint of each output."""
        return [fingerprint(text) for text in self.texts]


class Web(http.server.BaseHTTPRequestHandler):
    """Answers /status/<number> with that status."""

    def do_GET(self) -> None:
        """Answer with the number in the path."""
        found = re.match(r"/status/(\d+)", self.path)
        self.send_response(int(found[1]) if found else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the report readable."""


def cases(chosen: list[str]) -> Iterator[dict[str, Any]]:
    for path in sorted((HERE / "failures").glob("*.toml")):
        shared = tomllib.loads(path.read_text(encoding="utf-8"))
        for case in shared.pop("case"):
            whole = {"kind": path.stem, **shared, **case}
            if "skip" not in whole and (not chosen or whole["kind"] in chosen):
                yield whole


def tools(extra: list[str]) -> dict[str, list[str]]:
    """Every tool of each kind on this machine, each real program once."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    folders = sorted(Path("~/.pyenv/versions").expanduser().glob("3.1[0-9]*/bin/python"))
    named = [("python", str(path)) for path in folders]
    named += [(kind, path) for kind, path in (one.split("=", 1) for one in extra)]
    named += [(kind, path) for kind, names in SEARCHED.items() for name in names if (path := shutil.which(name))]
    for kind, path in named:
        if "/shims/" not in path and (kind == "shell" or not _broken(path)):
            key = (
                path
                if kind in {"npm", "tsc", "jest", "webpack", "prettier", "shell", "python"}
                else str(Path(path).resolve())
            )
            found[kind].setdefault(key, path)
    return {kind: list(paths.values()) for kind, paths in found.items()}


@cache
def _broken(path: str) -> bool:
    flag = "version" if Path(path).name == "go" else "-v" if Path(path).name.startswith("lua") else "--version"
    return subprocess.run([path, flag], capture_output=True, check=False, timeout=SECONDS).returncode != 0


@cache
def has(tool: str, needs: str, postgres: str) -> bool:
    modules = [need for need in needs.split() if need != "postgres"]
    if "postgres" in needs and not postgres:
        return False
    asked = [tool, "-c", ";".join(f"import {module}" for module in modules) or "pass"]
    return not modules or subprocess.run(asked, capture_output=True, check=False).returncode == 0


@cache
def major(tool: str) -> int:
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
    return int(next(iter(re.findall(r"\d+", said)), "0"))


def run(case: dict[str, Any], name: str, tool: str, place: Place, world: dict[str, str]) -> str:
    """The output of a program that fails in its place; the folder is made for it and removed."""
    with tempfile.TemporaryDirectory(prefix="fp") as root:
        folder = Path(root, place.folder)
        home = Path(root, "home", place.user)
        for path in (folder, home):
            path.mkdir(parents=True, exist_ok=True)
        file = _named(case, place)
        words = {
            "name": name, "tool": tool, "file": file, "stem": Path(file).stem, "folder": str(folder), "root": root,
            "value": place.value, "number": str(place.number), "user": place.user,
            "port": str(20_000 + place.number * 37), **world,
        }  # fmt: skip
        program = _filled("\n".join([*[case.get("comment", "")] * place.shift, case.get("program", "")]), words)
        for path, text in {file: program, **case.get("files", {})}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(text, words), encoding="utf-8")
        return _run(_filled(case["run"], words), folder, home, place, tool).replace(root, "")


def _named(case: dict[str, Any], place: Place) -> str:
    file = Path(case.get("file", "unused.txt"))
    fixed = file.stem in {"Main", "Makefile", "CMakeLists", "lib"} or case["tool"] == "cargo"
    prefix = "" if fixed else "test_" if file.stem.startswith("test_") else place.prefix
    return str(file.with_name(prefix + file.name))


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda found: words.get(found[1], found[0]), text)


def _run(command: str, folder: Path, home: Path, place: Place, tool: str) -> str:
    kept = {key: os.environ[key] for key in ("PATH", "RUSTUP_HOME", "CARGO_HOME", "JAVA_HOME") if key in os.environ}
    kept["PATH"] = f"{Path(tool).parent}:{kept['PATH']}"
    kept.setdefault("RUSTUP_HOME", str(Path("~/.rustup").expanduser()))
    environment = {**kept, "HOME": str(home), "USER": place.user, "LANG": "C.UTF-8", "COLUMNS": "160"}
    environment |= {"NO_PROXY": "*", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": "/tmp/fp-go-cache"}
    if place.colour:
        environment |= {"FORCE_COLOR": "1", "CARGO_TERM_COLOR": "always", "PYTHON_COLORS": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, timeout=SECONDS, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")


def groups(chosen: list[str], extra: list[str], world: dict[str, str], *, held_out: bool) -> Iterator[Group]:
    """Every failure with all the texts that it was seen as, and what was left out on standard error."""
    have = tools(extra)
    absent: dict[str, int] = defaultdict(int)
    for case in cases(chosen):
        if bool(case.get("held_out")) != held_out:
            continue
        use = [
            tool
            for tool in have.get(case["tool"], [])
            if has(tool, case.get("needs", ""), world["postgres"]) and major(tool) >= case.get("min", 0)
        ]
        if not use:
            absent[f"{case['tool']} {case.get('needs', '')}".strip()] += 1
        for name in case["names"]:
            yield from _seen(case, name, use, world)
    for needed, count in absent.items():
        print(f"left out, not on this machine: {needed} ({count} cases)", file=sys.stderr)


def _seen(case: dict[str, Any], name: str, use: list[str], world: dict[str, str]) -> Iterator[Group]:
    found: dict[str, Group] = {}
    for tool, place in itertools.product(use, PLACES):
        family = "clang" if case.get("families") and "clang" in tool else ""
        group = found.setdefault(
            family, Group(f"{case['name']} {family}".strip(), case["kind"], name, bool(case.get("held_out")))
        )
        text = run(case, name, tool, place, world)
        group.texts.append(text)
        lines = [line for line in text.splitlines() if re.search(case.get("excerpt", r"(?!)"), line)]
        group.texts.extend(lines[:1])
    yield from found.values()


def generated(fills: int = 6) -> list[Group]:
    """Failures of tools that are seldom installed, by template: what varies is drawn, `@name@` tells them apart."""
    draw = random.Random(7)
    templates = json.loads((HERE / "failures" / "templates.json").read_text(encoding="utf-8"))
    return [
        Group(
            f"template {number}",
            "templates",
            name,
            held_out=True,
            texts=[_drawn(row["text"], name, draw) for _ in range(fills)],
        )
        for number, row in enumerate(templates)
        for name in row["names"]
    ]


def _drawn(text: str, name: str, draw: random.Random) -> str:
    clock = f"{draw.randint(10, 23)}:{draw.randint(10, 59)}:{draw.randint(10, 59)}.{draw.randint(100, 999)}"
    user, host = draw.choice(["ann", "bob", "ci-runner", "root"]), draw.choice(["db1", "10.2.3.4", "cache.acme.test"])
    path = draw.choice([f"/home/{user}/shop", "/srv/app", "/Users/ann/code/web", "/builds/42/shop"])
    words = {
        "name": name, "user": user, "host": host, "path": path, "line": str(draw.randint(1, 9999)),
        "port": str(draw.randint(1024, 65535)), "pid": str(draw.randint(2, 99999)),
        "hash": f"{draw.getrandbits(64):016x}", "uuid": str(uuid.UUID(int=draw.getrandbits(128))),
        "time": f"2026-{draw.randint(1, 12):02}-{draw.randint(1, 28):02} {clock}",
        "duration": f"{draw.uniform(0.1, 900):.1f}s", "size": f"{draw.uniform(1, 80):.2f} GiB",
        "version": f"{draw.randint(0, 9)}.{draw.randint(0, 30)}.{draw.randint(0, 9)}",
        "url": f"https://{user}.acme.test/{draw.randint(1, 99)}.git",
    }  # fmt: skip
    return _filled(text, words)


@dataclass
class Score:
    """Pairs counted, and those that came out wrong."""

    same: int = 0
    agree: int = 0
    near: int = 0
    collide: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, group: Group, others: list[Group]) -> None:
        """Compare a failure's texts with each other and with those of its near misses."""
        keys = group.keys()
        pairs = list(itertools.combinations(keys, 2))
        good = sum(one == other is not None for one, other in pairs)
        self.same += len(pairs)
        self.agree += good
        if good < len(pairs):
            shapes = {normalise(text) for text in group.texts}
            self.wrong.append(f"differ: {group.kind}: {group.case} ({group.name})\n  " + "\n  ".join(map(repr, shapes)))
        for other in others:
            theirs = other.keys()
            hits = sum(one == two for one in keys for two in theirs if one)
            self.near += len(keys) * len(theirs)
            self.collide += hits
            if hits:
                said = f"{group.kind}: {group.case} ({group.name} / {other.name}): {normalise(group.texts[0])!r}"
                self.wrong.append(f"collide: {said}")


def scored(found: list[Group]) -> dict[str, Score]:
    scores: dict[str, Score] = defaultdict(Score)
    by_case: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in found:
        by_case[group.kind, group.case].append(group)
    for (kind, _), of_case in by_case.items():
        for position, group in enumerate(of_case):
            scores[kind].add(group, of_case[position + 1 :])
    return scores


def report(title: str, scores: dict[str, Score], *, verbose: bool) -> dict[str, float]:
    """Print a line for each file of cases; returns the rates over all, in per cent."""
    print(f"\n{title}\n{'':14}{'same pairs':>12}{'agree':>9}{'near pairs':>12}{'collide':>9}")
    total = Score()
    for kind, score in sorted(scores.items()):
        _line(kind, score)
        total.same, total.agree = total.same + score.same, total.agree + score.agree
        total.near, total.collide = total.near + score.near, total.collide + score.collide
    _line("all", total)
    for score in scores.values() if verbose else ():
        print(*score.wrong, sep="\n")
    return {"agree": _rate(total.agree, total.same), "collide": _rate(total.collide, total.near)}


def _rate(count: int, of: int) -> float:
    return round(100 * count / max(1, of), 2)


def _line(kind: str, score: Score) -> None:
    agree, collide = _rate(score.agree, score.same), _rate(score.collide, score.near)
    print(f"{kind:14}{score.same:>12}{agree:>8.2f}%{score.near:>12}{collide:>8.2f}%")


def record(found: list[Group], folder: Path, neutral: list[str]) -> None:
    """Keep the texts as test data, one failure a line; `neutral` holds OLD=NEW for this machine's own words."""
    folder.mkdir(parents=True, exist_ok=True)
    by_kind: dict[str, list[str]] = defaultdict(list)
    for group in found:
        texts = list(dict.fromkeys(_neutral(text, neutral) for text in group.texts))
        texts = texts[:: -(-len(texts) // 5) | 1]  # at most five; odd, because the places take turns
        by_kind[group.kind].append(json.dumps({"case": group.case, "name": group.name, "same": texts}))
    for kind, rows in by_kind.items():
        (folder / f"{kind}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def kept(folder: Path) -> list[Group]:
    """The failures that an earlier run recorded."""
    return [
        Group(row["case"], path.stem, row["name"], held_out=False, texts=row["same"])
        for path in sorted(folder.glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def _neutral(text: str, neutral: list[str]) -> str:
    for pair in neutral:
        old, new = pair.split("=", 1)
        text = text.replace(old, new)
    return text


def timing(found: list[Group]) -> float:
    """Print what 4 kB cost; returns the median in CPU milliseconds."""
    texts = [(text * (1 + 4096 // max(1, len(text))))[:4096] for group in found for text in group.texts[:2]]
    spent = []
    for text in texts:
        began = time.process_time()
        fingerprint(text)
        spent.append(1000 * (time.process_time() - began))
    spent.sort()
    print(f"\n4 kB: median {spent[len(spent) // 2]:.2f} ms, 95 % {spent[len(spent) * 95 // 100]:.2f} ms")
    return round(spent[len(spent) // 2], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", action="append", default=[], metavar="KIND=PATH", help="one more tool to run")
    parser.add_argument("--kind", action="append", default=[], help="only these files of benchmarks/failures")
    parser.add_argument("--postgres", default="", metavar="URL", help="a real server, for the cases that need one")
    parser.add_argument("--record", type=Path, metavar="DIR", help="keep the texts as JSON lines")
    parser.add_argument("--recorded", type=Path, metavar="DIR", help="score the texts kept there instead of running")
    parser.add_argument("--neutral", action="append", default=[], metavar="OLD=NEW", help="replaced in what is kept")
    parser.add_argument("--held-out", action="store_true", help="the cases that the rules were not written with")
    parser.add_argument("--verbose", action="store_true", help="print every pair that came out wrong")
    asked = parser.parse_args()
    found = kept(asked.recorded) if asked.recorded else _ran(asked)
    print(f"fingerprint version {VERSION}: {len(found)} failures, {sum(len(one.texts) for one in found)} texts")
    real = report("real failures run elsewhere", scored(found), verbose=asked.verbose)
    drawn = report("generated by template", scored(generated()), verbose=asked.verbose)
    figures = {"version": VERSION, "real": real, "generated": drawn, "ms_per_4kB": timing(found)}
    if asked.record:
        record(found, asked.record, asked.neutral)
    print(json.dumps(figures))


def _ran(asked: argparse.Namespace) -> list[Group]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world = {"web": f"http://127.0.0.1:{server.server_port}", "postgres": asked.postgres}
    found = list(groups(asked.kind, asked.tool, world, held_out=asked.held_out))
    server.shutdown()
    return found


if __name__ == "__main__":
    main()

"""What hooks cost, and whether what they say is right: processes on recorded payloads, and failures with known fixes.

Four parts. `cost`: each hook as a process, as Claude Code starts it, with a server (starter traces) and without; CPU of
the process, Python's start included, and wall. `precision`: the recorded outputs of the programs in
benchmarks/failures/*.toml; for every second failure a trace with one of its outputs is in the store, beside the starter
traces, and every other output is met as a failing command. What is relevant is counted in three ways: the trace is of
this very case, of the same name in the same corpus (`sqrt_of` undefined to gcc or to clang), or of the same name in any
(no table `users` to psql or to a driver). `ordinary`:
non-zero exits that are answers (grep, diff, test, which, git diff --exit-code, tests first), each with the text of an
error that the store knows. `learning`: made-up sessions in which one step of several is the fix, among reading, tests
that are written first, flakes and work.

    python benchmarks/hooks.py [--runs 30] [--only cost|precision|ordinary|learning]
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
COMMAND: Final = str(Path(sys.executable).with_name("commontrace"))
RECORDED: Final = ROOT / "tests" / "mcp_server" / "fingerprints"
PAYLOADS: Final = ROOT / "tests" / "mcp_server" / "hooks" / "payloads.jsonl"
NAMES: Final = {
    "SessionStart": "session-start",
    "PreToolUse": "pre-tool-use",
    "PostToolUse": "post-tool-use",
    "PostToolUseFailure": "post-tool-use-failure",
    "PreCompact": "pre-compact",
    "SessionEnd": "session-end",
}
RAN: Final = {"python": "python main.py", "shell": "bash main.sh", "node": "node main.js", "compiled": "make"}
PATIENT: Final = 60.0


def payloads() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PAYLOADS.read_text(encoding="utf-8").splitlines()]


# ── cost ──


def spent(name: str, event: dict[str, Any], project: Path) -> tuple[float, float, bool]:
    """CPU and wall of a hook's process in milliseconds, and whether it said something."""
    given = json.dumps({**event, "cwd": str(project)}).encode()
    begun = time.perf_counter()
    process = subprocess.Popen([COMMAND, "hook", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.close()
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return 1000 * (usage.ru_utime + usage.ru_stime), 1000 * (time.perf_counter() - begun), bool(said)


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(int(share * len(values)), len(values) - 1)], 1)


def _known_error(event: dict[str, Any]) -> dict[str, Any]:
    error = (
        'Exit code 1\nTraceback (most recent call last):\n  File "app.py", line 3, in <module>\n    db.execute(sql)\n'
    )
    known = {"tool_name": "Bash", "tool_input": {"command": "python app.py"}}
    return {**known, "error": f"{error}sqlite3.OperationalError: database is locked"} if "error" in event else {}


def costs(project: Path, runs: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for event_name, name in NAMES.items():
        events = [event for event in payloads() if event["hook_event_name"] == event_name]
        # A run of its own each time, so that nothing was told before; and an error that a starter trace knows.
        taken = [
            spent(name, {**event, **_known_error(event), "session_id": f"{name}-{number}"}, project)
            for number, event in zip(range(runs), itertools.cycle(events))
        ]
        cpu, wall = [one[0] for one in taken], [one[1] for one in taken]
        found[name] = {
            "cpu_p50": percentile(cpu, 0.5),
            "cpu_p99": percentile(cpu, 0.99),
            "wall_p50": percentile(wall, 0.5),
            "wall_p99": percentile(wall, 0.99),
            "spoke": sum(one[2] for one in taken),
        }
    return found


@contextmanager
def served(project: Path) -> Iterator[None]:
    """A server over stdio, warm."""
    environment = {**os.environ, "CLAUDE_PROJECT_DIR": str(project)}
    process = subprocess.Popen([COMMAND, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdin is not None
    assert process.stdout is not None
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hooks", "version": "1"}}
    for number, (method, params) in enumerate((("initialize", about), ("tools/list", {})), 1):
        said = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(said).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
    time.sleep(6)
    yield
    process.stdin.close()
    process.wait(30)


def cost(home: Path, runs: int) -> dict[str, Any]:
    project = home / "project"
    (project / ".git").mkdir(parents=True)
    subprocess.run([COMMAND, "quickstart"], check=True, capture_output=True)
    with served(project):
        warm = costs(project, runs)
    return {"server": warm, "none": costs(project, runs)}


# ── precision ──


def failures() -> Iterator[tuple[str, str, list[str]]]:
    """Each failure: its name, a command, and its recorded outputs."""
    for path in sorted(RECORDED.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            name = f"{path.stem}: {case['case']}: {case['name']}"
            yield name, RAN.get(path.stem, "python main.py"), case["same"]


class Met:
    """A store with traces, and a hook that is asked in this process."""

    def __init__(self, client: Any, folder: str) -> None:
        from commontrace.hooks.answering import Answering

        self._hook = Answering(client, folder, holdout=0.0, drain=lambda: asyncio.sleep(0))
        self._runs = itertools.count()

    async def says(self, command: str, output: str, project: Path) -> str:
        """What a failing command is answered, in a run of its own."""
        event = {
            "session_id": f"run-{next(self._runs)}",
            "cwd": str(project),
            "hook_event_name": "PostToolUseFailure",
            "tool_name": "Bash",
            "tool_input": {"command": command},
            "error": f"Exit code 1\n{output}",
        }
        said = await self._hook.answer("post-tool-use-failure", json.dumps(event).encode(), PATIENT)
        return str(json.loads(said)["hookSpecificOutput"]["additionalContext"]) if said else ""


async def known(client: Any) -> set[str]:
    """Store a trace for every second failure; returns their names."""
    from commontrace.models.traces import Contribution

    await client.traces.load_starter()
    stored = set()
    for name, _, outputs in itertools.islice(failures(), 0, None, 2):
        made = Contribution(
            title=f"[{name}]"[:200],
            problem="It stops with this error, because a thing that it needs is not as it has to be.",
            solution=f"Mend what {name} needs: `mend --now`.",
            errors=[outputs[0][:8_000]],
            insist=True,
        )
        await client.traces.contribute(made)
        stored.add(name)
    return stored


async def precision(client: Any, folder: str, project: Path) -> dict[str, Any]:
    from commontrace.hooks.wording import BUDGET, tokens

    stored, hook = await known(client), Met(client, folder)
    shown = asked = longest = 0
    relevant = dict.fromkeys(("very_case", "same_corpus", "same_name"), 0)
    found_again = dict(relevant)
    wrong: list[str] = []
    for name, command, outputs in failures():
        for output in outputs[1:] if name in stored else outputs:
            asked += name in stored
            if not (said := await hook.says(command, output, project)):
                continue
            shown += 1
            longest = max(longest, tokens(said))
            found = next((line[3:-1] for line in said.splitlines() if line.startswith("| [")), "a starter trace")
            told, meant = found.split(": "), name.split(": ")
            same = {"very_case": told == meant, "same_corpus": (told[0], told[-1]) == (meant[0], meant[-1])}
            for way, right in {**same, "same_name": told[-1] == meant[-1]}.items():
                relevant[way] += right
                found_again[way] += right and name in stored
            wrong += [] if told == meant else [f"{name}: {found[:120]}"]
    for one in wrong:
        print("  another case:", one)
    assert longest <= BUDGET
    return {
        "failures": len(list(failures())),
        "known": len(stored),
        "met": asked,
        "shown": shown,
        **relevant,
        **{f"precision_{way}": round(right / max(shown, 1), 4) for way, right in relevant.items()},
        **{f"recall_{way}": round(right / max(asked, 1), 4) for way, right in found_again.items()},
        "most_tokens": longest,
    }


# ── ordinary exits ──

ORDINARY: Final = """\
grep -rn 'Error' logs/
rg -n Error src | head -20
git grep Error
diff -u a.log b.log
cmp a.bin b.bin
test -s error.log
[ -f error.log ]
which flurbo
command -v flurbo
pgrep -fa worker
git diff --exit-code
git diff --quiet || git diff --stat
cat error.log; false
tail -n 50 server.log && exit 3
head -5 trace.txt; exit 1
docker logs web 2>&1 | grep -i error
kubectl logs pod/web --tail=20; false
journalctl -u web -n 20 && false
cd src && grep -c TODO main.py
jq .error out.json
git log --oneline -5 | grep fix
git show HEAD:app.log | tail; exit 1
ls missing/ ; cat error.log
timeout 5 tail -f server.log
find . -name '*.orig' | grep .
""".splitlines()
TESTS: Final = (
    ("pytest -q", "E       assert {0} == 4\n\nFAILED tests/test_a.py::test_sum - assert {0} == 4\n1 failed in 0.12s"),
    ("python -m unittest", "FAIL: test_{0} (tests.Sums)\nTraceback (most recent call last):\nAssertionError: {0} != 4"),
    ("npx jest", "  ● sums › adds\n\n    expect(received).toBe(expected)\n\n    Expected: 4\n    Received: {0}\n"),
    ("true; false", ""),
)


async def ordinary(client: Any, folder: str, project: Path) -> dict[str, Any]:
    await known(client)
    hook, texts = Met(client, folder), [outputs[0] for _, _, outputs in itertools.islice(failures(), 0, None, 2)]
    chosen = random.Random(7)
    met = [(command, chosen.choice(texts)) for command, _ in itertools.product(ORDINARY, range(16))]
    met += [(command, said.format(number)) for command, said in TESTS for number in range(25)]
    spoke = [command for command, output in met if await hook.says(command, output, project)]
    for command in spoke[:10]:
        print("  spoke:", command)
    return {"exits": len(met), "spoke": len(spoke)}


# ── learning ──


class Session:
    """The lines of a session of Claude Code."""

    def __init__(self, name: str) -> None:
        self.name, self.lines = name, list[dict[str, Any]]()

    def _call(self, tool: str, given: dict[str, Any], said: str, *, failed: bool = False) -> None:
        called = f"c{len(self.lines)}"
        self._line("assistant", {"type": "tool_use", "id": called, "name": tool, "input": given})
        self._line("user", {"type": "tool_result", "tool_use_id": called, "content": said, "is_error": failed})

    def _line(self, role: str, block: dict[str, Any]) -> None:
        above = self.lines[-1]["uuid"] if self.lines else None
        line = {"type": role, "uuid": f"{self.name}-{len(self.lines)}", "parentUuid": above, "sessionId": self.name}
        self.lines.append({**line, "message": {"role": role, "content": [block]}})

    def run(self, command: str, error: str = "") -> None:
        """Run a command that fails with an error, or passes."""
        said = f"Exit code 1\n{error}" if error else "ok"
        self._call("Bash", {"command": command}, said, failed=bool(error))

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file."""
        self._call("Edit", {"file_path": f"/home/dev/{path}", "old_string": old, "new_string": new}, "updated")


def session(chosen: random.Random, number: int) -> tuple[list[dict[str, Any]], str]:
    """The lines of a session, and the step in it that is the fix; empty where there is none."""
    told = Session(f"s{number}")
    run, edit = told.run, told.edit
    word = f"{chosen.choice(['flurbo', 'zipple', 'quorl', 'brindle', 'mosk'])}{number}"
    command = chosen.choice(
        ["python app.py", "npm run build", "cargo build", "make dist", "uv run pytest tests/web.py"]
    )
    error = f"{chosen.choice(['ImportError', 'ConfigError', 'TypeError'])}: {word} is not what it has to be"
    fails, passes, mends = (run, command, error), (run, command), (edit, "config.py", "", f"region_{word}")
    stories: dict[str, list[tuple[Any, ...]]] = {
        "install": [fails, (run, f"pip install {word}"), passes],
        "edit": [fails, mends, passes],
        "twice": [fails, (edit, "guess.py", "a", "b"), fails, mends, passes],
        "test first": [
            (run, "pytest", f"E   assert {number} == 2\n1 failed"),
            (edit, "a.py", "1", "2"),
            (run, "pytest"),
        ],
        "flake": [fails, passes],
        "work": [fails, *((edit, f"{place}.py", "a", "b") for place in range(9)), passes],
        "never": [fails, mends],
        "elsewhere": [fails, mends, (run, "python other.py")],
    }
    kind = chosen.choice(list(stories))
    for step, *words in stories[kind]:
        step(*words)
        run(chosen.choice(["ls -la", "git status", "cat app.py", "grep -rn region src", "git diff | head -40"]))
    fixes = {"install": f"pip install {word}", "edit": f"region_{word}", "twice": f"region_{word}"}
    return told.lines, fixes.get(kind, "")


def learning(home: Path, sessions: int = 400) -> dict[str, Any]:
    from commontrace.hooks.learning import findings_of

    chosen = random.Random(11)
    folder = home / "sessions"
    folder.mkdir()
    fixes = []
    for number in range(sessions):
        lines, fix = session(chosen, number)
        fixes += [fix] if fix else []
        (folder / f"{number}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    begun = time.process_time()
    found = findings_of(sorted(folder.iterdir()))
    right = sum(any(fix in "\n".join(one.solved.failure.steps) for fix in fixes) for one in found)
    return {
        "sessions": sessions,
        "resolved": len(fixes),
        "findings": len(found),
        "right": right,
        "precision": round(right / max(len(found), 1), 4),
        "recall": round(right / max(len(fixes), 1), 4),
        "cpu_ms_a_session": round(1000 * (time.process_time() - begun) / sessions, 1),
    }


async def in_store(home: Path, part: Any) -> dict[str, Any]:
    """Run a part on a store of its own."""
    from commontrace import connect_async

    (home / "project" / ".git").mkdir(parents=True, exist_ok=True)
    async with connect_async(f"sqlite:///{home / (part.__name__ + '.db')}") as client:
        found: dict[str, Any] = await part(client, str(home / part.__name__), home / "project")
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--only", choices=["cost", "precision", "ordinary", "learning"])
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ct") as root:
        home = Path(root)
        os.environ.update(
            HOME=root, XDG_DATA_HOME=f"{root}/d", XDG_CONFIG_HOME=f"{root}/c", COMMONTRACE_EMBEDDER="none"
        )
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "cost": lambda: cost(home, given.runs),
            "precision": lambda: asyncio.run(in_store(home, precision)),
            "ordinary": lambda: asyncio.run(in_store(home, ordinary)),
            "learning": lambda: learning(home),
        }
        for name, part in parts.items():
            if given.only in {None, name}:
                figures[name] = part()
                print(f"{name}:")
                for key, value in figures[name].items():
                    print(f"  {key:12} {value}" if not isinstance(value, dict) else f"  {key}")
                    for hook, numbers in value.items() if isinstance(value, dict) else ():
                        print(f"    {hook:22} {numbers}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""Runs what a page shows: Python blocks as files, console lines as a shell would, in one empty folder."""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# It runs the test that would run it; .ci/run is checked to run it instead.
OURSELVES = "uv run poe check"

_INSTALLED = Path(sys.executable).parent

_FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>\w*)[^\n`]*\n(?P<text>.*?)^(?P=ticks)\s*$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Example:
    """Something a page shows as runnable, and the output it promises (empty: none)."""

    kind: str  # python or shell
    text: str
    line: int
    promised: str = ""


def examples(page: str) -> Iterator[Example]:
    """Blocks marked `python`, and the lines after `$ ` of blocks marked `console` or `bash`."""
    for block in _FENCE.finditer(page):
        line = page.count("\n", 0, block.start()) + 2
        if block["language"] == "python":
            yield Example("python", block["text"], line)
        elif block["language"] in {"console", "bash"}:
            yield from _commands(block["text"], line)


def _commands(text: str, line: int) -> Iterator[Example]:
    for part in re.finditer(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<promised>(?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        number = line + text.count("\n", 0, part.start())
        yield Example("shell", part["command"].replace("\\\n", " "), number, part["promised"].strip())


class Folder:
    """An empty folder with a home of its own, in which examples run one after the other.

    Args:
        place: where to make it.
        scripts: where the commands lie; they come first in the PATH.
    """

    def __init__(self, place: Path, scripts: Path) -> None:
        self._work, self._home = place / "work", place / "home"
        self._work.mkdir(parents=True)
        self._home.mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COMMONTRACE_", "XDG_"))}
        homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(self._home))
        # A narrow or coloured terminal would change the output that the page promises.
        console = {"COLUMNS": "120", "NO_COLOR": "1", "PYTHONUTF8": "1"}
        plain = {"COMMONTRACE_EMBEDDER": "none"}  # as installed without extras
        path = os.pathsep.join([str(scripts), str(_INSTALLED), inherited.get("PATH", "")])
        self._environment = {**inherited, **homes, **console, **plain, "PATH": path}

    def run(self, example: Example) -> None:
        """Run an example; AssertionError when it fails or prints something else than promised."""
        if example.text.strip() == OURSELVES:
            return
        run = self._start(example)
        said = run.stdout + run.stderr
        assert run.returncode == 0, f"line {example.line} ended with {run.returncode}:\n{example.text}\n{said}"
        assert _as_promised(example.promised, run.stdout), f"line {example.line} printed:\n{said}"

    def _start(self, example: Example) -> subprocess.CompletedProcess[str]:
        shell = example.kind == "shell"
        # The package under test is already installed: what `uv run` would start lies beside this interpreter.
        command = re.sub(r"\buv run (?:--\S+ )*", "", example.text) if shell else [sys.executable, "-c", example.text]
        return subprocess.run(
            command,
            shell=shell,
            cwd=self._work,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )


def _as_promised(promised: str, printed: str) -> bool:
    if not promised:
        return True
    wanted = re.sub(r"…", "...", promised) + "\n"
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(wanted, printed, flags)

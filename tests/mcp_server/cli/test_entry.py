import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from commandline import Cli

HEAVY = {"click", "rich_click", "rich", "pydantic", "httpx2", "fastmcp"}


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _bare() -> dict[str, str]:
    """The environment without coverage, which imports much by itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


@pytest.mark.parametrize("script", ["commontrace", "trace"])
def test_the_version_is_answered_without_importing_anything_heavy(script: str) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", _script(script), "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=_bare(),
    )
    assert run.stdout == f"commontrace {version('commontrace')}\n"
    assert not HEAVY & {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}


def test_the_version_is_the_distributions(home: Path) -> None:
    run = subprocess.run([_script("trace"), "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["commontrace", version("commontrace")]


def test_the_stdio_server_starts_without_click() -> None:
    code = (
        "import sys; sys.argv = ['commontrace', 'mcp', '--tools', 'all']\n"
        "from commontrace._entry import main; code = main()"
    )
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_bare(),
    ) as server:
        answer, said = server.communicate(json.dumps(HELLO) + "\n", timeout=60)
    assert json.loads(answer.splitlines()[0])["result"]["serverInfo"]["name"] == "commontrace"
    assert "commontrace.cli" not in said


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


def test_ctrl_c_ends_the_stdio_server_quietly(home: Path) -> None:
    with subprocess.Popen([_script("commontrace"), "mcp"], stdin=-1, stdout=-1, stderr=-1, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        for asked in (
            HELLO,
            {"jsonrpc": "2.0", "id": 2, "method": "ping"},
        ):  # the second is answered by the loop itself
            server.stdin.write(json.dumps(asked) + "\n")
            server.stdin.flush()
            assert '"result"' in server.stdout.readline()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 130, "its input is still open"
        assert server.stderr.read() == ""


def test_the_stdio_server_ends_well_with_its_input(home: Path) -> None:
    run = subprocess.run(
        [_script("commontrace"), "mcp", "--transport=stdio", "--tools=core"],
        input=json.dumps(HELLO) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0
    assert "serverInfo" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mcp", "--transport", "carrier-pigeon"], "carrier-pigeon"),
        (["mcp", "--tools=many"], "many"),
        (["mcp", "--tools"], "--tools"),
        (["mcp", "--verbose", "yes"], "--verbose"),
    ],
)
def test_what_the_fast_path_does_not_know_is_refused_with_usage(arguments: list[str], says: str) -> None:
    run = subprocess.run([_script("commontrace"), *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert says in run.stderr


def test_trace_is_the_context_group(work: Path, url: str) -> None:
    environment = {**os.environ, "COMMONTRACE_URL": url}
    made = subprocess.run(
        [_script("trace"), "-R", "mine", "commit", "-m", "größer", "--text", "héllo", "--json"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=environment,
    )
    assert json.loads(made.stdout)["repository"] == "mine"
    shown = subprocess.run(
        [_script("commontrace"), "context", "log", "-R", "mine", "--oneline"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**environment, "PYTHONIOENCODING": "ascii"},
    )
    assert "größer" in shown.stdout


def test_a_closed_pipe_is_quiet(cli: Cli) -> None:
    # More than a pipe holds, so that the command still writes when nobody reads any more.
    rows = [{"title": f"Title {number}", "solution": f"Do {number}. " * 4_000} for number in range(6)]
    cli.good("import", "-", stdin=json.dumps(rows))
    # Without a buffer of its own, Python takes half a write for a whole one and notices nothing.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen([_script("commontrace"), "export"], stdout=-1, stderr=-1, env=environment) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.read(10)
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 130

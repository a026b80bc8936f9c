import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import Cli

OURS = Path(__file__).parents[3] / ".claude" / "commands"
PROGRAM = str(Path(sys.executable).parent / "commontrace")


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_claude_code_gets_its_server_and_the_slash_commands(cli: Cli, work: Path) -> None:
    said = cli.good("setup", "claude-code")
    entry = {"type": "stdio", "command": PROGRAM, "args": ["mcp"], "alwaysLoad": True}
    assert json.loads((work / ".mcp.json").read_text()) == {"mcpServers": {"commontrace": entry}}
    files = _files(work)
    assert {path.name for path in OURS.glob("*.md")}
    assert {f".claude/commands/{path.name}": path.read_text() for path in OURS.glob("*.md")}.items() <= files.items()
    assert all(str(work / name) in said for name in files)


def test_running_it_again_changes_nothing(cli: Cli, work: Path) -> None:
    cli.good("setup", "claude-code")
    before = _files(work)
    changes = cli.json("setup", "claude-code")["changes"]
    assert {change["action"] for change in changes} == {"unchanged"}
    assert _files(work) == before


def test_a_dry_run_prints_the_diff_and_touches_nothing(cli: Cli, work: Path) -> None:
    (work / ".mcp.json").write_text('{\n  "mcpServers": {}\n}\n')
    said = cli.good("setup", "claude-code", "--dry-run")
    assert f"would update {work / '.mcp.json'}" in said
    assert '+    "commontrace": {' in said
    assert "--- /dev/null" in said
    assert _files(work) == {".mcp.json": '{\n  "mcpServers": {}\n}\n'}


def test_uninstall_takes_back_what_setup_wrote(cli: Cli, work: Path) -> None:
    cli.good("setup", "claude-code")
    assert f"would remove {work / '.mcp.json'}" in cli.good("setup", "claude-code", "--uninstall", "--dry-run")
    cli.good("setup", "claude-code", "--uninstall")
    assert _files(work) == {}
    assert cli.json("setup", "claude-code", "--uninstall")["changes"] == []


LAYOUTS = [
    '{\n    "é": [],\n    "mcpServers": {\n        "x": {\n            "y": "z"\n        }\n    }\n}',
    '{"mcpServers": {"x": {"command": "y"}}, "z": 1}',
    '{\r\n\t"a": 1,\r\n\t"mcpServers": {\r\n\t\t"x": {}\r\n\t}\r\n}\r\n',
    '{\n  "caf\\u00e9": 1\n}\n',
]


@pytest.mark.parametrize("text", LAYOUTS)
def test_other_keys_and_the_layout_stay(cli: Cli, work: Path, text: str) -> None:
    path = work / ".mcp.json"
    path.write_bytes(text.encode())
    cli.good("setup", "claude-code")
    changed = path.read_bytes().decode()
    assert json.loads(changed)["mcpServers"]["commontrace"]
    assert (work / ".mcp.json.bak").read_bytes().decode() == text
    cli.good("setup", "claude-code", "--uninstall")
    restored = path.read_bytes().decode()
    assert json.loads(restored) == json.loads(text)
    assert restored.splitlines()[-2:] == text.splitlines()[-2:]
    assert ("\r\n" in restored, "\t" in restored, "\\u" in restored) == ("\r\n" in text, "\t" in text, "\\u" in text)


def test_the_backup_is_of_what_was_there_first(cli: Cli, work: Path) -> None:
    (work / ".mcp.json").write_text('{"mine": 1}')
    cli.good("setup", "claude-code")
    cli.good("setup", "claude-code", "--url", "sqlite:///elsewhere.db")
    assert (work / ".mcp.json.bak").read_text() == '{"mine": 1}'
    entry = json.loads((work / ".mcp.json").read_text())["mcpServers"]["commontrace"]
    assert entry["env"] == {"COMMONTRACE_URL": "sqlite:///elsewhere.db"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{ // comment\n", "not valid JSON (line 2, column 1)"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "does not hold a JSON object"),
        (b'{"mcpServers": []}', "mcpServers in"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_and_left_as_it_is(cli: Cli, work: Path, text: bytes, says: str) -> None:
    (work / ".mcp.json").write_bytes(text)
    assert says in cli.failed("setup", "claude-code")
    assert [path.name for path in work.iterdir()] == [".mcp.json"]
    assert (work / ".mcp.json").read_bytes() == text


def test_the_mode_and_a_link_stay(cli: Cli, work: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o640)
    (work / ".mcp.json").symlink_to(real)
    cli.good("setup", "claude-code")
    assert (work / ".mcp.json").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "commontrace" in real.read_text()


def test_a_command_that_somebody_changed_is_backed_up_and_kept(cli: Cli, work: Path) -> None:
    name = min(path.name for path in OURS.glob("*.md"))
    mine = work / ".claude" / "commands" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    cli.good("setup", "claude-code")
    assert mine.with_name(f"{name}.bak").read_text() == "mine"
    mine.write_text("mine again")
    cli.good("setup", "claude-code", "--uninstall")
    assert mine.read_text() == "mine again"


def test_the_user_scope_writes_to_the_home(cli: Cli, home: Path, work: Path) -> None:
    (home / ".claude.json").write_text('{"numStartups": 3, "projects": {}}')
    cli.good("setup", "claude-code", "--scope", "user")
    config = json.loads((home / ".claude.json").read_text())
    assert config["numStartups"] == 3
    assert config["mcpServers"]["commontrace"]["command"] == PROGRAM
    assert list((home / ".claude" / "commands").glob("*.md"))
    assert list(work.iterdir()) == []


def test_claude_desktop_gets_its_entry_where_it_looks(cli: Cli, home: Path) -> None:
    cli.good("setup", "claude-desktop")
    [path] = home.rglob("claude_desktop_config.json")
    assert path.parent.name == "Claude"
    assert json.loads(path.read_text()) == {"mcpServers": {"commontrace": {"command": PROGRAM, "args": ["mcp"]}}}
    cli.good("setup", "claude-desktop", "--uninstall")
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(cli: Cli, work: Path) -> None:
    work.chmod(0o500)
    assert "permission denied" in cli.failed("setup", "claude-code")


def test_a_folder_in_the_way_is_named(cli: Cli, work: Path) -> None:
    (work / ".mcp.json").mkdir()
    assert "cannot be read: is a directory" in cli.failed("setup", "claude-code")
    (work / ".mcp.json").rmdir()
    (work / ".claude").write_text("a file")
    assert "cannot be written" in cli.failed("setup", "claude-code")


def test_without_an_installed_command_setup_says_how_to_get_one(work: Path) -> None:
    code = (
        "import sys; sys.executable = '/nowhere/python'; from commontrace.cli.app import app; app(['setup', 'codex'])"
    )
    environment = {**os.environ, "PATH": "/nowhere"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 1
    assert "uv tool install commontrace" in run.stderr
    assert list(work.iterdir()) == []


def test_an_agent_that_is_not_known_is_a_usage_error(cli: Cli) -> None:
    assert "claude-desktop" in cli.failed("setup", "emacs", code=2)

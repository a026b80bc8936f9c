import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commandline import Cli
from commontrace.errors import InvalidInputError
from commontrace.settings import Settings, config_file
from commontrace.setup_agents import jsonc, toml
from commontrace.setup_agents.files import with_entry

PROGRAM = str(Path(sys.executable).parent / "commontrace")
PLAIN = {"command": PROGRAM, "args": ["mcp"]}
LOCAL = {"type": "local", "command": [PROGRAM, "mcp"], "enabled": True}
HERE = {
    "cursor": ("work/.cursor/mcp.json", "mcpServers", PLAIN),
    "codex": ("work/.codex/config.toml", "mcp_servers", PLAIN),
    "gemini": ("work/.gemini/settings.json", "mcpServers", PLAIN),
    "vscode": ("work/.vscode/mcp.json", "servers", {"type": "stdio", **PLAIN}),
    "windsurf": ("home/.codeium/windsurf/mcp_config.json", "mcpServers", PLAIN),
    "opencode": ("work/opencode.json", "mcp", LOCAL),
}
OF_THE_USER = {
    "cursor": "home/.cursor/mcp.json",
    "codex": "home/.codex/config.toml",
    "gemini": "home/.gemini/settings.json",
    "vscode": "home/config/Code/User/mcp.json",
    "windsurf": "home/.codeium/windsurf/mcp_config.json",
    "opencode": "home/.config/opencode/opencode.json",
}


def _said(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text()) if path.suffix == ".toml" else json.loads(path.read_text())


def _hooks(path: Path) -> dict[str, list[str]]:
    events = json.loads(path.read_text())["hooks"]
    return {event: [hook["command"] for group in groups for hook in group["hooks"]] for event, groups in events.items()}


@pytest.mark.parametrize("agent", HERE)
def test_each_agent_gets_its_entry_where_it_looks_and_loses_it_again(cli: Cli, tmp_path: Path, agent: str) -> None:
    place, servers, entry = HERE[agent]
    cli.good("setup", agent)
    assert _said(tmp_path / place) == {servers: {"commontrace": entry}}
    assert [change["action"] for change in cli.json("setup", agent)["changes"]] == ["unchanged"]
    cli.good("setup", agent, "--uninstall")
    assert not (tmp_path / place).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
@pytest.mark.parametrize("agent", OF_THE_USER)
def test_each_agent_is_wired_for_all_projects_in_the_users_file(
    cli: Cli, home: Path, tmp_path: Path, agent: str
) -> None:
    changes = cli.json("setup", agent, "--scope", "user", "--url", "sqlite:///mine.db")["changes"]
    assert [change["path"] for change in changes] == [str(tmp_path / OF_THE_USER[agent])]
    entry = _said(tmp_path / OF_THE_USER[agent])[HERE[agent][1]]["commontrace"]
    assert entry["environment" if agent == "opencode" else "env"] == {"COMMONTRACE_URL": "sqlite:///mine.db"}


def test_without_a_name_every_agent_that_is_here_is_wired(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "No agent was found" in cli.failed("setup")
    (home / ".cursor").mkdir()
    (home / ".codeium" / "windsurf").mkdir(parents=True)
    assert cli.json("setup", "--scope", "user")["agents"] == ["cursor", "windsurf"]
    taken = cli.json("setup", "--scope", "user", "--uninstall")["changes"]
    assert [change["action"] for change in taken] == ["remove", "remove"]


def test_nothing_is_left_of_what_was_taken_back(cli: Cli, home: Path, work: Path) -> None:
    (home / "mine").mkdir()
    before = sorted([*home.rglob("*"), *work.rglob("*")])
    for agent in ("claude-code", *HERE):
        for scope in ("project", "user"):
            cli.good("setup", agent, "--scope", scope)
            cli.good("setup", agent, "--scope", scope, "--uninstall")
    assert sorted([*home.rglob("*"), *work.rglob("*")]) == before


def test_agents_that_keep_their_files_elsewhere_are_wired_there(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude, codex = tmp_path / "elsewhere", tmp_path / "of codex"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("CODEX_HOME", str(codex))
    cli.good("setup", "claude-code", "--scope", "user")
    cli.good("setup", "codex", "--scope", "user")
    assert list(home.glob(".c[lo]*")) == []
    assert "commontrace" in _said(claude / ".claude.json")["mcpServers"]
    assert len(_hooks(claude / "settings.json")) == 6
    assert (claude / "commands" / "trace-query.md").exists()
    assert "commontrace" in _said(codex / "config.toml")["mcp_servers"]


def test_hooks_ask_the_server_of_the_store_that_was_named(cli: Cli, work: Path) -> None:
    cli.good("setup", "claude-code", "--url", "sqlite:///my store.db")
    commands = _hooks(work / ".claude" / "settings.local.json")
    assert commands["PreToolUse"] == [f"{PROGRAM} hook pre-tool-use --url 'sqlite:///my store.db'"]
    actions = cli.json("setup", "claude-code", "--url", "sqlite:///my store.db")["changes"]
    assert {change["action"] for change in actions} == {"unchanged"}
    cli.good("setup", "claude-code", "--uninstall")
    assert list(work.iterdir()) == []


def test_a_file_that_changed_after_it_was_planned_is_left_as_it_is(work: Path) -> None:
    path = work / ".mcp.json"
    path.write_text("{}")
    planned = with_entry(path, "mcpServers", {"command": "x"})
    path.write_text('{"theirs": 1}')
    with pytest.raises(InvalidInputError, match="changed meanwhile"):
        planned.apply()
    assert path.read_text() == '{"theirs": 1}'
    path.write_text(planned.after or "")
    planned.apply()
    assert list(work.iterdir()) == [path]


def test_a_file_that_is_read_only_stays_as_it_is(cli: Cli, work: Path) -> None:
    path = work / ".mcp.json"
    path.write_text("{}")
    path.chmod(0o444)
    assert "is read-only" in cli.failed("setup", "claude-code")
    assert path.read_text() == "{}"


@pytest.mark.parametrize("group", [{"matcher": "Bash"}, {"hooks": None}, {"hooks": ["x"]}, "x", None])
def test_hooks_in_another_form_are_refused_and_named(cli: Cli, work: Path, group: Any) -> None:
    path = work / ".claude" / "settings.local.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"hooks": {"PreToolUse": [group]}}))
    before = path.read_text()
    assert "is not as Claude Code has it" in cli.failed("setup", "claude-code")
    assert path.read_text() == before
    assert not (work / ".mcp.json").exists()


def test_a_broken_file_of_one_agent_stops_all_of_it(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (home / ".cursor").mkdir()
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("[broken")
    assert "is not valid TOML" in cli.failed("setup", "--scope", "user")
    assert list((home / ".cursor").iterdir()) == []


COMMENTED = """\
// settings of mine
{
    "theme": "dark", // not light
    /* servers */
    "mcpServers": {
        "mine": { "command": "x" }, // keep
    },
}
"""


def test_comments_order_and_layout_stay(cli: Cli, work: Path) -> None:
    path = work / ".gemini" / "settings.json"
    path.parent.mkdir()
    path.write_text(COMMENTED)
    cli.good("setup", "gemini")
    wired = path.read_text()
    lines = ['        "commontrace": {', f'            "command": "{PROGRAM}",', "        }"]
    assert all(line in wired.splitlines() for line in [*COMMENTED.splitlines(), *lines])
    cli.good("setup", "gemini", "--uninstall")
    assert jsonc.load(path.read_text()) == jsonc.load(COMMENTED)
    assert path.read_text().replace(",", "") == COMMENTED.replace(",", "")


CODEX = """\
# mine
model = "x" # the best

[mcp_servers.other]
command = "y"

[mcp_servers.commontrace]
command = "/old/commontrace"
env = { A = "[b]" }

[mcp_servers.commontrace.tools]
a = 1

# about the last
[last]
text = '''
 [not.a.header]
'''
"""


def test_a_toml_file_keeps_all_but_our_table(cli: Cli, work: Path) -> None:
    path = work / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text(CODEX)
    cli.good("setup", "codex")
    wired = _said(path)
    assert wired["mcp_servers"] == {"other": {"command": "y"}, "commontrace": PLAIN}
    assert wired["last"] == {"text": " [not.a.header]\n"}
    assert all(remark in path.read_text() for remark in ("# mine", "# the best", "# about the last"))
    cli.good("setup", "codex", "--uninstall")
    assert _said(path)["mcp_servers"] == {"other": {"command": "y"}}


def test_what_cannot_be_edited_safely_is_refused(cli: Cli, work: Path) -> None:
    path = work / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text('mcp_servers = { commontrace = { command = "/old/commontrace" } }\n')
    assert "cannot be edited safely" in cli.failed("setup", "codex")
    assert path.read_text() == 'mcp_servers = { commontrace = { command = "/old/commontrace" } }\n'


def test_an_entry_of_somebody_elses_by_our_name_is_not_taken_away(cli: Cli, work: Path) -> None:
    mine = '{"mcpServers": {"commontrace": {"url": "https://traces.example.com/mcp"}}}'
    (work / ".mcp.json").write_text(mine)
    cli.good("setup", "claude-code", "--uninstall")
    assert (work / ".mcp.json").read_text() == mine


def test_claude_code_gets_the_hooks_of_the_plugin_and_the_users_own_stay(cli: Cli, home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    mine = {"matcher": "Bash", "hooks": [{"type": "command", "command": "/opt/mine hook pre-tool-use"}]}
    path.write_text(json.dumps({"model": "opus", "hooks": {"PreToolUse": [mine]}}, indent=4))
    before = path.read_text()
    cli.good("setup", "claude-code", "--scope", "user")
    wired = _hooks(path)
    assert wired["PreToolUse"] == ["/opt/mine hook pre-tool-use", f"{PROGRAM} hook pre-tool-use"]
    assert set(wired) == {
        "SessionStart",
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "PreCompact",
        "SessionEnd",
    }
    assert {change["action"] for change in cli.json("setup", "claude-code", "--scope", "user")["changes"]} == {
        "unchanged"
    }
    cli.good("setup", "claude-code", "--scope", "user", "--uninstall")
    assert path.read_text() == before


def test_hooks_of_a_version_before_are_replaced(cli: Cli, work: Path) -> None:
    path = work / ".claude" / "settings.local.json"
    path.parent.mkdir()
    old = {"hooks": [{"type": "command", "command": "/old/commontrace hook session-start", "timeout": 60}]}
    path.write_text(json.dumps({"hooks": {"SessionStart": [old], "Gone": [old]}}))
    cli.good("setup", "claude-code")
    assert _hooks(path)["SessionStart"] == [f"{PROGRAM} hook session-start"]
    assert "Gone" not in _hooks(path)


@pytest.mark.parametrize("hooks", ["[]", '{"PreToolUse": {"a": 1}}', '{"PreToolUse": ["x"]}'])
def test_hooks_in_a_form_that_nobody_knows_are_refused(cli: Cli, work: Path, hooks: str) -> None:
    path = work / ".claude" / "settings.local.json"
    path.parent.mkdir()
    path.write_text(f'{{"hooks": {hooks}}}')
    assert "was left as it is" in cli.failed("setup", "claude-code")
    assert [name.name for name in work.iterdir()] == [".claude"]


def test_claude_code_with_the_plugin_needs_nothing(cli: Cli, home: Path, work: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text('{"enabledPlugins": {"commontrace@commontrace": true}}')
    assert "has the plugin" in cli.good("setup", "claude-code")
    assert list(work.iterdir()) == []


def test_doctor_says_which_agents_are_wired(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for folder in (".codex", ".cursor", ".claude"):
        (home / folder).mkdir()
    cli.good("setup", "codex")
    cli.good("setup", "claude-code")
    (home / ".claude" / "settings.json").write_text('{"enabledPlugins": {"commontrace@commontrace": true}}')
    (home / ".cursor" / "mcp.json").write_text("{")
    said = {
        check["name"]: (check["mark"], check["detail"])
        for check in json.loads(cli("doctor", "--json").stdout)["checks"]
    }
    assert said["codex, this project"][0] == "right"
    assert said["codex, every project"] == ("neither", "not wired: commontrace setup codex --scope user")
    assert said["cursor, every project"][0] == "wrong"
    assert said["Claude Code, plugin"][0] == "right"
    assert said["Claude Code, this project"][1].endswith("commontrace setup claude-code --scope project --uninstall")
    assert "gemini, this project" not in said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a // b", 'c /* " */', "é,]", "}{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b,}", "mcp", "é"]), inner),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b // c", "mcp", "é"]), VALUES, max_size=4)


@settings(max_examples=150)
@given(DOCUMENTS, st.sampled_from([None, 2, "\t"]), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_is_put_into_any_document_is_there_and_can_be_dropped_again(
    document: dict[str, Any], indent: Any, trailing: bool, newline: str
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    if trailing and indent and document:
        text = f"{text[:-2]}, // last\n}}"
    text = f"// first {{\n{text}\n".replace("\n", newline)
    servers = document.get("mcp", {})
    if not isinstance(servers, dict):
        return
    after = jsonc.put(text, ["mcp", "ours"], {"x": [1]})
    assert jsonc.load(after) == {**document, "mcp": {**servers, "ours": {"x": [1]}}}
    restored = jsonc.drop(after, ["mcp", "ours"])
    assert jsonc.load(restored) == {key: value for key, value in document.items() if key != "mcp" or value}
    assert "// first {" in restored


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(["x", "y"]), st.integers()), max_size=2
    )
)
def test_a_table_is_added_to_any_toml_and_taken_away(tables: dict[str, dict[str, int]]) -> None:
    text = ""
    for name, table in tables.items():
        text = toml.with_table(text, name, table)
    after = toml.with_table(text, "s.ours", {"command": "c", "env": {"A": "b"}})
    assert toml.load(after) == {**tables, "s": {"ours": {"command": "c", "env": {"A": "b"}}}}
    assert toml.load(toml.without_table(after, "s.ours")) == tables


@pytest.mark.parametrize("mine", ["", "# mine\r\nhooks = true\r\n", 'capture = false\nurl = "sqlite:///a.db"\n'])
def test_transcripts_are_kept_where_that_was_chosen_and_no_longer_afterwards(cli: Cli, home: Path, mine: str) -> None:
    path = config_file()
    if mine:
        path.parent.mkdir(parents=True)
        path.write_bytes(mine.encode())
    cli.good("setup", "claude-code")
    assert not Settings().capture
    cli.good("setup", "claude-code", "--capture")
    assert Settings().capture
    assert {change["action"] for change in cli.json("setup", "claude-code", "--capture")["changes"]} == {"unchanged"}
    cli.good("setup", "claude-code", "--uninstall")
    assert not Settings().capture
    assert path.exists() == bool(mine)
    if mine:
        assert path.read_bytes().decode() == mine.removeprefix("capture = false\n")


def test_capture_is_refused_where_nothing_would_be_kept(cli: Cli, home: Path, work: Path) -> None:
    assert "is for claude-code" in cli.failed("setup", "cursor", "--capture", code=2)
    assert "local store only" in cli.failed("setup", "claude-code", "--capture", "--url", "https://traces.example.com")
    config_file().parent.mkdir(parents=True)
    config_file().write_text("capture = true\n")
    cli.good("setup", "claude-code", "--uninstall")
    assert config_file().read_text() == "capture = true\n"
    config_file().write_text('a = """\ncapture = 1\n"""\n')
    assert "cannot be edited safely" in cli.failed("setup", "claude-code", "--capture")
    assert list(work.iterdir()) == []

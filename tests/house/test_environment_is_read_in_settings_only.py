"""The environment is read in two files, so that everything else can be told."""

import ast
from pathlib import Path

import pytest

from house.sources import PACKAGES, place, python_files, tree

READERS = {path / "settings.py" for path in PACKAGES}
NAMES = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
# What the agent tells a server that it starts; it is no setting of ours.
GIVEN_BY_THE_AGENT = {
    "mcp_server/commontrace/mcp/server.py": ["CLAUDE_PROJECT_DIR"],
    "mcp_server/commontrace/homes.py": ["CLAUDE_CONFIG_DIR", "CODEX_HOME"],
    # Where the system keeps caches: elsewhere platformdirs says it, which takes longer than the answer it is for.
    "mcp_server/commontrace/mcp/first_answers.py": ["XDG_CACHE_HOME"],
}
# What a hook, which has no time for pydantic, reads of the settings by itself.
READ_BY_HOOKS = {
    "mcp_server/commontrace/hooks/surroundings.py": [
        "COMMONTRACE_CAPTURE",
        "COMMONTRACE_HOOKS",
        "COMMONTRACE_URL",
        "LOCALAPPDATA",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    ]
}
ELSEWHERE = GIVEN_BY_THE_AGENT | READ_BY_HOOKS


def reads(path: Path) -> list[str]:
    """What a file reads of the environment: the literal name where there is one, else the line."""
    nodes = list(ast.walk(tree(path)))
    # What is set for a process that we start is not read here.
    written = {id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
    return [_what(path, node) for node in nodes if _reaches(node) and id(node) not in written]


def _reaches(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in NAMES for alias in node.names)
    if isinstance(node, ast.Attribute):
        return node.attr in NAMES and isinstance(node.value, ast.Name) and node.value.id == "os"
    # Click would read it behind our back, and a second settings class beside the first.
    if isinstance(node, ast.keyword):
        return node.arg in {"envvar", "auto_envvar_prefix"}
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("BaseSettings") for base in node.bases)


def _what(path: Path, node: ast.AST) -> str:
    for call in ast.walk(tree(path)):
        if isinstance(call, ast.Call) and node in ast.walk(call.func) and call.args:
            first = call.args[0]
            return str(first.value) if isinstance(first, ast.Constant) else f"line {call.lineno}"
    return f"line {getattr(node, 'lineno', 0)}"


def test_only_the_settings_read_the_environment() -> None:
    others = [path for path in python_files(*PACKAGES) if path not in READERS]
    assert {place(path): sorted(found) for path in others if (found := reads(path))} == ELSEWHERE


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("import os; os.environ.get('A')", ["A"]),
        ("import os; os.environ['A']", ["line 1"]),
        ("import os; os.getenv('A', 'b')", ["A"]),
        ("from os import getenv", ["line 1"]),
        ("import click; click.option('--url', envvar='A')", ["line 1"]),
        ("class More(BaseSettings): pass", ["line 1"]),
        ("import os; os.environ['A'] = 'b'", []),
        ("import os; os.getcwd()", []),
    ],
)
def test_every_way_to_the_environment_is_noticed(tmp_path: Path, line: str, read: list[str]) -> None:
    path = tmp_path / "sample.py"
    path.write_text(line)
    assert reads(path) == read

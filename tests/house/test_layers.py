"""Who may import whom: the contracts of pyproject.toml, and what they cannot say."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from house.sources import PACKAGES, ROOT, place, python_files, tree

AGENT_SIDE, DATA_SIDE = PACKAGES
HEAVY = {"pydantic", "pydantic_settings", "httpx2", "fastmcp", "mcp", "fastapi", "sqlalchemy", "click", "rich"}


def imported_by(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after a statement."""
    code = (
        f"import sys, json; before = set(sys.modules); {statement}; print(json.dumps([*(set(sys.modules) - before)]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare())
    return {name.partition(".")[0] for name in json.loads(run.stdout)}


def bare() -> dict[str, str]:
    """The environment without coverage, which imports much by itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def imports(path: Path) -> Iterator[tuple[str, ast.Import | ast.ImportFrom]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def knows_a_dialect(path: Path) -> bool:
    named = any(isinstance(node, ast.Attribute) and node.attr == "dialect" for node in ast.walk(tree(path)))
    return named or any(name.startswith("sqlalchemy.dialects") for name, _ in imports(path))


def test_every_import_contract_holds() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache', '--no-logo'])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_importing_commontrace_imports_nothing_heavy() -> None:
    assert not imported_by("import commontrace") & HEAVY


def test_the_public_names_are_there_once_they_are_asked_for() -> None:
    assert {"pydantic", "httpx2"} <= imported_by("from commontrace import Client")


def test_the_fingerprint_needs_the_standard_library_alone() -> None:
    foreign = imported_by("import commontrace.fingerprint") - sys.stdlib_module_names - {"commontrace"}
    assert not foreign


def test_both_console_scripts_enter_a_module_of_the_standard_library_alone() -> None:
    foreign = imported_by("import commontrace._entry") - sys.stdlib_module_names - {"commontrace"}
    assert not foreign


def test_the_mcp_server_answers_its_first_request_without_the_backend() -> None:
    assert not imported_by("import commontrace.mcp.server") & {
        "commontrace_backend",
        "sqlalchemy",
        "fastapi",
        "alembic",
    }


def test_only_the_transport_reaches_for_the_backend_and_only_inside_a_function() -> None:
    reaching = {
        place(path): [node.col_offset for name, node in imports(path) if name.startswith("commontrace_backend")]
        for path in python_files(AGENT_SIDE)
    }
    found = {path: columns for path, columns in reaching.items() if columns}
    assert list(found) == ["mcp_server/commontrace/_transport.py"]
    assert all(column > 0 for columns in found.values() for column in columns)


def test_only_the_database_and_the_indexes_know_a_dialect() -> None:
    known = {place(path) for path in python_files(DATA_SIDE) if knows_a_dialect(path)}
    assert known
    assert {path for path in known if "/database/" not in path and not path.endswith("_index.py")} == set()

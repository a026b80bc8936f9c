"""What is public is explained where somebody reads it: docstrings, and the pages under docs."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from commontrace.errors import BY_CODE
from commontrace.mcp.server import TOOLS
from commontrace.settings import Settings
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings
from house.sources import PACKAGES, ROOT, TESTS, Definition, definitions, place, python_files, tree

DOCS = ROOT / "docs"
PAGES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))
CONFIGURATION = DOCS / "configuration.md"
SETTINGS = [*Settings.model_fields.items(), *BackendSettings.model_fields.items()]


def undocumented(path: Path) -> list[str]:
    found = [Definition("the module", tree(path)), *definitions(path, nested=False)]
    return [item.name for item in found if item.public and not ast.get_docstring(item.node) and not _overload(item)]


def _overload(item: Definition) -> bool:
    return any("overload" in ast.unparse(mark) for mark in getattr(item.node, "decorator_list", []))


def test_every_public_name_has_a_docstring() -> None:
    assert {place(path): names for path in python_files(*PACKAGES) if (names := undocumented(path))} == {}


def test_a_missing_docstring_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(
        "class Open:\n    def said(self):\n        'Said.'\n    def unsaid(self): ...\n    def _own(self): ...\n"
    )
    assert undocumented(path) == ["the module", "Open", "Open.unsaid"]


def test_every_route_says_what_it_does(tmp_path: Path) -> None:
    app = create_app(BackendSettings(database_url=f"sqlite:///{tmp_path / 'store.db'}"))
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert routes
    assert [route.path for route in routes if not route.description] == []


@pytest.mark.parametrize(("name", "field"), SETTINGS)
def test_every_setting_is_described_and_has_its_line_in_the_configuration_page(name: str, field: Any) -> None:
    assert field.description
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(f"| `COMMONTRACE_{name.upper()}`")]


@pytest.mark.parametrize("name", [name for name, _ in SETTINGS])
def test_every_setting_does_something(name: str) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in python_files(*PACKAGES))
    assert re.search(rf"\b(?:settings|Settings\(\))\.{name}\b", code)


def test_the_configuration_page_names_no_setting_that_is_gone() -> None:
    listed = re.findall(r"^\| `COMMONTRACE_(\w+)`", CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted({name.upper() for name, _ in SETTINGS})


@pytest.mark.parametrize("name", [tool.function.__name__ for tool in TOOLS])
def test_every_tool_is_in_the_docs(name: str) -> None:
    assert f"`{name}`" in PAGES


@pytest.mark.parametrize("code", BY_CODE)
def test_every_error_code_is_in_the_docs(code: str) -> None:
    assert f"`{code}`" in PAGES


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=place)
def test_a_link_to_a_file_of_ours_leads_there(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_test_that_a_page_names_is_there() -> None:
    there = {
        name
        for path in python_files(*TESTS)
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert set(re.findall(r"`(test_\w+)`", PAGES)) - there == set()

"""What docs/api.md says of repeating writes is what the description of the API says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """The description of a server."""
    return create_app(BackendSettings(database_url="sqlite:///none.db")).openapi()


def told() -> dict[str, str]:
    """Every write in the table, and what happens where it is sent twice."""
    found: dict[str, str] = {}
    for writes, said in re.findall(
        r"^\| (`(?:POST|DELETE) .*?) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    ):
        for name in _whole(re.findall(r"`(\w+ \S+)`", writes)):
            assert name not in found, name
            found[name] = said
    return found


def _whole(names: list[str]) -> Iterator[str]:
    """Names in full: an ellipsis is the path before it without its last part."""
    before = ""
    for name in names:
        method, path = name.split()
        before = path.replace("…", before)
        yield f"{method} {before}"
        before = re.sub(r"(/[^/{]+(/\{\w+\})?)$", "", before) if before.count("/") > 1 else before


def written(description: dict[str, Any]) -> dict[str, bool]:
    """Every operation that is no GET, and whether its body takes a key."""
    schemas = description["components"]["schemas"]
    found = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            named = re.findall(r"#/components/schemas/(\w+)", str(content))
            takes = any("idempotency_key" in schemas[name].get("properties", {}) for name in named)
            if method != "get":
                found[f"{method.upper()} {path.removeprefix('/api/v1')}"] = takes
    return found


def test_the_table_of_writes_names_each_of_them_and_those_that_take_a_key(description: dict[str, Any]) -> None:
    assert {name: said.startswith("key") for name, said in told().items()} == written(description)

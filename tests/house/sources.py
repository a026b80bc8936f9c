"""What the checks of the house read: our files, their syntax trees, and the definitions in them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "mcp_server" / "commontrace", ROOT / "backend" / "commontrace_backend")
SHIPPED = (ROOT / "mcp_server", ROOT / "backend")
TESTS = (ROOT / "tests",)
SCRIPTS = (ROOT / "benchmarks",)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Definition:
    """A module, class or function with its dotted place in its file."""

    name: str
    node: ast.Module | ast.ClassDef | Function

    @property
    def public(self) -> bool:
        """No part of its name begins with an underscore; magic methods are described by their names."""
        return not any(part.startswith("_") for part in self.name.split("."))


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def place(path: Path) -> str:
    """The path as it reads in a message."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def definitions(path: Path, *, nested: bool) -> Iterator[Definition]:
    """The classes and functions of a file, outermost first; with `nested` also those inside functions."""
    yield from _inside(tree(path), "", nested=nested)


def _inside(parent: ast.AST, prefix: str, *, nested: bool) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(parent):
        if not isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _inside(child, prefix, nested=nested)
            continue
        name = f"{prefix}{child.name}"
        yield Definition(name, child)
        if nested or isinstance(child, ast.ClassDef):
            yield from _inside(child, f"{name}.", nested=nested)

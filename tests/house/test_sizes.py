"""Nothing grows until nobody can read it: functions, signatures and files stay small."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from house.sources import ROOT, SCRIPTS, SHIPPED, TESTS, Function, definitions, place, python_files

BODY = 40
PARAMETERS = 6
FILE = 400
TEST_FILE = 600

CODE = python_files(*SHIPPED, *SCRIPTS)
EVERYTHING = [*CODE, *python_files(*TESTS)]
# Flat arguments are what agents fill in best.
FLAT = ROOT / "mcp_server" / "commontrace" / "mcp" / "tools"


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    for found in definitions(path, nested=True):
        if isinstance(found.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield found.name, found.node


def body_lines(function: Function) -> int:
    """Lines from the first statement to the last; the docstring is for readers and costs nothing."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> int:
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in named if name not in {"self", "cls"}])


def too_large(paths: list[Path], measure: Callable[[Function], int], most: int) -> list[str]:
    """The functions of these files that measure more than they may."""
    found = ((path, name, measure(node)) for path in paths for name, node in functions(path))
    return [f"{place(path)}: {name} has {size}" for path, name, size in found if size > most]


def test_a_function_body_has_at_most_40_lines() -> None:
    assert too_large(EVERYTHING, body_lines, BODY) == []


def test_a_function_takes_at_most_six_parameters() -> None:
    assert too_large([path for path in EVERYTHING if FLAT not in path.parents], parameters, PARAMETERS) == []


def test_a_file_fits_in_a_head() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in EVERYTHING}
    long = [path for path, many in lines.items() if many > (TEST_FILE if TESTS[0] in path.parents else FILE)]
    assert [f"{place(path)} has {lines[path]}" for path in long] == []


def test_the_measures_count_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    lines = ['    """Said."""', *["    a = 1"] * 41]
    path.write_text("def outer(self, a, /, b, *, c):\n" + "\n".join(lines) + "\n")
    [(name, node)] = functions(path)
    assert (name, body_lines(node), parameters(node)) == ("outer", 41, 3)


def test_a_function_that_is_too_large_is_named_with_its_file() -> None:
    assert too_large([Path(__file__)], body_lines, 4) == [
        "tests/house/test_sizes.py: test_the_measures_count_what_they_say has 5"
    ]

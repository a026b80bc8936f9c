"""The mistakes that `benchmarks/mutants.py` makes on purpose can still be made, each in one place."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def loaded() -> Any:
    """The script as a module."""
    path = ROOT / "benchmarks/mutants.py"
    spec = importlib.util.spec_from_file_location("mutants", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


SCRIPT = loaded()
PLAN = SCRIPT.Plan()


@pytest.mark.parametrize("mutant", PLAN.mutants, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_tests_are_named_for_it(mutant: Any) -> None:
    assert mutant.source(ROOT) != (ROOT / mutant.file).read_text(encoding="utf-8")
    for test in PLAN.tests(mutant.file):
        assert test == "laws" or (ROOT / test.partition("::")[0]).exists()


def test_there_are_enough_of_them_in_every_part_of_the_core_each_with_a_name() -> None:
    assert len({mutant.name for mutant in PLAN.mutants}) == len(PLAN.mutants) >= 40
    parts = {Path(mutant.file).stem for mutant in PLAN.mutants}
    contexts = {"state", "view", "conflicts", "resolving", "patch", "picking", "states", "places", "graph", "window"}
    assert contexts | {"tiers", "objects", "rendering", "selection", "compaction", "plan"} <= parts


def test_a_mutant_whose_text_is_gone_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x = 1\nx = 1\n")
    for old, times in (("y = 1", 0), ("x = 1", 2)):
        mutant = SCRIPT.Mutant("gone", "one.py", old, "x = 2", "nothing")
        with pytest.raises(ValueError, match=rf"gone: its old text stands {times} times in one\.py"):
            mutant.source(tmp_path)

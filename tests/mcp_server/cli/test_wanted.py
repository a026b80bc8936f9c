import json

import pytest

from commandline import Cli, Run


def test_what_was_asked_in_vain_is_a_table(cli: Cli) -> None:
    cli.good("query", "kangaroo migration stalls")
    cli.good("query", "kangaroo migrations stalled")
    cli.good("query", "--error", "Traceback (most recent call last):\n  File x\nMoonError: the moon is full")
    head, first, second, what_next = cli.good("wanted").splitlines()
    assert head.split() == ["asked", "by", "last", "for"]
    assert first.startswith("2×     1 person  20")
    assert first.endswith("  kangaroo migrations stalled")
    assert second.endswith("  MoonError: the moon is full")
    assert "commontrace contribute" in what_next


def test_the_document_holds_the_models_of_the_api(cli: Cli) -> None:
    cli.good("query", "kangaroo migration stalls")
    cli.good("query", "penguins in the basement")
    [found] = cli.json("wanted", "--limit", "1")
    assert (found["example"], found["times"], found["people"]) == ("penguins in the basement", 1, 1)
    assert set(found) == {"example", "times", "people", "last_asked", "fingerprint"}


def test_an_answered_question_is_gone(cli: Cli, fix: Run) -> None:
    cli.good("query", "sqlite database is locked")
    assert len(cli.json("wanted")) == 1
    cli.good("contribute", fix())
    assert cli.good("wanted") == "Nothing was asked in vain.\n"
    assert json.loads(cli.good("wanted", "--json")) == []


@pytest.mark.usefixtures("wide")
def test_a_long_question_is_cut_and_cannot_steer_the_terminal(cli: Cli) -> None:
    cli.good("query", "kangaroo \x1b]0;owned\x07" + "jumping " * 40)
    shown = cli.good("wanted")
    assert "\x1b]0;" not in shown
    assert "jumping…" in shown or "…" in shown
    assert "\x1b[" in shown


def test_a_limit_outside_of_its_bounds_is_a_usage_error(cli: Cli) -> None:
    assert "--limit" in cli.failed("wanted", "--limit", "0", code=2)

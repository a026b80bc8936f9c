import json
from pathlib import Path

import pytest

from commandline import Cli, Run


def test_ones_own_outcome_is_a_self_report_and_can_be_changed(cli: Cli, trace_id: str) -> None:
    assert "recorded: worked as a self-report" in cli.good("vote", trace_id[:6], "worked")
    again = cli.json("vote", trace_id, "did_not_work", "--note", "it came back under load")
    assert again["changed"]
    assert again["standing"]["tier"] == "unproven"


def test_an_imported_trace_can_be_voted_on_once_it_was_shown(cli: Cli, fix: Run) -> None:
    cli.good("import", "-", stdin=Path(fix()).read_text(encoding="utf-8"))
    [trace] = [json.loads(line) for line in cli.good("export").splitlines()]
    identifier = trace["trace_id"]
    assert "not shown" in cli.failed("vote", identifier, "worked")
    cli.good("show", identifier)
    voted = cli.json("vote", identifier, "worked")
    assert not voted["self_report"]
    assert voted["standing"]["worked"] == 1
    assert "worked 1×, 1 person" in cli.good("query", "database is locked")


def test_all_but_worked_needs_a_note(cli: Cli, trace_id: str) -> None:
    assert "needs a note" in cli.failed("vote", trace_id, "outdated")


def test_an_outcome_that_does_not_exist_is_a_usage_error(cli: Cli, trace_id: str) -> None:
    assert "worked_with_changes" in cli.failed("vote", trace_id, "liked", code=2)


def test_a_flag_is_raised_listed_and_taken_back(cli: Cli, trace_id: str) -> None:
    assert "No flags." in cli.good("show", trace_id, "--flags")
    said = cli.good("flag", trace_id, "outdated", "--note", "sqlite 4 differs")
    identifier = said.split()[-1]
    assert f"{identifier}  outdated  by owner · raised" in cli.good("show", trace_id, "--flags")
    assert "flags: 1" in cli.good("show", trace_id)
    assert "taken back" in cli.good("unflag", identifier.upper())
    assert "taken back" in cli.good("show", trace_id, "--flags")
    assert cli.json("show", trace_id, "--flags")[0]["undone_at"]


def test_a_withdrawn_trace_is_in_no_answer_until_it_is_restored(cli: Cli, trace_id: str) -> None:
    assert f"commontrace unwithdraw {trace_id[:10]}" in cli.good("withdraw", trace_id, "--reason", "wrong")
    assert cli.json("query", "database is locked")["hits"] == []
    assert cli.good("export") == ""
    assert "restored" in cli.good("unwithdraw", trace_id)
    assert cli.json("query", "database is locked")["hits"][0]["trace_id"] == trace_id


def test_withdrawing_needs_a_reason(cli: Cli, trace_id: str) -> None:
    assert "--reason" in cli.failed("withdraw", trace_id, code=2)


@pytest.mark.parametrize("command", ["show", "unwithdraw"])
def test_an_unknown_id_is_refused_in_one_line(cli: Cli, command: str) -> None:
    assert "No trace abcdef" in cli.failed(command, "abcdef")


@pytest.mark.parametrize(
    "arguments",
    [("show", "xyz"), ("show", "../../etc"), ("unflag", "12"), ("accept", "abc"), ("link", "abcdef", "extends", "zz")],
)
def test_what_cannot_be_an_id_is_a_usage_error(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert "hexadecimal digits" in cli.failed(*arguments, code=2)

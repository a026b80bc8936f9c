import json
from pathlib import Path

import pytest

from commandline import Cli, Run
from doors import People

BETTER = "Open every write with BEGIN IMMEDIATE, set WAL, and keep every transaction short; then retry once."


def test_ones_own_trace_takes_an_amendment_at_once(cli: Cli, trace_id: str) -> None:
    shown = cli.good("amend", trace_id, "--solution", BETTER, "--reason", "shorter")
    assert "accepted" in shown
    assert f"+{BETTER}" in shown
    assert cli.json("show", trace_id)["version_number"] == 2
    versions = cli.json("show", trace_id, "--versions")
    assert [version["number"] for version in versions] == [2, 1]
    assert versions[0]["content"]["solution"] == BETTER
    shown = cli.good("show", trace_id, "--versions")
    assert shown.index("v2") < shown.index("v1")


def test_every_field_can_be_changed_by_option_or_file(cli: Cli, trace_id: str, work: Path) -> None:
    (work / "change.json").write_text(json.dumps({"failed_attempts": [{"tried": "a longer timeout"}], "reason": "r"}))
    cli.good(
        "amend", trace_id, "change.json", "--tag", "wal", "--error", "Error: database is locked (5)", "--title", "New"
    )
    cli.good(
        "amend", trace_id, "--applies-when", "WAL", "--not-when", "NFS", "--verification", "ran it", "--reason", "r"
    )
    content = cli.json("show", trace_id)["content"]
    assert (content["title"], content["tags"], content["applies_when"]) == ("New", ["wal"], "WAL")
    assert content["errors"] == ["Error: database is locked (5)"]
    shown = cli.good("show", trace_id)
    assert "Did not work" in shown
    assert "a longer timeout" in shown
    assert "Not when" in shown


@pytest.mark.parametrize(
    ("arguments", "says"), [(("--title", "x"), "--reason"), (("--reason", "x"), "Nothing to change")]
)
def test_an_amendment_needs_a_change_and_a_reason(
    cli: Cli, trace_id: str, arguments: tuple[str, ...], says: str
) -> None:
    assert says in cli.failed("amend", trace_id, *arguments, code=2)


def test_a_wrong_field_in_the_file_is_named(cli: Cli, trace_id: str, work: Path) -> None:
    (work / "change.json").write_text('{"titel": "x", "reason": "r"}')
    assert "change.json: there is no field titel" in cli.failed("amend", trace_id, "change.json")


@pytest.mark.parametrize(("decision", "number"), [("accept", 2), ("reject", 1)])
async def test_the_contributor_decides_over_the_amendments_of_others(
    cli: Cli, trace_id: str, people: People, decision: str, number: int
) -> None:
    cli.good("publish", trace_id, "--to", "team", "--yes")
    assert "No amendments." in cli.good("show", trace_id, "--amendments")
    from commontrace.models.traces import AmendmentProposal

    ann = await people("ann")
    await ann.traces.amend(trace_id, AmendmentProposal(solution=BETTER, reason="clearer"))
    [waiting] = cli.json("show", trace_id, "--amendments")
    assert "open  by ann · clearer" in cli.good("show", trace_id, "--amendments")
    assert "open amendments: 1" in cli.good("show", trace_id)
    cli.good(decision, waiting["amendment_id"], "--note", "as I see it")
    assert cli.json("show", trace_id)["version_number"] == number
    assert "as I see it" in cli.good("show", trace_id, "--amendments")


def test_links_lead_to_traces_and_commits(cli: Cli, trace_id: str, fix: Run) -> None:
    other = cli.json("contribute", fix(1))["trace_id"]
    assert f"extends {other}" in cli.good("link", trace_id, "extends", other[:8].upper())
    commit = cli.json("context", "commit", "--text", "hello", "--trace", trace_id)["commit_id"]
    cli.good("link", trace_id, "context_used", commit)
    assert f"extends {other}" in cli.good("show", trace_id)
    cli.good("unlink", trace_id, "extends", other[:8])
    assert "no links" in cli.good("unlink", trace_id, "context_used", commit)
    assert "There is no link" in cli.failed("unlink", trace_id, "extends", other)


def test_tags_are_counted(cli: Cli, trace_id: str, fix: Run) -> None:
    cli.good("contribute", fix(1))
    assert [(item["tag"], item["traces"]) for item in cli.json("tags", "sq")] == [("sqlite", 1)]
    assert "docker" in cli.good("tags")
    assert cli.good("tags", "zz") == "No such tags.\n"


def test_an_empty_store_has_no_tags_and_says_what_to_do(cli: Cli) -> None:
    assert "quickstart" in cli.good("tags")

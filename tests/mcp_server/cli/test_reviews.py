"""The commands for reviews and vouches: what they print, and that they do what they say."""

import pytest

from commandline import Cli
from commontrace import Client, connect
from commontrace.models.contributors import NewApiKey
from factories import contribution


@pytest.fixture
def cli(url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("COMMONTRACE_URL", url)
    return Cli()


def key(owner: Client, name: str, organization: str | None = None, *, stranger: bool = False) -> str:
    wanted = NewApiKey(contributor=name, organization=organization, stranger=stranger)
    return owner.contributors.create_key(wanted).key


@pytest.fixture
def flagged(url: str) -> str:
    """A public trace that somebody of the organization acme has flagged."""
    with connect(url) as owner, connect(url, api_key="") as keyed:
        known = str(owner.traces.contribute(contribution()).trace_id)
        owner.traces.publish(known)
        keyed.acting_as(key(owner, "ann", "acme")).traces.flag(known, "spam", "an advertisement")
    return known


def test_the_queue_shows_what_waits_and_why(cli: Cli, flagged: str) -> None:
    shown = cli.good("review", "list")
    assert flagged in shown
    assert "flagged" in shown
    assert "by owner of home · public · active · unproven" in shown
    assert "flag spam: an advertisement" in shown
    assert [item["causes"] for item in cli.json("review", "list")] == [["flagged"]]


def test_an_approval_is_told_and_stays_on_record(cli: Cli, flagged: str) -> None:
    assert "1 flag undone" in cli.good("review", "approve", flagged, "--reason", "it is none")
    assert cli.good("review", "list") == "Nothing awaits a decision.\n"
    decided = cli.good("review", "decisions")
    assert f"approve {flagged[:10]}" in decided
    assert "it is none" in decided


def test_a_rejection_withdraws_and_a_restoration_brings_back(cli: Cli, flagged: str) -> None:
    rejected = cli.json("review", "reject", flagged[:8].upper(), "--reason", "spam indeed")
    assert (rejected["traces"], rejected["complete"]) == ([flagged], True)
    assert cli.json("show", flagged)["state"] == "withdrawn"
    undone = cli.good("review", "restore", rejected["decision_id"], "--reason", "it was not")
    assert f"restore {rejected['decision_id'][:10]}" in undone
    assert cli.json("show", flagged)["state"] == "active"
    assert "undone 2" in cli.good("review", "decisions")


def test_a_removal_that_waits_for_another_reviewer_says_so(cli: Cli, url: str) -> None:
    with connect(url) as owner, connect(url, api_key="") as keyed:
        ann, bo = (keyed.acting_as(key(owner, name)) for name in ("ann", "bo"))
        known = str(ann.traces.contribute(contribution(visibility="team")).trace_id)
        bo.traces.query("database is locked")
        bo.traces.vote(known, "worked")
    assert "waits for a second reviewer" in cli.good("review", "reject", known, "--reason", "wrong")


def test_a_reversal_is_previewed_done_and_needs_a_moment(cli: Cli, flagged: str) -> None:
    told = ["review", "reverse", "--organization", "acme", "--reason", "a farm", "--since"]
    preview = cli.good(*told, "1 hour ago", "--dry-run")
    assert "would be" in preview
    assert "1 flag undone" in preview
    assert cli.json(*told, "1 hour ago")["flags"] == 1
    assert cli.json(*told, "1 hour ago")["flags"] == 0
    assert "is not a time" in cli.failed(*told, "soon")
    assert "exactly one" in cli.failed("review", "reverse", "--since", "today", "--reason", "r")


def test_nothing_decided_yet_says_so(cli: Cli) -> None:
    assert cli.good("review", "decisions") == "Nothing was decided yet.\n"


def test_vouches_are_added_listed_and_removed(cli: Cli, url: str) -> None:
    assert "knows no other organization" in cli.good("vouches", "list")
    with connect(url) as owner:
        key(owner, "ann", "acme", stranger=True)
    added = cli.good("vouches", "add", "acme", "--reason", "partners")
    assert added.split() == ["1.00", "acme", "vouched", "for:", "partners"]
    assert "seed" in cli.good("vouches", "add", "acme", "--reason", "a foundation", "--seed")
    cli.good("vouches", "remove", "acme", "--seed")
    assert "knows no other" in cli.good("vouches", "remove", "acme")
    assert "No organization nowhere" in cli.failed("vouches", "add", "nowhere", "--reason", "r")


def test_a_key_for_a_stranger_vouches_for_nobody_and_one_for_a_guest_does(cli: Cli) -> None:
    cli.good("keys", "create", "eve", "--organization", "evil", "--stranger")
    assert cli.json("vouches", "list") == []
    cli.good("keys", "create", "ann", "--organization", "acme")
    assert [(one["organization_name"], one["invited"]) for one in cli.json("vouches", "list")] == [("acme", True)]
    assert "brought in by yours" in cli.good("vouches", "list")

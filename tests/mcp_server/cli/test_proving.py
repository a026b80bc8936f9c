"""`commontrace verify` and `purge` as somebody at a terminal sees them."""

import asyncio
from pathlib import Path

from commandline import Cli
from tampering import changed


def test_a_sound_store_is_called_sound_each_time(cli: Cli, trace_id: str, home: Path) -> None:
    assert cli.good("verify").startswith("sound: 1 trace, 2 leaves in the log")
    assert len(list(home.rglob("checkpoints.json"))) == 1
    cli.good("vote", trace_id, "worked")
    assert cli.json("verify")["problems"] == []


def test_what_was_changed_is_named_and_the_exit_code_says_so(cli: Cli, trace_id: str, url: str) -> None:
    asyncio.run(changed(url, "UPDATE traces SET tier = 'verified'"))
    said = cli("verify")
    assert said.exit_code == 1
    assert f"changed {trace_id[:10]}: its trace is not as it was logged: tier" in said.stdout


def test_a_log_that_was_written_anew_is_found_because_it_was_seen_before(cli: Cli, trace_id: str, url: str) -> None:
    cli.good("verify")
    for table in ("log_leaves", "log_nodes"):
        asyncio.run(changed(url, f"DELETE FROM {table}"))
    asyncio.run(changed(url, f"UPDATE traces SET tier = 'verified' WHERE trace_id = '{trace_id}'"))
    said = cli("verify", "--json")
    assert said.exit_code == 1
    assert "The log was rewritten" in said.stdout
    assert cli("verify").exit_code == 1  # the first checkpoint stays the one that is known


def test_a_file_of_checkpoints_that_cannot_be_read_is_begun_anew(cli: Cli, trace_id: str, home: Path) -> None:
    cli.good("verify")
    [kept] = home.rglob("checkpoints.json")
    kept.write_text("[]", encoding="utf-8")
    said = cli("verify")
    assert (said.exit_code, "beginning anew" in said.stderr) == (0, True)
    assert "verifier" in kept.read_text(encoding="utf-8")
    assert trace_id


def test_purging_asks_and_says_what_it_did(cli: Cli, trace_id: str) -> None:
    refused = cli("purge", trace_id, "--reason", "A secret.", stdin="n\n")
    assert (refused.exit_code, "Nothing was taken out." in refused.stderr) == (1, True)
    assert cli("purge", trace_id, "--reason", "A secret.").exit_code == 130  # nobody answered
    assert "[purged]" not in cli.good("show", trace_id)
    assert cli.good("purge", trace_id, "--reason", "A secret.", "--yes").startswith(
        f"{trace_id[:10]} purged: 1 version"
    )
    assert "[purged]" in cli.good("show", trace_id)
    assert cli.json("verify")["problems"] == []

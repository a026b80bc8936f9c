"""`commontrace backup`, `restore` and `migrate`, as they are typed."""

import json
from pathlib import Path

import pytest

from commandline import Cli
from commontrace.settings import default_remotes, default_sync_memory
from commontrace_backend.database.schema import CURRENT


def test_a_backup_and_back(cli: Cli, trace_id: str, work: Path) -> None:
    made = cli.json("backup", "one.backup")
    assert (made["rows"]["traces"], made["schema_number"], made["engine"]) == (1, CURRENT, "sqlite")
    assert made["bytes"] == (work / "one.backup").stat().st_size
    said = cli.good("restore", "one.backup", "--into", "new.db")
    assert "one.backup restored" in said
    assert f"1 trace, 0 contexts; schema {CURRENT}, taken from sqlite" in said
    url = f"sqlite:///{work / 'new.db'}"
    assert cli.json("show", trace_id, "--url", url)["trace_id"] == trace_id
    assert "sound" in cli.good("verify", "--url", url)


def test_a_backup_names_what_is_known_of_remotes_and_not_in_it(cli: Cli, trace_id: str) -> None:
    assert "Not in it" not in cli("backup", "one.backup").stderr
    cli.good("remote", "add", "origin", "http://127.0.0.1:9")
    assert f"Not in it: {default_remotes()} (" in cli("backup", "two.backup").stderr
    cli.good("push", trace_id, "--later", "--yes")
    assert f"{default_remotes()} and {default_sync_memory()} (" in cli("backup", "three.backup", "--json").stderr


def test_what_can_be_done_next_to_the_data_only_is_refused_elsewhere(cli: Cli) -> None:
    for command in (["backup", "one.backup"], ["migrate"]):
        said = cli.failed(*command, "--url", "https://ann:hunter2@traces.example.org")
        assert "is not a database; this is done next to the data" in said
        assert "hunter2" not in said


def test_who_means_a_withdrawn_trace_is_told_the_other_command(cli: Cli, trace_id: str) -> None:
    assert "commontrace unwithdraw ID" in cli.failed("restore", trace_id, code=2)


def test_a_store_is_migrated_once(cli: Cli, work: Path) -> None:
    url = f"sqlite:///{work / 'new.db'}"
    missing = cli("migrate", "--check", "--url", url)
    assert (missing.exit_code, missing.stdout) == (1, f"Schema none; {CURRENT} is needed.\n")
    assert not (work / "new.db").exists()
    assert cli.good("migrate", "--url", url) == f"A new store, schema {CURRENT}.\n"
    assert cli.good("migrate", "--url", url) == f"Nothing to do: schema {CURRENT}.\n"
    assert cli.json("migrate", "--check", "--url", url) == {"found": CURRENT, "schema_number": CURRENT}


@pytest.mark.both_databases
def test_a_backup_that_fails_says_so_in_a_document(cli: Cli, work: Path) -> None:
    (work / "one.backup").write_text("mine")
    failed = cli("backup", "one.backup", "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["code"]) == (1, "invalid_input")
    assert (work / "one.backup").read_text() == "mine"

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from commandline import Cli
from commontrace_backend.__main__ import main as serve
from commontrace_backend.worker import main as work
from doors import Server

COMMONTRACE = str(Path(sys.executable).parent / "commontrace")


@contextmanager
def _serving(*arguments: str, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and the address that it says it listens on."""
    environment = {**os.environ, "COMMONTRACE_URL": url}
    command = [COMMONTRACE, "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            yield process, first.split()[3].rstrip(";")
        finally:
            process.kill()


def test_a_team_shares_a_store_through_a_server_with_keys(
    cli: Cli, trace_id: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.good("publish", trace_id, "--to", "team", "--yes")
    key = cli.json("keys", "create", "ann", "--admin", "--expires-in-days", "30")["key"]
    with _serving(url=url) as (process, address):
        assert "API key" in cli.failed("status", "--url", address)
        monkeypatch.setenv("COMMONTRACE_API_KEY", key)
        assert cli.json("status", "--url", address)["contributor"]["name"] == "ann"
        assert cli.json("query", "database is locked", "--url", address)["hits"][0]["trace_id"] == trace_id
        assert not cli.json("vote", trace_id, "worked", "--url", address)["self_report"]
        monkeypatch.setenv("COMMONTRACE_API_KEY", "ct_live_wrong")
        assert "not a CommonTrace key" in cli.failed("query", "x", "--url", address)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "cannot be reached" in cli.failed("status", "--url", address)


def test_opening_a_server_to_the_network_is_said(cli: Cli, url: str) -> None:
    with _serving("--host", "0.0.0.0", url=url) as (process, address):
        assert address.startswith("http://0.0.0.0:")
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        assert "keys create NAME --admin" in said
        assert "TLS" in said


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.com", "is not a database"),
        ("nonsense", "is not a database"),
        ("mysql://host/db", "not supported"),
        ("sqlite://", "needs a file"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(work: Path, url: str, says: str) -> None:
    run = subprocess.run(
        [COMMONTRACE, "serve", "--url", url, "--port", "0"], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_broken_store_and_a_taken_port_are_refused_in_one_line(cli: Cli, url: str, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("this is no database" * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for place, says in ((url, "already in use"), (f"sqlite:///{tmp_path / 'broken.db'}", "damaged")):
            run = subprocess.run(
                [COMMONTRACE, "serve", "--url", place, "--port", port],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert (run.returncode, len(run.stderr.splitlines())) == (1, 1)
            assert says in run.stderr
            assert "while attempting" not in run.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RATE_READS", "-5", "COMMONTRACE_RATE_READS is wrong: Input should be greater than or equal to 0."),
        ("LOG_LEVEL", "verbose", "COMMONTRACE_LOG_LEVEL is wrong: Input should be 'DEBUG', 'INFO',"),
    ],
)
def test_a_setting_that_is_wrong_is_named_wherever_it_is_read(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    says: str,
) -> None:
    monkeypatch.setenv(f"COMMONTRACE_{name}", value)
    assert says in cli.failed("query", "x")
    assert says in cli("doctor").stdout
    monkeypatch.setenv("COMMONTRACE_DATABASE_URL", "sqlite:///never.db")
    for run in (partial(serve, []), work):
        assert run() == 1
        assert says in capsys.readouterr().err


def test_a_setting_that_is_misspelt_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_TEAM_KEY", "named by --key-from")
    assert cli.json("doctor")["healthy"]
    monkeypatch.setenv("COMMONTRACE_RATE_READ", "5")
    assert "COMMONTRACE_RATE_READ is none; is COMMONTRACE_RATE_READS meant?" in cli("doctor").stdout
    said = cli("serve", "--url", "nonsense").stderr
    assert said.startswith(
        "COMMONTRACE_RATE_READ is no setting; is COMMONTRACE_RATE_READS meant?\nerror: 'nonsense' is"
    )


def test_a_server_without_a_database_says_which_setting_is_missing(home: Path) -> None:
    command = [sys.executable, "-m", "commontrace_backend", "--port", "0"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert "COMMONTRACE_DATABASE_URL" in run.stderr


def test_tools_that_cannot_be_served_over_http_say_why_in_one_line(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = cli.failed("mcp", "--transport", "http", "--port", port)
        assert f"127.0.0.1:{port} cannot be listened on: address already in use. Choose another" in said


def test_the_tools_are_served_over_http_to_those_with_a_key(cli: Cli, url: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [COMMONTRACE, "--url", url, "mcp", "--transport", "http", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any("running on" in line for line in iter(process.stderr.readline, ""))
            assert "401" in _post(port)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()


def _post(port: int) -> str:
    body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    head = f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        return connection.recv(100).decode()


def test_keys_are_created_listed_and_revoked(cli: Cli) -> None:
    assert "keys create" in cli.good("keys", "list")
    said = cli.good("keys", "create", "ann", "--organization", "friends", "--scope", "read")
    assert said.startswith("ct_live_")
    assert "for ann of friends: read" in said
    cli.good("keys", "create", "bob", "--expires-in-days", "7")
    [ann, bob] = sorted(cli.json("keys", "list"), key=lambda key: key["contributor"]["name"])
    assert bob["scopes"] == ["contribute", "read", "vote"]
    assert "key" not in ann
    shown = cli.good("keys", "list")
    assert "never used" in shown
    assert "expires 20" in shown
    assert cli.good("keys", "revoke", ann["key_id"]) == f"{ann['key_id']} revoked\n"
    assert "revoked 20" in cli.good("keys", "list")
    assert "No active key" in cli.failed("keys", "revoke", ann["key_id"])


def test_a_key_is_rotated_and_ends_after_the_overlap_that_was_asked_for(cli: Cli) -> None:
    ann = cli.json("keys", "create", "ann", "--publication", "drafts only")
    new = cli.json("keys", "rotate", ann["key_id"], "--overlap", "90m")
    assert new["key"].startswith("ct_live_")
    assert (new["replaces"], new["publication"]) == (ann["key_id"], "drafts only")
    shown = cli.good("keys", "list")
    assert "drafts only, never used" in shown
    assert "expires 20" in shown
    cli.good("keys", "rotate", new["key_id"], "--overlap", "0")
    assert "has expired" in cli.failed("keys", "rotate", new["key_id"])
    assert "expired 20" in cli.good("keys", "list")
    assert "is no length of time" in cli.failed("keys", "rotate", new["key_id"], "--overlap", "soon", code=2)


def test_keys_are_revoked_by_whose_they_are(cli: Cli) -> None:
    ids = [cli.json("keys", "create", name, "--organization", "friends")["key_id"] for name in ("ann", "ann", "bob")]
    assert cli.json("keys", "revoke", "--contributor", "ann") == {"key_ids": sorted(ids[:2]), "revoked": True}
    assert cli.good("keys", "revoke", "--organization", "friends") == f"{ids[2]} revoked\n"
    assert cli.good("keys", "revoke", "--lineage", "bob") == "No good key was left.\n"
    for wrong in ([], [ids[0], "--lineage", "bob"], ["--lineage", "bob", "--contributor", "bob"]):
        assert "Give the ID of a key, or one of" in cli.failed("keys", "revoke", *wrong, code=2)


def test_a_leaked_key_is_ended_by_whoever_found_it(cli: Cli, tmp_path: Path) -> None:
    ann, bob = (cli.json("keys", "create", name) for name in ("ann", "bob"))
    assert cli.good("keys", "leaked", stdin=ann["key"] + "\n") == f"{ann['key_id']} revoked\n"
    found = tmp_path / "found"
    found.write_text(bob["key"])
    assert cli.json("keys", "leaked", str(found))["key_ids"] == [bob["key_id"]]
    assert "was revoked" in cli.failed("keys", "leaked", stdin=ann["key"])
    assert "No key was given" in cli.failed("keys", "leaked", stdin="\n", code=2)


def test_a_name_that_cannot_be_one_is_refused(cli: Cli) -> None:
    assert cli.failed("keys", "create", "<script>").startswith("error: contributor: string should match")


def test_status_tells_who_where_and_how_much(cli: Cli, trace_id: str, url: str) -> None:
    cli.good("context", "commit", "--text", "hello")
    shown = cli.good("status")
    assert url in shown
    assert "owner of home" in shown
    assert "1 trace: 1 unproven" in shown
    assert "1 repository" in shown
    cli.good("withdraw", trace_id, "--reason", "old")
    assert cli.json("status")["tiers"] == {"withdrawn": 1}


def test_status_of_an_empty_store_says_how_to_begin(cli: Cli) -> None:
    assert "quickstart" in cli.good("status")


def test_a_password_in_the_url_is_not_shown(cli: Cli, store: Path) -> None:
    address = f"sqlite://ann:hunter2@/{store}"
    said = cli("doctor", "--url", address).stdout
    assert "ann:…@" in said
    assert "hunter2" not in said


def test_doctor_finds_everything_in_place(cli: Cli) -> None:
    cli.good("setup", "claude-code")
    result = cli.json("doctor")
    marks = {check["name"]: check["mark"] for check in result["checks"]}
    assert result["healthy"]
    assert (marks["store"], marks["you"]) == ("right", "right")
    assert marks["Claude Code, this project"] == "right"
    assert marks["Claude Desktop"] == "neither"
    assert "not wired: commontrace setup claude-desktop" in cli.good("doctor")


def test_doctor_says_that_redis_does_not_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", "redis://:hunter2@127.0.0.1:9/0")
    said = cli("doctor")
    assert said.exit_code == 1
    assert "Redis is away (it cannot be reached)" in said.stdout
    assert "Mend Redis or COMMONTRACE_REDIS_URL." in said.stdout
    assert "hunter2" not in said.output


def test_doctor_says_what_is_wrong_and_fails(cli: Cli, work: Path, tmp_path: Path) -> None:
    (work / ".mcp.json").write_text("{")
    (tmp_path / "broken.db").write_text("no database at all" * 100)
    result = cli("doctor", "--url", f"sqlite:///{tmp_path / 'broken.db'}")
    assert result.exit_code == 1
    wrong = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("✗")]
    assert wrong == ["store", "data", "Claude"]


def test_quickstart_shows_what_an_agent_would_see_and_can_run_again(cli: Cli) -> None:
    first = cli.json("quickstart")
    assert first["starter"]["added"] >= 25
    assert first["error"] in json.dumps(first["answer"]["hits"]) + first["then_reads"]
    shown = cli.good("quickstart")
    assert "0 starter traces added" in shown
    assert "<<<commontrace" in shown
    assert "commontrace setup claude-code" in shown
    assert cli.json("status")["traces"] == first["starter"]["added"]


@pytest.mark.usefixtures("wide")
def test_quickstart_is_worth_looking_at_in_a_terminal(cli: Cli) -> None:
    shown = cli.good("quickstart")
    assert "\x1b[36m── query_traces(error=" in shown
    assert "<<<commontrace" in shown


def test_a_newer_store_is_refused_and_left_untouched(cli: Cli, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '99'")
        connection.execute("UPDATE schema_info SET min_reader = 99")
    connection.close()
    before = store.read_bytes()
    assert "schema 99" in cli.failed("status")
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("COMMONTRACE_TIMEOUT", "soon", "timeout"), ("COMMONTRACE_URL", "ftp://x", "ftp://x")],
)
def test_a_wrong_setting_is_named_in_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    assert says in cli.failed("status")


def test_a_broken_config_file_is_named(cli: Cli, home: Path) -> None:
    (home / "config" / "commontrace").mkdir(parents=True)
    (home / "config" / "commontrace" / "config.toml").write_text("url = ")
    assert "is not valid TOML" in cli.failed("status")


def test_ctrl_c_is_quiet(cli: Cli, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # Opening the pipe waits until the command has come to where it reads.
    with subprocess.Popen([COMMONTRACE, "scan", str(fifo)], stdout=-1, stderr=-1, text=True) as process, fifo.open("w"):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "")


def test_a_key_is_exchanged_for_a_token_that_is_good_in_its_place(
    cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "given for a key" in cli.failed("keys", "token")
    key = cli.json("keys", "create", "ann", "--admin")["key"]
    monkeypatch.setenv("COMMONTRACE_URL", server.url)
    monkeypatch.setenv("COMMONTRACE_API_KEY", key)
    token, said = cli.good("keys", "token", "--scope", "read", "--lifetime", "1h").splitlines()
    assert token.count(".") == 2
    assert said.startswith("read; until ")
    assert cli.json("keys", "token", "--lifetime", "24h")["scopes"] == ["contribute", "read", "vote"]
    assert "minutes" in cli.failed("keys", "token", "--lifetime", "25h")
    monkeypatch.setenv("COMMONTRACE_API_KEY", token)
    assert cli.json("status")["contributor"]["name"] == "ann"
    assert "may not admin" in cli.failed("keys", "list")


def test_somebody_is_linked_listed_and_unlinked(cli: Cli) -> None:
    said = cli.good("keys", "link", "https://id.example.com", "8f3c", "ann", "--scope", "read")
    key_id, rest = said.strip().split(" ", 1)
    assert rest == "8f3c acts as ann of home: read"
    assert "8f3c at https://id.example.com, never used" in " ".join(cli.good("keys", "list").split())
    assert f"keys revoke {key_id}" in cli.failed("keys", "link", "https://id.example.com", "8f3c", "bo")
    cli.good("keys", "revoke", key_id)
    assert cli.json("keys", "link", "https://id.example.com", "8f3c", "bo")["contributor"]["name"] == "bo"
    assert "issuer" in cli.failed("keys", "link", "id.example.com", "8f3c", "bo")

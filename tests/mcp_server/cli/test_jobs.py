"""`commontrace jobs` and `worker`: the store's own work."""

import pytest

from commandline import Cli

NAMES = ["fingerprints", "words", "rescan", "embed", "reputation", "duplicates", "misses", "collect"]


def test_every_job_is_listed_with_what_it_does(cli: Cli) -> None:
    report = cli.json("jobs")
    assert report["queue"] == "process"
    assert [job["name"] for job in report["jobs"]] == NAMES
    assert {job["state"] for job in report["jobs"]} <= {"resting", "running"}
    lines = cli.good("jobs").splitlines()
    assert [line.split()[0] for line in lines[: len(NAMES)]] == NAMES
    assert lines[-1] == "No queue: every process does its jobs itself."


def test_a_job_is_done_when_it_is_asked_for(cli: Cli) -> None:
    assert cli.json("jobs", "--retry", "misses")["queue"] == "process"
    assert cli.json("jobs", "--all")["queue"] == "process"
    assert cli.failed("jobs", "--retry", "dance") == (f"error: There is no job dance. There is {', '.join(NAMES)}.")
    assert "not both" in cli.failed("jobs", "--retry", "words", "--all", code=2)


def test_with_a_queue_it_is_the_workers_who_do_it(cli: Cli, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", redis_url)
    assert cli.json("jobs", "--retry", "words")["jobs"][1]["state"] == "waiting"
    assert cli.json("jobs")["queue"] == "redis"
    assert "No queue" not in cli.good("jobs")


def test_a_worker_needs_a_database(cli: Cli) -> None:
    assert cli.failed("worker", "--url", "https://traces.example.com").startswith(
        "error: 'https://traces.example.com' is not a database that can be worked on."
    )

"""Many threads and processes on one repository: what was acknowledged is there, and a lost race is said to be one."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import writers
from commontrace import Client, connect
from commontrace.errors import RefMovedError
from writers import REPOSITORY, Writer

BOTH = pytest.mark.both_databases
ROUNDS = 2


def begun(client: Client) -> str:
    """A repository with a commit."""
    repo = client.contexts.open(REPOSITORY)
    repo.system("Be brief.")
    return repo.commit("begin").commit_id


def check(client: Client, everybody: list[Writer]) -> None:
    """Every acknowledged write is there, and nothing else."""
    repo = client.contexts.open(REPOSITORY)
    window = repo.window(format="messages", explain=True)
    texts = {
        one.slot_id: message["parts"][0]["text"]
        for one, message in zip(window.explanation, window.messages or [], strict=True)
    }
    priorities = {one.slot_id: one.priority for one in window.explanation}
    for one in everybody:
        assert (texts[one.slot], priorities[one.slot]) == (one.text, one.priority)
    others = [text for slot_id, text in texts.items() if slot_id not in {one.slot for one in everybody}]
    assert sorted(others) == sorted(["Be brief.", *(text for one in everybody for text in one.texts)])
    logged = [commit.commit_id for commit in repo.log(limit=1000).commits]
    assert sorted(logged[:-1]) == sorted(commit_id for one in everybody for commit_id in one.commits)
    assert not repo.status().conflicts
    assert repo.verify(full=True).problems == []


@BOTH
def test_threads_with_connections_of_their_own_lose_nothing(url: str, blocking: Client) -> None:
    begun(blocking)
    with ThreadPoolExecutor(3) as pool:
        everybody = list(pool.map(lambda name: Writer(name).write(url, ROUNDS), ("ann", "ben", "cia")))
    check(blocking, everybody)


def test_processes_lose_nothing(url: str, blocking: Client) -> None:
    begun(blocking)
    script = Path(writers.__file__)
    running = [
        subprocess.Popen([sys.executable, script, url, name, "1"], stdout=subprocess.PIPE, text=True)
        for name in ("ann", "ben")
    ]
    printed = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    check(blocking, [Writer(**json.loads(text)) for text in printed])


@BOTH
def test_of_all_who_expect_one_head_exactly_one_wins_and_the_others_are_told_to_try_again(
    url: str, blocking: Client
) -> None:
    head = begun(blocking)
    slot = blocking.contexts.open(REPOSITORY).window(explain=True).explanation[0].slot_id
    together = Barrier(4)

    def attempt(name: str) -> str | RefMovedError:
        with connect(url, working_copy=name) as client:
            repo = client.contexts.open(REPOSITORY)
            repo.get()
            together.wait()
            try:
                return repo.edit(slot, name, expected_head=head).commit_id or ""
            except RefMovedError as error:
                return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(attempt, ("ann", "ben", "cia", "dan")))
    [winner] = [one for one in found if isinstance(one, str)]
    lost = [one for one in found if isinstance(one, RefMovedError)]
    assert all(one.retryable and one.hint and winner[:10] in str(one) for one in lost)
    repo = blocking.contexts.open(REPOSITORY)
    assert [commit.commit_id for commit in repo.log().commits] == [winner, head]
    assert repo.verify(full=True).problems == []

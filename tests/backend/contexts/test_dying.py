"""A process that is killed between any two writes leaves a repository as it was before the operation."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from commontrace import Client, connect
from commontrace_backend.contexts.states import MEMORY

# Everything is imported once: each death is that of a child.
DYING = dedent(
    """
    import os
    import signal
    import sys

    import commontrace_backend.app
    from commontrace import connect
    from commontrace_backend.database.session import WriteSession

    write = WriteSession.write

    def done(url, deed, left):
        async def counted(self, *arguments, **options):
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return await write(self, *arguments, **options)

        with connect(url) as client:
            repo = client.contexts.open("parser")
            WriteSession.write = counted
            if deed == "merge":
                repo.merge("fix", strategy="ours")
            elif deed == "compress":
                repo.compress("role:user", text="In short.", force=True)
            else:
                repo.rebase("fix", strategy="theirs")

    for line in sys.stdin:
        child = os.fork()
        if not child:
            done(sys.argv[1], sys.argv[2], int(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """
)


@contextmanager
def dying(url: str, deed: str) -> Iterator[Callable[[int], int]]:
    """What a process ended with that did a deed and was killed before a write, by the number of the write."""
    command = [sys.executable, "-c", DYING, url, deed]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def die(writes: int) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{writes}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield die


def prepare(url: str) -> None:
    """Two branches that part, each with an edit of the first message."""
    with connect(url) as client:
        repo = client.contexts.open("parser")
        repo.user("one")
        repo.commit("one")
        slot = repo.window(explain=True).explanation[0].slot_id
        repo.branch("fix")
        repo.edit(slot, "theirs")
        repo.switch("main")
        repo.edit(slot, "ours")
        repo.user("two")
        repo.commit("two")


def seen(client: Client) -> tuple[object, ...]:
    repo = client.contexts.open("parser")
    windows = [repo.window(ref).state_id for ref in ("main", "fix")]
    return repo.branches(), windows, repo.operations(), repo.verify(full=True).problems


@pytest.mark.parametrize("deed", ["merge", "compress", "rebase"])
def test_an_operation_is_done_whole_or_not_at_all_wherever_the_process_dies(store: Path, deed: str) -> None:
    url = f"sqlite:///{store}"
    prepare(url)
    with connect(url) as client:
        before = seen(client)
    with dying(url, deed) as die:
        for writes in range(20):
            code = die(writes)
            MEMORY.clear()
            with connect(url) as client:
                after = seen(client)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            assert after == before
        else:
            pytest.fail("it never came to its end")
    assert writes >= 3
    assert after[2] != before[2]
    assert after[3] == []

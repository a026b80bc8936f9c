"""A process that is killed between any two writes leaves a repository as it was before the operation."""

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from commontrace import Client, connect
from commontrace_backend.contexts.states import MEMORY

DYING = dedent(
    """
    import os
    import signal
    import sys

    from commontrace import connect
    from commontrace_backend.database.session import WriteSession

    url, deed, left = sys.argv[1], sys.argv[2], [int(sys.argv[3])]
    write = WriteSession.write

    async def counted(self, *arguments, **options):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
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
    print("done")
    """
)


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
    for writes in range(20):
        command = [sys.executable, "-c", DYING, url, deed, str(writes)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        MEMORY.clear()
        with connect(url) as client:
            after = seen(client)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, process.stderr
        assert after == before
    else:
        pytest.fail("it never came to its end")
    assert writes >= 3
    assert process.stdout.strip() == "done"
    assert after[2] != before[2]
    assert after[3] == []

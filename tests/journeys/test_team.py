"""A team's server as the README brings it up, and two machines that share knowledge through it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from house.warm import warm_commands
from postgres import Postgres

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
FIX = (
    "--title", "Port 5432 is taken after an upgrade", "--problem", "docker compose up says: address already in use",
    "--solution", "The old cluster still runs. Stop it with `systemctl stop postgresql@14-main`, then start again.",
    "--error", "Error: bind: address already in use", "--visibility", "team",
)  # fmt: skip


class Machine:
    """A computer with a home of its own and the commands of the README."""

    def __init__(self, home: Path, scripts: Path, **settings: str) -> None:
        home.mkdir()
        places = {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home)}
        path = os.pathsep.join([str(scripts), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {**os.environ, **places, **settings, "PATH": path, "NO_COLOR": "1"}
        self.home = home

    def run(self, *command: str, stdin: str = "") -> str:
        """What a command that succeeds prints."""
        done = subprocess.run(
            command, env=self.environment, cwd=self.home, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator[str]:
        """A command that goes on until it is told to stop, which it does in good order; gives its first line."""
        with subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                yield process.stderr.readline()
            finally:
                process.terminate()
                process.communicate(timeout=30)
            assert process.returncode == 0


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Path]:
    with warm_commands(tmp_path) as folder:
        yield folder


def test_two_machines_share_knowledge_through_the_server_of_the_readme(
    tmp_path: Path, scripts: Path, postgres: Postgres, redis_url: str
) -> None:
    for command in ("migrate", "keys create ann --admin", "serve --workers 2", "worker", "push --all", "pull"):
        assert f"$ commontrace {command}" in README
    url = postgres.create()
    server = Machine(tmp_path / "server", scripts, COMMONTRACE_URL=url, COMMONTRACE_REDIS_URL=redis_url)
    assert "schema" in server.run("commontrace", "migrate")
    keys = {
        name: re.search(r"ct_live_\w+", server.run("commontrace", "keys", "create", name, *options))
        for name, options in (("ann", ["--admin"]), ("ben", []))
    }
    program = str(Path(sys.executable).parent / "commontrace")
    with (
        server.running(program, "serve", "--workers", "2", "--port", "0") as listening,
        server.running(program, "worker"),
    ):
        address = re.search(r"http://[\d.]+:\d+", listening)
        machines = {}
        for name, key in keys.items():
            assert address
            assert key
            machines[name] = Machine(tmp_path / name, scripts)
            add = ("commontrace", "remote", "add", "origin", address[0], "--key-from", "stdin")
            machines[name].run(*add, stdin=key[0])
        ann, ben = machines["ann"], machines["ben"]
        ann.run("commontrace", "contribute", *FIX)
        ann.run("commontrace", "push", "--all", "--yes")
        ben.run("commontrace", "pull")
        here = ben.run("commontrace", "query", "--error", "-", stdin="Error: bind: address already in use")
        assert "Port 5432 is taken" in here
        assert ben.run("commontrace", "pull") == ben.run("commontrace", "pull")
        both = ben.run("commontrace", "query", "address already in use", "--remote", "origin", "--include-unproven")
        assert both.count("Port 5432 is taken") == 1
    postgres.drop(url)

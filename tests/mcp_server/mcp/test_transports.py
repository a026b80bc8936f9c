"""The server as clients on its machine reach it: a process on standard input."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from commontrace.mcp.server import run; run()"]


class Process:
    """A stdio server and a raw JSON-RPC client."""

    def __init__(self, url: str, folder: Path) -> None:
        self.running = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "COMMONTRACE_URL": url},
            cwd=folder,
            text=True,
        )
        self._last = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        assert self.running.stdout is not None
        for line in self.running.stdout:
            answer: dict[str, Any] = json.loads(line)  # anything but JSON-RPC on standard output is a defect
            if answer.get("id") == self._last:
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError("the server ended")

    def _send(self, message: dict[str, Any]) -> None:
        assert self.running.stdin is not None
        self.running.stdin.write(json.dumps(message) + "\n")
        self.running.stdin.flush()

    def greet(self) -> dict[str, Any]:
        """The handshake."""
        answer = self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def call(self, tool: str, **arguments: Any) -> str:
        """The text of a tool call."""
        return str(self.ask("tools/call", name=tool, arguments=arguments)["content"][0]["text"])

    def end(self) -> int:
        """Close standard input and wait for the process to end."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        code = self.running.wait(timeout=30)
        assert self.running.stdout is not None
        self.running.stdout.close()
        return code


def test_a_process_serves_the_whole_loop_and_ends_with_its_input(url: str, tmp_path: Path) -> None:
    project = tmp_path / "My Project"
    (project / ".git").mkdir(parents=True)
    process = Process(url, project)
    greeting = process.greet()
    assert len(process.ask("tools/list")["tools"]) == 8
    stored = json.loads(
        process.call("contribute_trace", title="Port taken", problem="EADDRINUSE on start", solution="run `lsof -i`")
    )
    assert stored["trace_id"][:10] in process.call("query_traces", query="EADDRINUSE on start")
    assert "self_report" in process.call("vote_trace", trace_id=stored["trace_id"], outcome="worked")
    committed = json.loads(process.call("context_commit", messages=[{"role": "user", "content": "hi"}]))
    assert greeting["serverInfo"]["name"] == "commontrace"
    assert committed["repository"] == "my-project"
    assert process.end() == 0


def test_what_a_process_acknowledged_is_there_for_the_next_even_after_a_kill(url: str, tmp_path: Path) -> None:
    process = Process(url, tmp_path)
    process.greet()
    process.call("contribute_trace", title="Port taken", problem="EADDRINUSE on start", solution="run `lsof -i`")
    process.running.kill()
    process.end()
    again = Process(url, tmp_path)
    again.greet()
    assert "Port taken" in again.call("query_traces", query="EADDRINUSE on start")
    again.end()


def test_two_runs_of_an_agent_have_heads_of_their_own(url: str, tmp_path: Path) -> None:
    one, other = Process(url, tmp_path), Process(url, tmp_path)
    for process in (one, other):
        process.greet()
    one.call("context_commit", messages=[{"role": "user", "content": "hi"}])
    one.call("context_branch", action="create", name="try")
    assert "* try" in one.call("context_branch")
    assert "* main" in other.call("context_branch")
    one.end()
    other.end()

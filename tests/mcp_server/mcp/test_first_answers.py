"""What a client hears first comes from the last start's answers, and is what the real server says."""

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import connect_async
from commontrace.mcp.first_answers import FirstAnswers
from commontrace.mcp.server import build_server

COMMONTRACE = str(Path(sys.executable).with_name("commontrace"))
CLIENT = {"name": "test", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
LEGACY: list[tuple[str, dict[str, Any]]] = [("initialize", HANDSHAKE), *((name, {}) for name in LISTS)]
MODERN: list[tuple[str, dict[str, Any]]] = [(name, {"_meta": META}) for name in ("server/discover", *LISTS)]
PROMPT = {"name": "solve", "arguments": {"problem": "the build fails"}}


class Talk:
    """A client's side of two streams."""

    serve: Callable[[], None]
    """Lets the real server come up, where that is in our hands."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._asked = 0

    def ask(self, method: str, parameters: dict[str, Any]) -> bytes:
        """The line that answers a request, with the id taken out."""
        self._asked += 1
        name = f"q{self._asked}"
        request = {"jsonrpc": "2.0", "id": name, "method": method, "params": parameters}
        self._stdin.write(json.dumps(request).encode() + b"\n")
        self._stdin.flush()
        while True:
            line = self._stdout.readline()
            assert line, "the server ended"
            if json.loads(line).get("id") == name:
                return line.replace(f'"{name}"'.encode(), b"ID", 1)

    def result(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What is in that line."""
        found: dict[str, Any] = json.loads(self.ask(method, parameters).replace(b"ID", b"0", 1))["result"]
        return found


@contextmanager
def running(cache: Path, **environment: str) -> Iterator[Talk]:
    """`commontrace mcp`, as a client starts it."""
    given = {**os.environ, "XDG_CACHE_HOME": str(cache), **environment}
    with subprocess.Popen([COMMONTRACE, "mcp"], env=given, stdin=-1, stdout=-1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Talk(process.stdin, process.stdout)
            process.stdin.close()
            assert process.wait(60) == 0
        finally:
            process.kill()


@contextmanager
def in_process(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    """The same server behind the same stand-in, without an interpreter of its own."""
    (incoming, to_front), (from_front, outgoing) = os.pipe(), os.pipe()
    front = FirstAnswers("core", incoming, outgoing)
    with open(to_front, "wb") as stdin, open(from_front, "rb") as stdout, monkeypatch.context() as patch:  # noqa: PTH123
        front.start()
        talk = Talk(stdin, stdout)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(front.stdin), encoding="utf-8"))
        patch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(front.stdout), encoding="utf-8"))
        server = build_server(partial(connect_async, url))
        thread = threading.Thread(target=lambda: asyncio.run(server.run_stdio_async(show_banner=False)))
        talk.serve = thread.start
        yield talk
        stdin.close()
        thread.join(60)
    os.close(incoming)
    os.close(outgoing)


def _spoil(file: Path) -> dict[str, Any]:
    """Change what is kept, so that it is told from what the server says; returns what was kept."""
    kept: dict[str, Any] = json.loads(file.read_text())
    spoilt = json.dumps(kept["answers"]).replace("Search traces", "From the file")
    file.write_text(json.dumps({**kept, "answers": json.loads(spoilt)}))
    return kept


def test_a_start_answers_as_the_one_before_byte_for_byte_and_mends_what_is_wrong(tmp_path: Path, url: str) -> None:
    file = tmp_path / "commontrace" / "first-answers-core.json"
    with running(tmp_path, COMMONTRACE_URL=url) as server:
        real = [server.ask(*request) for request in MODERN]
    kept = _spoil(file)
    with running(tmp_path, COMMONTRACE_URL=url) as server:
        again = [server.ask(*request) for request in MODERN]
        prompt = server.result("prompts/get", {**PROMPT, **MODERN[1][1]})  # after it, the real server has said all
    assert again == [line.replace(b"Search traces", b"From the file") for line in real]
    assert again != real
    assert "the build fails" in prompt["messages"][0]["content"]["text"]
    assert json.loads(file.read_text()) == kept


@pytest.mark.parametrize("asked", [LEGACY, MODERN], ids=["handshake", "2026-07-28"])
def test_in_both_eras_the_real_server_goes_on_where_the_file_ends(
    asked: list[tuple[str, dict[str, Any]]], home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    file = home / "cache" / "commontrace" / "first-answers-core.json"
    with in_process(url, monkeypatch) as talk:
        talk.serve()
        real = [talk.ask(*request) for request in asked]
    kept = _spoil(file)
    with in_process(url, monkeypatch) as talk:
        again = [talk.ask(*request) for request in asked]  # before there is a server
        talk.serve()
        prompt = talk.result("prompts/get", {**PROMPT, **asked[1][1]})
    assert again == [line.replace(b"Search traces", b"From the file") for line in real]
    assert "the build fails" in prompt["messages"][0]["content"]["text"]
    assert json.loads(file.read_text()) == kept


@pytest.mark.parametrize("kept", ['{"basis": [1], "answers": {}}', "{", "[]", "\0", None])
def test_what_was_kept_under_other_circumstances_is_not_said_and_nothing_need_be_kept(
    home: Path, kept: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = home / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    request = [b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n']
    assert _through(request, 1) == (["tools/list"], [{"jsonrpc": "2.0", "id": 1, "result": "said tools/list"}])
    file = cache / "commontrace" / "first-answers-test.json"
    if kept is None:
        file.unlink()
        file.parent.rmdir()
        file.parent.write_text("a file where the folder should be")
    else:
        file.write_text(kept)
    assert _through(request, 1)[1][0]["result"] == "said tools/list"


def test_a_client_that_goes_while_the_server_loads_leaves_no_process_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPROFILEIMPORTTIME": "1"}
    run = subprocess.run(
        [COMMONTRACE, "mcp"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (0, b"")
    assert b"commontrace._entry" in run.stderr
    assert b"commontrace.mcp.tools" not in run.stderr


NAMES = st.one_of(st.integers(0, 3), st.sampled_from(["a", "null", ""]))
REQUESTS = st.tuples(NAMES, st.sampled_from(["initialize", "tools/list", "ping", "tools/call"]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=8), st.integers(1, 300), st.integers(0, 8))
def test_each_request_is_answered_once_under_its_own_name_and_the_server_hears_all_of_them(
    home: Path, requests: list[tuple[Any, str]], size: int, early: int
) -> None:
    """The real server comes up after `early` chunks; the file knows the answers from the examples before."""
    sent = [{"jsonrpc": "2.0", "id": name, "method": method} for name, method in requests]
    wire = b"".join(json.dumps(message).encode() + b"\n" for message in sent)
    chunks = [wire[place : place + size] for place in range(0, len(wire), size)]
    client, answers = _through(chunks, early)
    assert client == [message["method"] for message in sent]
    key = [(repr(message["id"]), f"said {message['method']}") for message in sent]
    assert sorted((repr(answer["id"]), answer["result"]) for answer in answers) == sorted(key)


def _through(chunks: list[bytes], early: int) -> tuple[list[str], list[dict[str, Any]]]:
    (incoming, to_front), (from_front, outgoing) = os.pipe(), os.pipe()
    front = FirstAnswers("test", incoming, outgoing)
    front.start()
    for chunk in chunks[:early]:
        os.write(to_front, chunk)
    heard: list[str] = []
    server = threading.Thread(target=_serve, args=(front, heard))
    server.start()
    for chunk in chunks[early:]:
        os.write(to_front, chunk)
    while not front.stdin.is_read:
        pass
    os.close(to_front)
    server.join()
    os.close(outgoing)
    os.close(incoming)
    with open(from_front, "rb") as said:  # noqa: PTH123 - it is a descriptor
        return heard, [json.loads(line) for line in said]


def _serve(front: FirstAnswers, heard: list[str]) -> None:
    rest = b""
    buffer = bytearray(16)
    while size := front.stdin.readinto(buffer):
        rest += buffer[:size]
        *lines, rest = rest.split(b"\n")
        for line in lines:
            message = json.loads(line)
            heard.append(message["method"])
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": f"said {message['method']}"}
            front.stdout.write(json.dumps(answer).encode() + b"\n")

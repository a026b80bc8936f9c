"""The first answers of the stdio server, from what it said last time, while it loads. Standard library only.

A client's first requests (who are you, what tools) have the same answers at every start, and loading what gives them
takes most of a second. So each such answer of the real server is written down, and given again at the next start as
long as nothing it could depend on has changed. There is no second implementation of the protocol: the real server hears
every message too; what it says to a request that was answered already is compared, written down if it differs, dropped.
"""

import io
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, Final

_REPEATED: Final = frozenset(
    {"initialize", "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"}
)
_NEGOTIATED: Final = tuple(f"io.modelcontextprotocol/{name}" for name in ("protocolVersion", "clientCapabilities"))
_LONGEST: Final = 4096
"""Bytes of a request that is looked at; a longer one asks for nothing that is repeated."""
_KEPT: Final = 48
"""Answers in a file: six methods for some clients, versions and both eras."""
_PATIENCE: Final = 0.05
"""Seconds to leave the processor to the first answers before loading takes it."""
_CHUNK: Final = 1 << 16


class FirstAnswers:
    """Stands between the client and the real server for as long as the process lives."""

    def __init__(self, profile: str, incoming: int, outgoing: int) -> None:
        self._kept = _Kept(profile)
        self._incoming = incoming
        self._outgoing = outgoing
        self._writing = threading.Lock()
        self._pending: dict[str, tuple[Any, str, bool]] = {}
        """By the name that the real server hears: the client's id, what was asked, whether it is answered already."""
        self._unanswered = 0
        self._rest = b""
        self.stdin = _Stdin()
        self.stdout = _Stdout(self)
        self.idle = threading.Event()

    def start(self) -> None:
        """Begin to read, and answer what can be answered; returns when loading disturbs no answer."""
        threading.Thread(target=self._read, name="first-answers", daemon=True).start()
        if self._kept:
            self.idle.wait(_PATIENCE)

    def interrupted(self, number: int, frame: Any) -> None:
        """Ctrl-C ends the input too: a thread that waits for more of it would be waited for without end."""
        self.stdin.put(b"")
        signal.default_int_handler(number, frame)

    def _read(self) -> None:
        with suppress(OSError):  # the other end is gone
            while chunk := os.read(self._incoming, _CHUNK):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self.stdin.put(self._heard(line) + b"\n")
        if self._rest:
            self.stdin.put(self._rest)
        if not (self.stdin.is_read or self._unanswered):
            os._exit(0)  # nobody waits for anything, and there is nothing to close
        self.stdin.put(b"")

    def _heard(self, line: bytes) -> bytes:
        """A line from the client as the real server is to hear it: under a name of ours if it is answered already."""
        request = _object(line) if len(line) <= _LONGEST else None
        if request is None or request.get("method") not in _REPEATED or "id" not in request:
            self._unanswered += b'"id"' in line
            return line
        key = _key(request)
        known = None if self.stdin.is_read else self._kept.get(key)
        # Only a name of our own tells for certain which answer is whose: clients have been seen to use an id twice.
        name = os.urandom(8).hex()
        self._pending[name] = (request["id"], key, known is not None)
        if known is None:
            self._unanswered += 1
        else:
            self._write(_encoded({"jsonrpc": "2.0", "id": request["id"], "result": known}))
            if request["method"] == "tools/list":
                self.idle.set()
        return _encoded({**request, "id": name}).rstrip()

    def said(self, line: bytes) -> None:
        """A line from the real server: to the client, unless it was answered already; noted where it is repeated."""
        answer = _object(line) if self._pending else None
        name = answer.get("id") if answer else None
        if answer is None or not isinstance(name, str) or name not in self._pending:
            self._write(line)
            return
        client, key, answered = self._pending.pop(name)
        if not answered:
            self._write(line.replace(json.dumps(name).encode(), json.dumps(client).encode(), 1))
        if "result" in answer:
            self._kept.put(key, answer["result"])

    def _write(self, line: bytes) -> None:
        with self._writing:
            while line:
                line = line[os.write(self._outgoing, line) :]


class _Stdin(io.RawIOBase):
    """What the real server reads: everything that came, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._came = threading.Condition()
        self._waiting = bytearray()
        self._ended = False
        self.is_read = False
        """Whether the real server is there."""

    def put(self, data: bytes) -> None:
        """Hand on some bytes; none of them mean the end."""
        with self._came:
            self._waiting += data
            self._ended = self._ended or not data
            self._came.notify()

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes, and give as many as there are."""
        self.is_read = True
        with self._came:
            self._came.wait_for(lambda: self._waiting or self._ended)
            part = self._waiting[: len(buffer)]
            del self._waiting[: len(part)]
        buffer[: len(part)] = part
        return len(part)


class _Stdout(io.RawIOBase):
    """What the real server writes to, line by line."""

    def __init__(self, front: FirstAnswers) -> None:
        super().__init__()
        self._front = front
        self._rest = b""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Hand on whole lines; the rest waits for its end."""
        *lines, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in lines:
            self._front.said(line + b"\n")
        return len(data)


class _Kept:
    """Answers in a file of the user's cache folder; without one where nothing can be written."""

    def __init__(self, profile: str) -> None:
        self._path = os.path.join(_cache_folder(), f"first-answers-{profile}.json")
        self._basis = _basis()
        self._answers: dict[str, Any] = {}
        with suppress(OSError, ValueError), open(self._path, "rb") as file:
            found = json.load(file)
            if isinstance(found, dict) and found.get("basis") == self._basis:
                self._answers = dict(found["answers"])

    def __bool__(self) -> bool:
        return bool(self._answers)

    def get(self, key: str) -> Any:
        """What was answered last time; None where nothing was."""
        return self._answers.get(key)

    def put(self, key: str, result: Any) -> None:
        """Keep an answer for the next start."""
        if self._answers.get(key) == result:
            return
        self._answers = dict([*self._answers.items(), (key, result)][-_KEPT:])
        with suppress(OSError):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            part = f"{self._path}.{os.getpid()}"
            with open(part, "wb") as file:
                file.write(_encoded({"basis": self._basis, "answers": self._answers}))
            os.replace(part, self._path)


def _cache_folder() -> str:
    """The user's cache folder, as platformdirs has it, whose import costs as much as all the rest of a first answer."""
    if sys.platform == "win32":
        place = os.path.join("~", "AppData", "Local", "commontrace", "Cache")
    elif sys.platform == "darwin":
        place = os.path.join("~", "Library", "Caches", "commontrace")
    else:
        place = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache"), "commontrace")
    return os.path.expanduser(place)


def _basis() -> list[Any]:
    """All that an answer depends on: the interpreter, the packages installed, our own files that word the answers."""
    installed = [
        name
        for folder in sys.path
        for name in _names(folder)
        if name.endswith(".dist-info") and name.startswith(("commontrace", "fastmcp", "mcp", "pydantic"))
    ]
    package = os.path.dirname(os.path.dirname(__file__))
    own = []
    for place in ("mcp", os.path.join("mcp", "tools"), "models", os.path.join("models", "contexts")):
        folder = os.path.join(package, place)
        for name in _names(folder):
            if name.endswith(".py"):
                state = os.stat(os.path.join(folder, name))
                own.append([place, name, state.st_size, state.st_mtime_ns])
    return [sys.version, sorted(installed), package, sorted(own)]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder or ".")
    except OSError:
        return []


def _key(request: dict[str, Any]) -> str:
    """What the answer to a request depends on: not who asks, nor how the answer is named."""
    given = request.get("params")
    asked = {name: value for name, value in given.items() if name != "clientInfo"} if isinstance(given, dict) else {}
    meta = asked.pop("_meta", None)
    negotiated = {name: meta.get(name) for name in _NEGOTIATED} if isinstance(meta, dict) else {}
    return json.dumps([request["method"], asked, negotiated], sort_keys=True)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def stand_in(profile: str) -> None:
    """Take the process's standard streams: the real server finds others in their place.

    What else is written to standard output goes to standard error, and what else reads standard input finds its end.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    front = FirstAnswers(profile, incoming, outgoing)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(front.stdin), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(front.stdout), encoding="utf-8")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, front.interrupted)
    front.start()

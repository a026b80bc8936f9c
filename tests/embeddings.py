"""A real embedding endpoint for tests: small, OpenAI-compatible, and as broken as a test wants it."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from commontrace import AsyncClient
from commontrace.models.search import IndexState
from http_servers import serving_http


@dataclass
class Endpoint:
    """How the endpoint behaves, and what it was asked.

    Attributes:
        url: what COMMONTRACE_EMBED_URL is set to.
        dimension: numbers in a vector.
        statuses: what the next requests are answered with in place of 200; the last one stays.
        body: what is sent in place of vectors.
        hold: cleared, every request waits until it is set.
        requests: the bodies that came.
        keys: the Authorization headers that came.
        arrived: set by every request.
    """

    url: str = ""
    dimension: int = 16
    statuses: list[int] = field(default_factory=list)
    body: str | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """Every text that was asked for, in order."""
        return [text for request in self.requests for text in request["input"]]

    def status(self) -> int:
        """Of the next answer."""
        if len(self.statuses) > 1:
            return self.statuses.pop(0)
        return self.statuses[0] if self.statuses else 200

    def answer(self, texts: list[str]) -> str:
        """Vectors of words hashed into a few dimensions, the last text first, as the protocol allows."""
        if self.body is not None:
            return self.body
        rows = [{"index": place, "embedding": _vector(text, self.dimension)} for place, text in enumerate(texts)]
        return json.dumps({"data": rows[::-1]})


def _vector(text: str, dimension: int) -> list[float]:
    vector = [0.0] * dimension
    for word in text.lower().split():
        digest = hashlib.sha256(word.strip(".,:;!?`").encode()).digest()
        vector[digest[0] % dimension] += 3.0 if digest[1] & 1 else -3.0
    return vector


@contextmanager
def embedding_endpoint() -> Iterator[Endpoint]:
    """Run one on a free port."""
    behaviour = Endpoint()
    behaviour.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            behaviour.requests.append(asked)
            behaviour.keys.append(self.headers["Authorization"])
            behaviour.arrived.set()
            behaviour.hold.wait(20)
            status = behaviour.status() if self.path == "/v1/embeddings" else 404
            body = behaviour.answer(asked["input"]).encode() if status == 200 else b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    with serving_http(Handler) as url:
        behaviour.url = f"{url}/v1"
        try:
            yield behaviour
        finally:
            behaviour.hold.set()


async def settled(client: AsyncClient) -> IndexState:
    """Finish what an index has left to do, or learn why it does not go on."""
    for _ in range(100):
        state = await client.traces.refresh_index()
        if state.done or state.reason:
            return state
    raise AssertionError("the index is never finished")


async def background(client: AsyncClient, wanted: Callable[[IndexState], bool]) -> IndexState:
    """Wait until the store has done so much by itself."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = await client.traces.index_state()
        if wanted(state):
            return state
    raise AssertionError("the store has not done by itself what was waited for")

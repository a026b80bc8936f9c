"""A real endpoint with a model for tests: speaks as OpenAI and as Anthropic do, and is as broken as a test wants it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from http_servers import serving_http


@dataclass
class Chat:
    """How the endpoint behaves, and what it was asked.

    Attributes:
        url: its base URL.
        answers: what the model says next; the last one stays.
        statuses: what the next requests are answered with in place of 200; the last one stays.
        body: what is sent in place of an answer.
        headers: sent with every answer.
        extra: fields of the answer in either dialect, beside the words.
        hold: cleared, every request waits until it is set.
        requests: path, headers and body of each request.
    """

    url: str = ""
    answers: list[str | None] = field(default_factory=lambda: ["A summary."])
    statuses: list[int] = field(default_factory=list)
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was asked, in order."""
        return [body for _, _, body in self.requests]

    def status(self) -> int:
        """Of the next answer."""
        if len(self.statuses) > 1:
            return self.statuses.pop(0)
        return self.statuses[0] if self.statuses else 200

    def said(self, path: str) -> str:
        """The next answer, in the dialect of the path."""
        if self.body is not None:
            return self.body
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if path == "/v1/messages":
            blocks = [{"type": "text", "text": text}] if text else []
            return json.dumps({"content": blocks, "stop_reason": "end_turn"} | self.extra)
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return json.dumps({"choices": [choice | self.extra.get("choice", {})]} | self.extra)


@contextmanager
def chat_endpoint() -> Iterator[Chat]:
    """Run one on a free port."""
    behaviour = Chat()
    behaviour.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            behaviour.requests.append((self.path, headers, asked))
            behaviour.hold.wait(20)
            status = behaviour.status()
            body = (behaviour.said(self.path) if status == 200 else behaviour.body or "{}").encode()
            self.send_response(status)
            for name, value in behaviour.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    with serving_http(Handler) as url:
        behaviour.url = url
        try:
            yield behaviour
        finally:
            behaviour.hold.set()

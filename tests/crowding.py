"""A team's server, and what stands before it: counts requests, and turns some away as a crowded server does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import httpx2

from http_servers import serving_http


@dataclass
class Team:
    """A server that runs, a key of it, and the URL of its store."""

    url: str
    key: str
    store: str


@dataclass
class Front:
    """What stands before a server: it counts requests by path, and turns the first ones of a path away.

    Attributes:
        url: where it listens.
        counts: how many requests of each path came.
        crowded: by the end of a path the answers to its next requests, as status and Retry-After.
    """

    url: str
    counts: dict[str, int] = field(default_factory=dict)
    crowded: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


@contextmanager
def before(url: str) -> Iterator[Front]:
    """Something before the server at a URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0].rpartition("/")[2]
            front.counts[path] = front.counts.get(path, 0) + 1
            if front.crowded.get(path):
                status, seconds = front.crowded[path].pop(0)
                headers, said = {"Retry-After": seconds}, b""
            else:
                names = ("Authorization", "Content-Type")
                given = {name: self.headers[name] for name in names if name in self.headers}
                answer = httpx2.request(self.command, url + self.path, content=body, headers=given, timeout=30)
                status, headers, said = answer.status_code, {}, answer.content
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = _pass  # noqa: N815 - the names of the library

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with serving_http(Handler) as own:
        front = Front(own)
        yield front

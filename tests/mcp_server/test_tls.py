"""A server on HTTPS is spoken to when an authority that is trusted vouches for it, and only then."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from commontrace import connect, connect_async
from commontrace.errors import UnavailableError
from http_servers import certificate, serving_http

ASK = "import sys, commontrace; commontrace.connect(sys.argv[1], api_key='k').contributors.me()"


class Refusing(BaseHTTPRequestHandler):
    """Knows no key."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def vouched(tmp_path: Path) -> Path:
    return certificate(tmp_path / "server.pem")


@pytest.fixture
def address(vouched: Path) -> Iterator[str]:
    """A server on HTTPS that answers 401."""
    with serving_http(Refusing, vouched) as url:
        yield url


async def test_a_server_that_nobody_vouches_for_is_not_spoken_to(address: str) -> None:
    async with connect_async(address, api_key="k") as client:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await client.contributors.me()
    with connect(address, api_key="k") as blocking, pytest.raises(UnavailableError, match="cannot be reached"):
        blocking.contributors.me()


def test_an_authority_of_ones_own_is_named_in_the_environment(address: str, vouched: Path) -> None:
    environment = {**os.environ, "SSL_CERT_FILE": str(vouched)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK, address], env=environment, capture_output=True, text=True, check=False
    )
    assert "AuthenticationError" in asked.stderr

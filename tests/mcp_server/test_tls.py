"""A server on HTTPS is spoken to when an authority that is trusted vouches for it, and only then."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commontrace import connect, connect_async
from commontrace.errors import UnavailableError

ASK = "import sys, commontrace; commontrace.connect(sys.argv[1], api_key='k').contributors.me()"


def certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file; nobody but itself vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


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
    secrets = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secrets.load_cert_chain(vouched)
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.socket = secrets.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


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

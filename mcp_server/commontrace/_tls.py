"""Whom HTTPS trusts: read once a process, for that takes 20 ms."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@cache
def authorities() -> "ssl.SSLContext":
    """The authorities of this machine, or those of SSL_CERT_FILE or SSL_CERT_DIR."""
    import httpx2

    return httpx2.create_ssl_context()


@cache
def _nobody() -> "ssl.SSLContext":
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it verifies, and knows no authority


def trusted_for(url: str) -> "ssl.SSLContext":
    """What a transport that talks to `url` alone, without a proxy, needs to know; nobody for plain HTTP."""
    return authorities() if url.startswith("https:") else _nobody()

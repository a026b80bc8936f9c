"""`python -m commontrace_backend`: serves the database of the settings over HTTP until it is told to stop."""

import argparse
import ipaddress
import socket
import sys
from collections.abc import Sequence

from commontrace.errors import CommonTraceError
from commontrace_backend.serving import serve, try_store
from commontrace_backend.settings import BackendSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; returns 0 once it was told to stop, 1 with one line on standard error where it cannot start."""
    parser = argparse.ArgumentParser(prog="commontrace_backend", description="The CommonTrace server.")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 opens it to the network")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer; they share the port")
    given = parser.parse_args(arguments)
    try:
        settings = BackendSettings.given()
        try_store(settings)
        listener = _listen(given.host, given.port)
    except CommonTraceError as error:
        return _failed(str(error))
    except OSError as error:
        reason = (error.strerror or "it is refused").partition(" (while")[0].lower()  # Python says the address again
        return _failed(f"{given.host}:{given.port} cannot be listened on: {reason}. Choose another --host or --port.")
    _greet(listener)
    serve(settings, listener, given.workers)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _greet(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    _say(f"CommonTrace listens on http://{f'[{host}]' if ':' in host else host}:{port}; Ctrl-C stops it.")
    _say("Every caller needs a key; the first one: commontrace keys create NAME --admin")
    if not ipaddress.ip_address(host).is_loopback:
        _say("It can be reached from the network: put a proxy with TLS in front, or keys travel in the clear.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _failed(text: str) -> int:
    _say(f"error: {text}")
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m commontrace_backend`: serves the database of the settings over HTTP until it is told to stop."""

import argparse
import asyncio
import ipaddress
import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog
import uvicorn
from pydantic import ValidationError

from commontrace.errors import CommonTraceError
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings

_GRACE: Final = 10  # seconds that running requests get to finish


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; returns 0 once it was told to stop, 1 with one line on standard error where it cannot start."""
    parser = argparse.ArgumentParser(prog="commontrace_backend", description="The CommonTrace server.")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 opens it to the network")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    given = parser.parse_args(arguments)
    try:
        settings = BackendSettings()
        asyncio.run(_try_store(settings))
        listener = _listen(given.host, given.port)
    except CommonTraceError as error:
        return _failed(str(error))
    except ValidationError:
        return _failed("COMMONTRACE_DATABASE_URL is missing, or another setting is wrong. See docs/configuration.md.")
    except OSError as error:
        reason = (error.strerror or "it is refused").lower()
        return _failed(f"{given.host}:{given.port} cannot be listened on: {reason}. Choose another --host or --port.")
    _serve(settings, listener)
    return 0


async def _try_store(settings: BackendSettings) -> None:
    """Open the store once, so that what is wrong with it is one line and not a log."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        pass


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _serve(settings: BackendSettings, listener: socket.socket) -> None:
    level = _log_to_stderr(settings.log_level)
    config = uvicorn.Config(create_app(settings), log_level=level, access_log=False, timeout_graceful_shutdown=_GRACE)
    host, port = listener.getsockname()[:2]
    _say(f"CommonTrace listens on http://{f'[{host}]' if ':' in host else host}:{port}; Ctrl-C stops it.")
    _say("Every caller needs a key; the first one: commontrace keys create NAME --admin")
    if not ipaddress.ip_address(host).is_loopback:
        _say("It can be reached from the network: put a proxy with TLS in front, or keys travel in the clear.")
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after it has shut down in good order
        uvicorn.Server(config).run(sockets=[listener])


def _log_to_stderr(name: str) -> int:
    level = logging.getLevelNamesMapping().get(name.upper(), logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return level


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _failed(text: str) -> int:
    _say(f"error: {text}")
    return 1


if __name__ == "__main__":
    sys.exit(main())

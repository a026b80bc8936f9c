"""Running the application in one process, or in several that share one socket."""

import asyncio
import multiprocessing.connection
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from commontrace_backend.app import create_app
from commontrace_backend.operation.logs import log_to_stderr
from commontrace_backend.operation.protocol import HEADER_BYTES, PatientProtocol
from commontrace_backend.settings import BackendSettings

_GRACE: Final = 10  # seconds that running requests get to finish
# Seconds after which a worker that says nothing is replaced. Loading its modules takes 3 s of CPU, before which it says
# nothing: with less patience a busy machine kills each new one, for ever.
_SILENCE: Final = 60


def application() -> FastAPI:
    """The application of a worker, which reads its settings itself."""
    settings = BackendSettings.given()
    log_to_stderr(settings.log_level, settings.log_format)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    return create_app(settings)


def _end_with(parent: int) -> None:
    """A worker whose parent was killed would go on for ever, and keep the port."""
    multiprocessing.connection.wait([parent])
    signal.raise_signal(signal.SIGTERM)


def try_store(settings: BackendSettings) -> None:
    """Open the store once, so that what is wrong with it is one line and not a log, and one process upgrades it."""
    asyncio.run(_open(create_app(settings)))


async def _open(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        pass


def serve(settings: BackendSettings, listener: socket.socket, workers: int) -> None:
    """Answer requests until the process is told to stop; what is at hand then is finished."""
    level = log_to_stderr(settings.log_level, settings.log_format)
    config = uvicorn.Config(
        "commontrace_backend.serving:application",
        factory=True,
        http=PatientProtocol,
        ws="none",
        h11_max_incomplete_event_size=HEADER_BYTES,
        log_level=level,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing of ours depends on the address of a caller
        timeout_graceful_shutdown=_GRACE,
        timeout_worker_healthcheck=_SILENCE,
        workers=workers,
    )
    # Uvicorn raises what ended it again after it has shut down in good order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            _serve_with(config, listener, settings)


def _serve_with(config: uvicorn.Config, listener: socket.socket, settings: BackendSettings) -> None:
    if not settings.metrics_token.get_secret_value():
        Multiprocess(config, [listener]).run()
        return
    folder = tempfile.mkdtemp(prefix="commontrace-metrics-")
    # The first for the library, which reads it when it is imported; the workers inherit both.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ["COMMONTRACE_METRICS_FOLDER"] = folder
    try:
        Multiprocess(config, [listener]).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

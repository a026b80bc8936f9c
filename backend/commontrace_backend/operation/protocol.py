"""HTTP/1.1 as uvicorn speaks it, with an end to patience and problem details for what no application sees."""

import asyncio
import socket
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from commontrace.errors import CommonTraceError, InvalidInputError, SlowBodyError, TooLargeError
from commontrace.models.problem import Problem
from commontrace_backend.problems import MEDIA_TYPE
from commontrace_backend.settings import BackendSettings

HEADER_BYTES: Final = 32 * 1024
_TOO_LARGE: Final = 431


class PatientProtocol(H11Protocol):
    """A connection; who takes longer for the headers of a request than a request may take is sent away.

    The time runs from the opening of a connection, or from the first byte of a later request. Half of it is left to
    whoever still sends a body that was answered before its end: closing at once would lose them the answer.
    """

    _waiting: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A caller is here: the clock of its first request runs."""
        super().connection_made(transport)
        # An answer is written in two parts. Who delays acknowledging the first would wait 40 ms for the second, and
        # asyncio sees to it only for sockets whose protocol was named when they were made.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some bytes: the clock runs from the first of a request, and stands once its headers are there."""
        if self._waiting is None and self._is_between_requests():
            self._wait()
        super().data_received(data)
        if not self._is_between_requests():
            self._stop_waiting()
        if self.conn.their_state is not h11.SEND_BODY:
            self._stop_leaving()

    def on_response_complete(self) -> None:
        """An answer is out: what still comes of a body that nobody reads is let go for a while."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._leaving = self.loop.call_later(self._patience() / 2, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._stop_waiting()
        self._stop_leaving()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or too much of it."""
        del msg
        if len(self.conn.trailing_data[0]) > HEADER_BYTES:
            said = TooLargeError(f"The headers are over the limit of {HEADER_BYTES // 1024} KiB.", "Send less in them.")
            self._refuse(_TOO_LARGE, b"Request Header Fields Too Large", said)
        else:
            self._refuse(400, b"Bad Request", InvalidInputError("This is no HTTP request.", "Send HTTP/1.1."))

    def _is_between_requests(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _patience(self) -> float:
        settings: BackendSettings = self.config.loaded_app.state.settings
        return settings.request_seconds

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self._patience(), self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_leaving(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _give_up(self) -> None:
        self._waiting = None
        if self.conn.our_state is h11.IDLE:
            late = SlowBodyError(f"The headers did not arrive in {self._patience():g} s.", "Send them at once.")
            self._refuse(late.status, b"Request Timeout", late)

    def _refuse(self, status: int, reason: bytes, error: CommonTraceError) -> None:
        self._stop_waiting()
        said = Problem(
            title=reason.decode(), status=status, code=error.code, detail=error.detail, hint=error.hint
        ).model_dump_json()
        headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(said.encode()))), ("Connection", "close")]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=reason),
            h11.Data(data=said.encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

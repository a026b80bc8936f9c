"""Unexpected errors to Sentry: their kind and their place in the code, and nothing that anybody wrote.

Imported only where COMMONTRACE_SENTRY_DSN names a place.
"""

from importlib.metadata import version

import sentry_sdk
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import BadDsn, event_from_exception
from starlette.types import ASGIApp, Receive, Scope, Send

from commontrace.errors import InvalidInputError
from commontrace_backend.operation.observing import method_of
from commontrace_backend.problems import route_of
from commontrace_backend.reporting import NOTED


def open_sentry(dsn: str) -> sentry_sdk.Client:
    """What sends in the background; without its integrations nothing is told but what is captured below.

    Raises:
        InvalidInputError: the address is none of Sentry's; it holds a key, and is not repeated.
    """
    try:
        return sentry_sdk.Client(
            dsn,
            release=version("commontrace"),
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            server_name="",
            before_send=_without_words,
        )
    except BadDsn:
        raise InvalidInputError(
            "COMMONTRACE_SENTRY_DSN is no address of Sentry.", "Copy it whole: https://key@host/number."
        ) from None


class Captured:
    """ASGI middleware that tells Sentry of what nobody foresaw, and lets it go on."""

    def __init__(self, app: ASGIApp, client: sentry_sdk.Client) -> None:
        self._app = app
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, a lifespan too."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._tell(scope, error)
            raise

    def _tell(self, scope: Scope, error: Exception) -> None:
        noted = NOTED.get()
        told = sentry_sdk.Scope()
        told.set_tag("request_id", noted.request_id if noted else "")
        told.set_transaction_name(f"{method_of(scope)} {route_of(scope)}" if scope["type"] == "http" else "start")
        event, hint = event_from_exception(error, client_options=self._client.options)
        self._client.capture_event(event, hint, told)


def _without_words(event: Event, _hint: Hint) -> Event:
    """The text of an exception may hold what a caller wrote, and so may its notes."""
    for one in event.get("exception", {"values": []})["values"]:
        one["value"] = ""
    return event

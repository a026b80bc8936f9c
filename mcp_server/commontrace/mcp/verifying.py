"""Who calls over HTTP: the bearer token is the caller's own key or token, and the backend says whose it is."""

import hashlib
import time
from collections.abc import Callable
from typing import Any, Final, get_args

from fastmcp.server.auth import AccessToken, TokenVerifier
from mcp.server.auth.routes import build_resource_metadata_url
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from commontrace import AsyncClient
from commontrace.errors import AuthenticationError, BackendError, CommonTraceError, InvalidInputError
from commontrace.models.contributors import Scope as Right
from commontrace.settings import Settings

REMEMBERED: Final = 10.0
"""Seconds for which the backend is not asked again whose a token is; every operation asks it all the same."""

_MOST: Final = 1000


class CallerVerifier(TokenVerifier):
    """Asks the backend whose a token is, and tells clients which identity provider has tokens.

    Args:
        client: the connection to the backend, once it is open.
        settings: where this server is reached, and the provider whose tokens the backend accepts, if any.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        client: Callable[[], AsyncClient],
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(base_url=settings.public_url or None)
        self._client = client
        self._issuer = settings.oidc_issuer
        self._clock = clock
        self._known: dict[bytes, tuple[float, AccessToken]] = {}

    async def verify_token(self, token: str) -> AccessToken | None:
        """The caller behind a key or token, or None for a bad one.

        Raises:
            CommonTraceError: the backend cannot say, or the caller asks too often.
        """
        key, now = hashlib.sha256(token.encode()).digest(), self._clock()
        until, known = self._known.get(key, (now, None))
        if known is not None and now < until:
            return known
        try:
            caller = await self._client().acting_as(token).contributors.me()
        except (AuthenticationError, InvalidInputError):
            self._known.pop(key, None)
            return None
        found = AccessToken(token=token, client_id=caller.contributor_id, scopes=list(caller.scopes))
        if len(self._known) >= _MOST:
            self._known = {one: kept for one, kept in self._known.items() if now < kept[0]}
        if len(self._known) < _MOST:
            self._known[key] = (now + REMEMBERED, found)
        return found

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:
        """Protected resource metadata (RFC 9728), where there are an identity provider and a public address."""
        self.set_mcp_path(mcp_path)
        resource = self._get_resource_url(mcp_path)
        if resource is None or not self._issuer:
            return []
        described: dict[str, Any] = {
            "resource": str(resource),
            "authorization_servers": [self._issuer],
            "scopes_supported": [f"commontrace:{right}" for right in get_args(Right)],
            "bearer_methods_supported": ["header"],
            "resource_name": "CommonTrace",
        }

        async def metadata(_request: Request) -> JSONResponse:
            return JSONResponse(described)

        return [Route(str(build_resource_metadata_url(resource).path), metadata, methods=["GET"])]

    def get_middleware(self) -> list[Middleware]:
        """FastMCP's own, and around it what answers when a caller cannot be told."""
        return [Middleware(_Answered), *super().get_middleware()]


class _Answered:
    """ASGI middleware: what keeps us from knowing the caller is an HTTP answer that says when to come back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; nothing of the answer has been sent where finding the caller failed."""
        try:
            await self._app(scope, receive, send)
        except CommonTraceError as error:
            # Whoever is nobody yet need not know where the backend is.
            said = "The knowledge base cannot be asked for now." if isinstance(error, BackendError) else str(error)
            headers = {"Retry-After": str(error.extra.get("retry_after", 1))} if error.retryable else {}
            body = {"error": error.code, "error_description": said}
            await JSONResponse(body, error.status, headers)(scope, receive, send)

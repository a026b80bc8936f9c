"""What a client is told about where to get a token (RFC 9728), where there is an identity provider."""

from typing import Any, Final, get_args
from urllib.parse import urlsplit

from fastapi import FastAPI

from commontrace.errors import InvalidInputError
from commontrace.models.contributors import Scope
from commontrace_backend.settings import BackendSettings

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


def install(app: FastAPI, settings: BackendSettings) -> None:
    """Accept the tokens of the provider that the settings name, and say so where they name our own address.

    Raises:
        InvalidInputError: the settings do not fit together.
    """
    app.state.provider = None
    app.state.resource_metadata = ""
    if not settings.oidc_issuer:
        return
    from commontrace_backend.contributors.provider import SCOPE_PREFIX, provider_of  # here: most servers have none

    app.state.provider = provider_of(settings)
    if not settings.public_url:
        return
    where = urlsplit(settings.public_url)
    if where.scheme not in {"http", "https"} or not where.hostname:
        raise InvalidInputError("COMMONTRACE_PUBLIC_URL is no address.", "Write it as https://traces.example.com.")
    path = WELL_KNOWN + where.path.rstrip("/")
    app.state.resource_metadata = f"{where.scheme}://{where.netloc}{path}"

    @app.get(path, tags=["operation"])
    async def protected_resource() -> dict[str, Any]:
        """Which provider's tokens are accepted, and the scopes to ask it for."""
        return {
            "resource": settings.public_url,
            "authorization_servers": [settings.oidc_issuer],
            "scopes_supported": [f"{SCOPE_PREFIX}{scope}" for scope in get_args(Scope)],
            "bearer_methods_supported": ["header"],
            "resource_name": "CommonTrace",
        }

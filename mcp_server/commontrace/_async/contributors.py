"""Contributors and their keys."""

from commontrace._async.http import AsyncHttp
from commontrace.models.contributors import ApiKey, Contributor, CreatedApiKey, NewApiKey

_KEYS = "/api/v1/keys"


class AsyncContributors:
    """Who acts, and the keys that prove it: `client.contributors`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def me(self) -> Contributor:
        """Who this client acts as."""
        return await self._http.call("GET", "/api/v1/me", Contributor)

    async def create_key(self, wanted: NewApiKey) -> CreatedApiKey:
        """Create a key; its secret is shown once. Needs the scope `admin`."""
        return await self._http.call("POST", _KEYS, CreatedApiKey, body=wanted)

    async def keys(self) -> list[ApiKey]:
        """The keys of the organization. Needs the scope `admin`."""
        return await self._http.call("GET", _KEYS, list[ApiKey])

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key, effective at once. Needs the scope `admin`."""
        await self._http.call("DELETE", f"{_KEYS}/{key_id}", type(None))

"""Contributors and their keys."""

from commontrace._sync.http import Http
from commontrace.models.contributors import ApiKey, Contributor, CreatedApiKey, NewApiKey

_KEYS = "/api/v1/keys"


class Contributors:
    """Who acts, and the keys that prove it: `client.contributors`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def me(self) -> Contributor:
        """Who this client acts as."""
        return self._http.call("GET", "/api/v1/me", Contributor)

    def create_key(self, wanted: NewApiKey) -> CreatedApiKey:
        """Create a key; its secret is shown once. Needs the scope `admin`."""
        return self._http.call("POST", _KEYS, CreatedApiKey, body=wanted)

    def keys(self) -> list[ApiKey]:
        """The keys of the organization. Needs the scope `admin`."""
        return self._http.call("GET", _KEYS, list[ApiKey])

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key, effective at once. Needs the scope `admin`."""
        self._http.call("DELETE", f"{_KEYS}/{key_id}", type(None))

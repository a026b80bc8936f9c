"""Contributors and their keys."""

from commontrace._sync.http import Http
from commontrace.models.contributors import (
    ApiKey,
    Contributor,
    CreatedApiKey,
    NewApiKey,
    NewIdentity,
    NewToken,
    Reputation,
    Revocation,
    Revoked,
    Rotation,
    Token,
)

_KEYS = "/api/v1/keys"


class Contributors:
    """Who acts, and the keys that prove it: `client.contributors`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def me(self) -> Contributor:
        """Who this client acts as."""
        return self._http.call("GET", "/api/v1/me", Contributor)

    def reputation(self, contributor_id: str = "me") -> Reputation:
        """How well what somebody wrote has worked for others, by tag; nothing of who is unknown."""
        return self._http.call("GET", f"/api/v1/contributors/{contributor_id}/reputation", Reputation)

    def create_key(self, wanted: NewApiKey) -> CreatedApiKey:
        """Create a key; its secret is shown once. Needs the scope `admin`."""
        return self._http.call("POST", _KEYS, CreatedApiKey, body=wanted)

    def create_token(self, wanted: NewToken | None = None) -> Token:
        """A token that stands for the key of this client for a while; by default for 15 minutes, and not to administer.

        It can be used wherever a key can: `connect(url, api_key=token)`. Needs a key, of any scope.
        """
        return self._http.call("POST", "/api/v1/tokens", Token, body=wanted or NewToken())

    def create_identity(self, wanted: NewIdentity) -> ApiKey:
        """Let whom an identity provider's tokens are about act as a contributor; `revoke_key` takes it back.

        Needs the scope `admin`, in the organization that the store began with.
        """
        return self._http.call("POST", "/api/v1/identities", ApiKey, body=wanted)

    def keys(self, limit: int | None = None) -> list[ApiKey]:
        """The keys and identities of the organization, oldest first, or the first `limit`. Needs the scope `admin`."""
        return self._http.listed(_KEYS, ApiKey, limit=limit)

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key, effective at once. Needs the scope `admin`."""
        self._http.call("DELETE", f"{_KEYS}/{key_id}", type(None))

    def rotate_key(self, key_id: str, *, overlap_hours: float = 24) -> CreatedApiKey:
        """Make a key that takes another one's place; the old one ends after the overlap. Needs the scope `admin`."""
        body = Rotation(overlap_hours=overlap_hours)
        return self._http.call("POST", f"{_KEYS}/{key_id}/rotation", CreatedApiKey, body=body)

    def revoke_keys(self, wanted: Revocation) -> list[str]:
        """Revoke the keys of a contributor, an organization or a branch of invitations; returns the ids of the keys.

        Needs the scope `admin`.
        """
        return (self._http.call("POST", f"{_KEYS}/revocation", Revoked, body=wanted)).key_ids

    def report_leaked(self) -> list[str]:
        """Revoke the key that this client acts with; returns its id. Needs no scope: holding the key is the proof."""
        return (self._http.call("POST", f"{_KEYS}/leaked", Revoked)).key_ids

"""Vouches: which organizations yours answers for, and how loud each is to it."""

from urllib.parse import quote

from commontrace._sync.http import Http
from commontrace.models.reviews import NewVouch, Vouch

_VOUCHES = "/api/v1/vouches"


class Vouches:
    """Whom public standing counts for your organization: `client.vouches`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def known(self, limit: int | None = None) -> list[Vouch]:
        """The organizations that have a voice for yours, loudest first, or the loudest `limit`."""
        return self._http.listed(_VOUCHES, Vouch, limit=limit)

    def add(self, organization: str, reason: str, *, seed: bool = False) -> list[Vouch]:
        """Answer for an organization; with `seed` everybody's trust begins there too. Needs the scope `admin`."""
        body = NewVouch(organization=organization, reason=reason, seed=seed)
        return self._http.call("POST", _VOUCHES, list[Vouch], body=body)

    def remove(self, organization: str, reason: str = "no longer", *, seed: bool = False) -> list[Vouch]:
        """Take a vouch, or with `seed` a seed, back. Needs the scope `admin`."""
        path = f"{_VOUCHES}/{quote(organization, safe='')}"
        return self._http.call("DELETE", path, list[Vouch], query={"reason": reason, "seed": seed})

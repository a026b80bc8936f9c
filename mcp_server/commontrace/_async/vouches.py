"""Vouches: which organizations yours answers for, and how loud each is to it."""

from urllib.parse import quote

from commontrace._async.http import AsyncHttp
from commontrace.models.reviews import NewVouch, Vouch

_VOUCHES = "/api/v1/vouches"


class AsyncVouches:
    """Whom public standing counts for your organization: `client.vouches`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def known(self, limit: int | None = None) -> list[Vouch]:
        """The organizations that have a voice for yours, loudest first, or the loudest `limit`."""
        return await self._http.listed(_VOUCHES, Vouch, limit=limit)

    async def add(self, organization: str, reason: str, *, seed: bool = False) -> list[Vouch]:
        """Answer for an organization; with `seed` everybody's trust begins there too. Needs the scope `admin`."""
        body = NewVouch(organization=organization, reason=reason, seed=seed)
        return await self._http.call("POST", _VOUCHES, list[Vouch], body=body)

    async def remove(self, organization: str, reason: str = "no longer", *, seed: bool = False) -> list[Vouch]:
        """Take a vouch, or with `seed` a seed, back. Needs the scope `admin`."""
        path = f"{_VOUCHES}/{quote(organization, safe='')}"
        return await self._http.call("DELETE", path, list[Vouch], query={"reason": reason, "seed": seed})

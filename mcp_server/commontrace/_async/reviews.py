"""Reviews: what awaits a decision, and deciding it."""

import re
from datetime import datetime
from typing import Literal

from commontrace._async.http import AsyncHttp
from commontrace.errors import InvalidInputError
from commontrace.models.reviews import NewReview, Reversal, ReviewDecision, ReviewItem

_REVIEWS = "/api/v1/reviews"
_ID = re.compile(r"[0-9a-f]{6,32}\Z")


class AsyncReviews:
    """What admins look at and decide: `client.reviews`. Every method needs the scope `admin`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def waiting(self, limit: int | None = 50) -> list[ReviewItem]:
        """What awaits a decision, longest unchanged first; a `limit` of None gives all of it."""
        return await self._http.listed(_REVIEWS, ReviewItem, limit=limit)

    async def approve(self, subject: str, reason: str) -> ReviewDecision:
        """Serve a trace again, publish what is pending, or accept an amendment."""
        return await self._decide(subject, "approve", reason)

    async def reject(self, subject: str, reason: str) -> ReviewDecision:
        """Withdraw a trace, or turn an amendment down; what is proven and not yours takes a second reviewer."""
        return await self._decide(subject, "reject", reason)

    async def restore(self, subject: str, reason: str) -> ReviewDecision:
        """Bring a withdrawn trace back, or undo a decision by its id."""
        return await self._decide(subject, "restore", reason)

    async def _decide(
        self, subject: str, action: Literal["approve", "reject", "restore"], reason: str
    ) -> ReviewDecision:
        if not _ID.match(subject):
            raise InvalidInputError(f"{subject[:80]!r} is not the id of anything to review.", "See reviews.waiting().")
        body = NewReview(action=action, reason=reason)
        return await self._http.call("POST", f"{_REVIEWS}/{subject}", ReviewDecision, body=body)

    async def reverse(
        self,
        *,
        since: datetime,
        reason: str,
        contributor: str | None = None,
        organization: str | None = None,
        lineage: str | None = None,
        dry_run: bool = False,
    ) -> ReviewDecision:
        """Take back what one of the three published, reported and flagged since a moment; undone by `restore`."""
        body = Reversal(
            contributor=contributor,
            organization=organization,
            lineage=lineage,
            since=since,
            reason=reason,
            dry_run=dry_run,
        )
        return await self._http.call("POST", f"{_REVIEWS}/reversals", ReviewDecision, body=body)

    async def decisions(self, limit: int | None = 50) -> list[ReviewDecision]:
        """What the reviewers of your organization decided, newest first; a `limit` of None gives all of it."""
        return await self._http.listed(f"{_REVIEWS}/decisions", ReviewDecision, limit=limit)

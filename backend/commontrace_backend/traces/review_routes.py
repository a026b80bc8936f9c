"""HTTP for reviews and vouches: parameters, one awaited call, the answer."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from commontrace.models.base import Page
from commontrace.models.reviews import NewReview, NewVouch, Reversal, ReviewDecision, ReviewItem, Vouch
from commontrace_backend.identity import Admin, Reader, Reading, Writing
from commontrace_backend.paging import Paged
from commontrace_backend.traces import reversing, review_store, reviewing, vouching
from commontrace_backend.traces.routes import Index

router = APIRouter(prefix="/api/v1", tags=["reviews"])

Subject = Annotated[
    str, Path(pattern=r"^[0-9a-f]{6,32}$", description="The id of a trace, an amendment, or a decision to restore.")
]


@router.get("/reviews")
async def review_queue(caller: Admin, session: Reading, asked: Paged) -> Page[ReviewItem]:
    """What awaits a decision, longest unchanged first; a page may have fewer items than its limit."""
    return await reviewing.queue(session, caller, asked)


@router.get("/reviews/decisions")
async def review_decisions(caller: Admin, session: Reading, asked: Paged) -> Page[ReviewDecision]:
    """What the reviewers of your organization decided, newest first."""
    return await review_store.decisions(session, caller, asked)


@router.post("/reviews/reversals", status_code=201)
async def reverse(body: Reversal, caller: Admin, session: Writing) -> ReviewDecision:
    """Take back what somebody published, reported and flagged since a moment; with `dry_run` say what that would be."""
    return await reversing.reverse(session, caller, body)


@router.post("/reviews/{subject}", status_code=201)
async def review(subject: Subject, body: NewReview, caller: Admin, index: Index, session: Writing) -> ReviewDecision:
    """Approve, reject or restore."""
    return await reviewing.review(session, caller, index, subject, body)


@router.get("/vouches")
async def list_vouches(caller: Reader, session: Reading, asked: Paged) -> Page[Vouch]:
    """The organizations that have a voice for yours, loudest first."""
    return await vouching.page(session, caller, asked)


@router.post("/vouches", status_code=201)
async def add_vouch(body: NewVouch, caller: Admin, session: Writing) -> list[Vouch]:
    """Answer for an organization, or pin it as a seed."""
    return await vouching.vouch(session, caller, body)


@router.delete("/vouches/{organization}")
async def remove_vouch(
    organization: Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,99}$")],
    caller: Admin,
    session: Writing,
    reason: Annotated[str, Query(min_length=1, max_length=4_000)] = "no longer",
    *,
    seed: bool = False,
) -> list[Vouch]:
    """Take a vouch, or a seed, back."""
    return await vouching.unvouch(session, caller, organization, reason, seed=seed)

"""Vouches and seeds: whom an organization answers for, and where everybody's walk of trust begins."""

from sqlalchemy import select

from commontrace.errors import ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.reviews import NewVouch, Vouch
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors import store as contributor_store
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import organizations
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked, page_of
from commontrace_backend.traces import review_store, trust_store
from commontrace_backend.traces.tables import trust_edges, trust_seeds


async def known(session: ReadSession, caller: Caller) -> list[Vouch]:
    """Every organization that has a voice for the caller's, loudest first."""
    trust = await trust_store.trust_for(session, caller.tenant_id)
    edges = {
        row.target_id: row
        for row in await session.all(select(trust_edges).where(trust_edges.c.source_id == caller.tenant_id))
    }
    home = await trust_store.home_of(session)
    seeds = {home, *(row.organization_id for row in await session.all(select(trust_seeds)))}
    rows = await session.all(select(organizations).where(organizations.c.organization_id.in_(sorted(trust.voices))))
    found = [
        Vouch(
            organization_name=row.name,
            vouched=edge is not None and edge.vouched,
            invited=row.invited_by == caller.tenant_id,
            seed=row.organization_id in seeds,
            confirmed=edge.confirmed if edge is not None else 0,
            voice=round(trust.voice(row.organization_id), 4),
            reason=edge.reason if edge is not None else "",
        )
        for row in rows
        for edge in (edges.get(row.organization_id),)
        if row.organization_id != caller.tenant_id
    ]
    return sorted(found, key=_loudness)


def _loudness(vouch: Vouch) -> tuple[float, str]:
    return -vouch.voice, vouch.organization_name


async def page(session: ReadSession, caller: Caller, asked: Asked) -> Page[Vouch]:
    """A page of the same."""
    placed = [(_loudness(one), one) for one in await known(session, caller)]
    shown, goes_on = page_of("vouches", (float, str), placed, asked)
    return Page(items=shown, next_cursor=goes_on)


async def vouch(session: WriteSession, caller: Caller, wanted: NewVouch) -> list[Vouch]:
    """Answer for an organization, or pin it as a seed."""
    target = await _other(session, caller, wanted.organization)
    reason = screen_text(wanted.reason).text
    if wanted.seed:
        await _must_run_the_store(session, caller)
        await trust_store.pin(session, target, caller.contributor_id, reason)
    else:
        edge = await trust_store.find_edge(session, caller.tenant_id, target)
        if edge is not None and edge.vouched and edge.reason == reason:
            return await known(session, caller)  # sent again
        await trust_store.vouch(session, caller.tenant_id, target, caller.contributor_id, reason)
    await review_store.record(session, caller, "pin" if wanted.seed else "vouch", target, reason, {})
    return await known(session, caller)


async def unvouch(session: WriteSession, caller: Caller, name: str, reason: str, *, seed: bool) -> list[Vouch]:
    """Take that back; raises NotFoundError where there is nothing to take back."""
    row = await contributor_store.find_organization(session, name)
    target = str(row.organization_id) if row is not None else ""
    if seed:
        await _must_run_the_store(session, caller)
        there = await trust_store.unpin(session, target)
    else:
        edge = await trust_store.find_edge(session, caller.tenant_id, target)
        there = edge is not None and edge.vouched
        if there:
            await trust_store.vouch(session, caller.tenant_id, target, None, "")
    if not there:
        raise NotFoundError(f"Nobody here vouches for {name}.", "See `commontrace vouches list`.")
    await review_store.record(session, caller, "unpin" if seed else "unvouch", target, reason, {})
    return await known(session, caller)


async def _other(session: ReadSession, caller: Caller, name: str) -> str:
    row = await contributor_store.find_organization(session, name)
    if row is None:
        raise NotFoundError(f"No organization {name}.", "Give its name as it stands in `commontrace keys list`.")
    if row.organization_id == caller.tenant_id:
        raise InvalidInputError("An organization does not vouch for itself.", "Name another one.")
    return str(row.organization_id)


async def _must_run_the_store(session: ReadSession, caller: Caller) -> None:
    if caller.tenant_id != await trust_store.home_of(session):
        raise ForbiddenError(
            "Seeds are pinned by the organization that runs the store.", "Vouch for it without the seed."
        )

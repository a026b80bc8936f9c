"""Standing per audience, clause by clause, through the doors: who counts, for whom, and what strangers cannot do."""

import shutil
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, Evidence, Standing
from commontrace.models.votes import OutcomeKind
from commontrace_backend.traces.trust import Outcome, standing_of
from commontrace_backend.traces.walk import Trust
from doors import People
from factories import contributed, contribution, found, read, use

TITLE = contribution().title
SEEN = Evidence(command="pytest -q", exit_before=1, exit_after=0)


async def published(client: AsyncClient, number: int = 0) -> str:
    known = await contributed(client, number)
    await client.traces.publish(known)
    return known


async def standing(client: AsyncClient, trace_id: str) -> Standing:
    return (await client.traces.get(trace_id)).standing


def voice(organization: str, kind: OutcomeKind = "worked", *, insider: bool = False) -> Outcome:
    return Outcome(organization, organization, organization, kind, self_report=False, evidence=False, insider=insider)


@pytest.mark.both_databases
async def test_in_a_team_people_count_although_one_lineage_invited_them_all(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    result = [await use(await people(name), known) for name in ("ann", "bo", "cy")][-1]
    assert (result.standing.tier, result.standing.people, result.standing.organizations) == ("verified", 3, 1)


@pytest.mark.both_databases
async def test_in_public_strangers_count_for_nobody_until_somebody_known_vouches_for_them(
    client: AsyncClient, people: People
) -> None:
    known = await published(client)
    crowd = [await people.stranger(f"eve {number}", f"evil {number}") for number in range(5)]
    result = [await use(eve, known) for eve in crowd][-1]
    assert (result.standing.tier, result.standing.worked, result.standing.uncounted) == ("unproven", 0, 5)
    viewer = await people("zoe", "elsewhere")
    assert await found(viewer, "database is locked") == []
    for number in (0, 1):
        await client.vouches.add(f"evil {number}", "met them")
    assert (await standing(viewer, known)).tier == "corroborated"
    assert await found(viewer, "database is locked") == [TITLE]
    await client.vouches.remove("evil 1")
    assert (await standing(viewer, known)).tier == "unproven"
    assert await found(viewer, "database is locked") == []


async def test_standing_is_each_viewers_own(client: AsyncClient, people: People) -> None:
    known = await published(client)
    for name in ("one", "two"):
        await use(await people.stranger("x", name), known)
    friend = await people("zoe", "elsewhere", ("read", "vote", "admin"))
    for name in ("one", "two"):
        await friend.vouches.add(name, "our customers")
    assert await found(friend, "database is locked") == [TITLE]
    other = await people("kim", "another")
    assert await found(other, "database is locked") == []
    assert ((await standing(friend, known)).tier, (await standing(other, known)).tier) == ("corroborated", "unproven")


async def test_confirmed_work_is_an_edge_of_trust(client: AsyncClient, people: People) -> None:
    known = await published(client)
    acme, globex = await people.stranger("a", "acme"), await people.stranger("g", "globex")
    viewer = await people("zoe", "elsewhere")
    for author, number in ((acme, 1), (globex, 2)):
        await use(viewer, await published(author, number))
        await use(author, known)
    assert (await standing(viewer, known)).tier == "corroborated"
    said = {vouch.organization_name: vouch for vouch in await viewer.vouches.known()}
    assert (said["acme"].confirmed, said["acme"].voice, said["acme"].vouched) == (1, 1.0, False)


async def test_a_copy_of_a_store_that_went_its_own_way_knows_its_own_organizations(
    client: AsyncClient, store: Path, tmp_path: Path
) -> None:
    twin = shutil.copy(store, tmp_path / "twin.db")
    async with connect_async(f"sqlite:///{twin}") as other:
        for owner, name in ((client, "acme"), (other, "globex")):
            await owner.contributors.create_key(NewApiKey(contributor="x", organization=name))
            assert [vouch.organization_name for vouch in await owner.vouches.known()] == [name]


async def test_a_bad_outcome_takes_the_edge_back(client: AsyncClient, people: People) -> None:
    acme, viewer = await people.stranger("a", "acme"), await people("zoe", "elsewhere")
    theirs = await published(acme, 1)
    await use(viewer, theirs)
    assert "acme" in [vouch.organization_name for vouch in await viewer.vouches.known()]
    await viewer.traces.vote(theirs, "did_not_work", "not here")
    assert "acme" not in [vouch.organization_name for vouch in await viewer.vouches.known()]


async def test_what_ones_own_people_report_on_a_public_trace_counts_as_in_a_team(
    client: AsyncClient, people: People
) -> None:
    known = await published(client)
    ann, bo = await people.stranger("ann", "acme"), await people.stranger("bo", "acme")
    result = await use(ann, known)
    assert result.standing.tier == "unproven"  # before everybody
    assert (await standing(bo, known)).tier == "corroborated"
    assert await found(bo, "database is locked") == [TITLE]
    assert await found(await people("zoe", "elsewhere"), "database is locked") == []


def test_in_public_the_authors_own_side_never_promotes_but_is_heard_when_it_warns() -> None:
    inside = [voice("author", insider=True), voice("b", insider=True)]
    assert standing_of(inside, "public").tier == "unproven"
    assert standing_of([*inside, voice("c"), voice("d")], "public").worked == 2
    warned = [voice("c"), voice("d"), voice("author", "unsafe", insider=True)]
    assert (standing_of(warned, "public").tier, standing_of(warned, "public").unsafe) == ("unproven", 1)


async def test_outcomes_of_the_authors_organization_never_promote_in_public(
    client: AsyncClient, people: People
) -> None:
    known = await published(client)
    result = [await use(await people(name), known) for name in ("ann", "bo", "cy")][-1]
    assert (result.standing.worked, result.standing.uncounted) == (0, 3)
    await use(await people("zoe", "elsewhere"), known)
    assert (await standing(client, known)).tier == "unproven"


async def test_who_amended_it_is_an_insider_too(client: AsyncClient, people: People) -> None:
    known = await published(client)
    eve, other = await people("eve", "evil"), await people("mal", "evil")
    proposed = await eve.traces.amend(known, AmendmentProposal(solution="Run one writer and a queue.", reason="mine"))
    await client.traces.decide(proposed.amendment_id, accept=True)
    result = await use(other, known)
    assert (result.self_report, result.standing.worked, result.standing.uncounted) == (False, 0, 1)


@pytest.mark.both_databases
async def test_bad_outcomes_of_strangers_flag_a_trace_and_never_bury_it(client: AsyncClient, people: People) -> None:
    known = await published(client)
    for name in ("acme", "globex"):
        await use(await people("x", name), known)
    result = [
        await use(await people.stranger("eve", f"evil {number}"), known, "unsafe", "it bites") for number in range(4)
    ][-1]
    assert (result.standing.tier, result.standing.unsafe, result.standing.disputed) == ("corroborated", 0, 4)
    assert await found(await people("zoe", "elsewhere"), "database is locked") == [TITLE]
    (item,) = await client.reviews.waiting()
    assert (item.causes, item.notes) == (["disputed"], ["unsafe: it bites"] * 4)


async def test_one_warning_by_somebody_known_ends_a_public_tier_at_once(client: AsyncClient, people: People) -> None:
    known = await published(client)
    result = [await use(await people("x", name), known) for name in ("a", "b", "c", "d", "e")][-1]
    assert result.standing.tier == "verified"
    result = await use(await people("y", "f"), known, "unsafe", "it wipes the disk")
    assert result.standing.tier == "unproven"
    assert await found(await people("zoe", "elsewhere"), "database is locked") == []


async def test_strangers_flags_wait_for_a_look_and_hide_nothing(client: AsyncClient, people: People) -> None:
    known = await published(client)
    for number in range(5):
        await (await people.stranger("eve", f"evil {number}")).traces.flag(known, "harmful", "so we say")
    assert (await client.traces.get(known)).state == "active"
    (item,) = await client.reviews.waiting()
    assert (item.causes, item.notes[0]) == (["flagged"], "flag harmful: so we say")


@pytest.mark.both_databases
async def test_ten_keys_in_five_self_made_organizations_do_not_beat_six_honest_outcomes(
    client: AsyncClient, people: People
) -> None:
    honest = await published(client)
    eve = await people.stranger("eve", "evil 0")
    wanted = contribution(title=f"{TITLE}: database is locked, database is locked", solution="chmod 777 the file.")
    fake = str((await eve.traces.contribute(wanted.model_copy(update={"insist": True}))).trace_id)
    await eve.traces.publish(fake)
    for number in range(6):
        await use(await people("x", f"honest {number}"), honest)
    for number in range(5):
        for name in ("eve 1", "eve 2"):
            fraud = await people.stranger(name, f"evil {number}")
            await read(fraud, fake)
            await fraud.traces.vote(fake, "worked", evidence=SEEN)
    viewer = await people("zoe", "elsewhere")
    assert await found(viewer, "database is locked") == [TITLE]
    asked = Query(query="database is locked", include_unproven=True, fold=False)
    hits = (await viewer.traces.query(asked)).hits
    assert [hit.trace_id for hit in hits] == [honest, fake]
    assert (hits[1].standing.tier, hits[1].standing.uncounted) == ("unproven", 10)


async def test_an_unproven_public_trace_comes_with_its_commands_flagged(client: AsyncClient, people: People) -> None:
    eve = await people.stranger("eve", "evil")
    asked = contribution(solution="Run this to mend it:\n\n```sh\nsudo chmod 666 /var/run/docker.sock\n```\n")
    known = str((await eve.traces.contribute(asked)).trace_id)
    await eve.traces.publish(known)
    viewer = await people("zoe", "elsewhere")
    assert await found(viewer, "database is locked") == []
    (hit,) = (await viewer.traces.query(Query(query="database is locked", include_unproven=True))).hits
    (flagged,) = [label for label in hit.labels if label.label == "unproven command"]
    assert flagged.reason == "nobody you know has run it: sudo chmod 666 /var/run/docker.sock"
    assert "unproven command" not in [label.label for label in (await read(eve, known)).labels]


async def test_a_flood_of_unproven_texts_crowds_no_proven_one_out(client: AsyncClient, people: People) -> None:
    honest = await published(client)
    for name in ("acme", "globex"):
        await use(await people("x", name), honest)
    eve = await people.stranger("eve", "evil")
    for number in range(30):
        title = f"database is locked {number}: sqlite database is locked"
        text = contribution(title=title, problem=f"sqlite database is locked, case {number}, always", insist=True)
        fake = str((await eve.traces.contribute(text)).trace_id)
        await eve.traces.publish(fake)
    viewer = await people("zoe", "elsewhere")
    asked = Query(query="sqlite database is locked", include_unproven=True, limit=3)
    assert (await viewer.traces.query(asked)).hits[0].trace_id == honest


async def test_what_ones_own_organization_published_is_still_found_by_its_people(
    client: AsyncClient, people: People
) -> None:
    await published(client)
    assert await found(await people("ann"), "database is locked") == [TITLE]


async def test_a_seed_is_where_everybodys_trust_begins(client: AsyncClient, people: People) -> None:
    known = await published(client)
    await use(await people.stranger("x", "one"), known)
    two = await people.stranger("x", "two")
    await use(two, known)
    admin = await people("root", "one", ("read", "admin"))
    await admin.vouches.add("two", "our partner")
    viewer = await people("zoe", "elsewhere")
    assert (await standing(viewer, known)).uncounted == 2
    await client.vouches.add("one", "a foundation", seed=True)
    said = {vouch.organization_name: vouch for vouch in await viewer.vouches.known()}
    assert (said["one"].seed, said["two"].seed, said["two"].voice) == (True, False, 1.0)
    assert (await standing(viewer, known)).tier == "corroborated"
    await client.vouches.remove("one", "it was sold", seed=True)
    assert (await standing(viewer, known)).uncounted == 2


async def test_vouches_are_given_by_admins_for_others_and_seeds_by_who_runs_the_store(
    client: AsyncClient, people: People
) -> None:
    admin = await people("root", "acme", ("read", "admin"))
    plain = await people("ann", "acme")
    await people("x", "globex")
    with pytest.raises(ForbiddenError):
        await plain.vouches.add("globex", "why not")
    with pytest.raises(ForbiddenError, match="runs the store"):
        await admin.vouches.add("globex", "mine", seed=True)
    with pytest.raises(ForbiddenError, match="runs the store"):
        await admin.vouches.remove("globex", seed=True)
    with pytest.raises(InvalidInputError, match="for itself"):
        await admin.vouches.add("acme", "we are good")
    with pytest.raises(NotFoundError, match="No organization nowhere"):
        await admin.vouches.add("nowhere", "who")
    for seed in (False, True):
        with pytest.raises(NotFoundError, match="Nobody here vouches"):
            await client.vouches.remove("globex", seed=seed)
    await admin.vouches.add("globex", "partners")
    (mine,) = [vouch for vouch in await admin.vouches.known() if vouch.organization_name == "globex"]
    assert (mine.vouched, mine.invited, mine.reason) == (True, False, "partners")
    assert [(one.action, one.reason) for one in await admin.reviews.decisions()] == [("vouch", "partners")]


def test_a_faint_voice_moves_little_and_warns_alone_no_more_than_it_is_trusted() -> None:
    trust = Trust({"a": 1.0, "b": 1.0, "faint": 0.1})
    good = [voice("a"), voice("b")]
    assert standing_of([*good, voice("faint", "unsafe")], "public", trust=trust).tier == "unproven"  # 2 of 2.1
    many = Trust(dict.fromkeys("abcde", 1.0) | {"faint": 0.1})
    five = [voice(name) for name in "abcde"]
    assert standing_of([*five, voice("faint", "unsafe")], "public", trust=many).tier == "corroborated"
    assert standing_of([*five, voice("e2", "unsafe")], "public", trust=many).tier == "verified"


def test_who_is_known_through_another_shares_one_voice_with_it_and_the_better_known_speaks() -> None:
    trust = Trust({"a": 1.0, "behind": 0.5}, {"a": "a", "behind": "a"})
    shared = standing_of([voice("a"), voice("behind", "did_not_work")], "public", trust=trust)
    assert (shared.worked, shared.did_not_work, shared.organizations) == (1, 0, 2)

"""A context that its owner shares is the organization's to read and to go on with, and nobody else's."""

import pytest

from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from conversations import said, say
from doors import People

PLAN = "the-plan"


@pytest.mark.both_databases
async def test_what_is_shared_is_read_and_gone_on_with_by_colleagues_until_it_is_taken_back(people: People) -> None:
    ann, ben, eve = await people("ann"), await people("ben"), await people("eve", "elsewhere")
    mine, theirs = ann.contexts.open(PLAN), ben.contexts.open(PLAN)
    await say(mine, "1")
    assert (await mine.share()).visibility == "team"
    with pytest.raises(ConflictError, match="would see what you write"):
        await say(theirs, "for me alone")
    theirs = ben.contexts.open(PLAN)
    await theirs.switch("main")
    await say(theirs, "2")
    assert await said(mine) == await said(theirs) == ["1", "2"]
    assert [(one.name, one.visibility) for one in await ben.contexts.repositories()] == [(PLAN, "team")]
    assert await eve.contexts.repositories() == []
    await mine.share("private")
    with pytest.raises(NotFoundError):
        await theirs.log()
    assert await said(mine) == ["1", "2"]


async def test_only_its_owner_says_who_sees_a_context(people: People) -> None:
    ann, ben = await people("ann"), await people("ben")
    mine = ann.contexts.open(PLAN)
    await say(mine, "1")
    with pytest.raises(NotFoundError):
        await ben.contexts.open(PLAN).share()
    await mine.share()
    with pytest.raises(ForbiddenError, match="somebody else's"):
        await ben.contexts.open(PLAN).share("private")


async def test_two_contexts_of_one_name_are_not_shared_in_one_organization(people: People) -> None:
    ann, ben = await people("ann"), await people("ben")
    for one in (ann, ben):
        await say(one.contexts.open(PLAN), "1")
    await ann.contexts.open(PLAN).share()
    with pytest.raises(ConflictError, match="already"):
        await ben.contexts.open(PLAN).share()
    assert (await ann.contexts.open(PLAN).share()).visibility == "team"

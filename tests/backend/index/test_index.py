"""The index of words: one suite for every implementation, and how words become terms."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, true

from commontrace import AsyncClient
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.index.any_index import index_for
from commontrace_backend.index.protocol import Document, SearchIndex
from commontrace_backend.index.sqlite_index import MOST_TERMS
from commontrace_backend.index.terms import Stemmer, query_words, words_of
from commontrace_backend.traces.tables import traces
from factories import contributed

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def database(client: AsyncClient, url: str) -> AsyncIterator[Database]:
    """A store with five traces, numbered 1 to 5."""
    for number in range(5):
        await contributed(client, number)
    opened = connect_database(url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def index(database: Database) -> SearchIndex:
    """The implementation of the protocol that goes with the database."""
    return index_for(database, traces.c.number)


def document(number: int, text: str) -> Document:
    return Document(number=number, title=text, problem="", solution="", tags="", errors="")


async def search(database: Database, index: SearchIndex, text: str, limit: int = 10) -> list[int]:
    async with database.reading() as session:
        return [match.number for match in await index.search(session, text, where=true(), limit=limit)]


async def test_a_word_in_the_title_counts_for_more_than_one_in_the_text(database: Database, index: SearchIndex) -> None:
    async with database.writing() as session:
        filler = "and then some more words that make the length the same"
        await index.put(session, Document(1, "marsupial", filler, "", "", ""))
        await index.put(session, Document(2, "something", f"marsupial {filler}", "", "", ""))
    assert await search(database, index, "marsupial") == [1, 2]


async def test_putting_again_replaces(database: Database, index: SearchIndex) -> None:
    async with database.writing() as session:
        await index.put(session, document(3, "marsupial"))
        await index.put(session, document(3, "monotreme"))
    assert await search(database, index, "marsupial") == []
    assert await search(database, index, "monotreme") == [3]


async def test_a_filter_never_costs_a_hit(database: Database, index: SearchIndex) -> None:
    async with database.writing() as session:
        for number in range(1, 6):
            await index.put(session, document(number, "marsupial " * (6 - number)))
    async with database.reading() as session:
        only_last = await index.search(session, "marsupial", where=traces.c.number == 5, limit=1)
    assert [match.number for match in only_last] == [5]
    assert await search(database, index, "marsupial", limit=2) == [1, 2]


async def test_coverage_is_the_weight_of_the_words_that_match(database: Database, index: SearchIndex) -> None:
    async with database.writing() as session:
        await index.put(session, document(1, "marsupials jump"))
        await index.put(session, document(2, "marsupials sleep"))
    async with database.reading() as session:
        matches = await index.search(session, "jumping marsupial", where=true(), limit=5)
        alone = await index.search(session, "marsupial unheardof", where=true(), limit=5)
    assert [(match.number, match.terms) for match in matches] == [(1, ("jumping", "marsupial")), (2, ("marsupial",))]
    assert matches[0].coverage == pytest.approx(1.0)
    assert 0 < matches[1].coverage < 0.5  # the rarer word weighs more
    assert 0 < alone[0].coverage < 0.5


async def test_a_long_query_is_read_by_its_rarest_words(database: Database, index: SearchIndex) -> None:
    async with database.writing() as session:
        for number in range(1, 6):
            await index.put(session, document(number, " ".join(f"common{n}" for n in range(40))))
        await index.put(session, document(5, "marsupial common1"))
    async with database.reading() as session:
        query = " ".join(f"common{n}" for n in range(40)) + " marsupial"
        matches = await index.search(session, query, where=true(), limit=5)
    assert "marsupial" in {term for match in matches for term in match.terms}
    assert max(len(match.terms) for match in matches) <= MOST_TERMS


async def test_a_rare_word_is_found_among_hundreds_of_documents_that_say_the_common_ones(
    database: Database, index: SearchIndex
) -> None:
    async with database.writing() as session:
        first = await session.first(select(traces).where(traces.c.number == 1))
        assert first is not None
        rows = [{**first._asdict(), "number": number, "trace_id": f"{number:032}"} for number in range(6, 407)]
        await session.write(insert(traces), rows)
        for number in range(6, 406):
            await index.put(session, document(number, "opossum wombat " * 3))
        await index.put(session, document(406, f"marsupial {'and many a word more ' * 20}"))
    assert (await search(database, index, "opossum wombat marsupial", limit=3))[0] == 406


@pytest.mark.parametrize("text", ["", "?!", "unheardof words"])
async def test_nothing_matches_nothing(database: Database, index: SearchIndex, text: str) -> None:
    assert await search(database, index, text) == []


def test_stop_words_are_left_out_unless_there_are_no_others() -> None:
    assert query_words("Why is THE database locked, the database?") == ["database", "locked"]
    assert query_words("what is it") == ["what", "is", "it"]


def test_words_are_letters_and_digits_in_lower_case() -> None:
    assert words_of("EAI_AGAIN: foo.bar/Baz-2 ünï") == ["eai", "again", "foo", "bar", "baz", "2", "ünï"]


def test_a_stem_joins_the_forms_of_a_word() -> None:
    stems = Stemmer().stems(["connect", "connected", "connecting", "connection", "über"])
    assert len({stems[word] for word in ("connect", "connected", "connecting", "connection")}) == 1
    assert stems["über"] == "uber"


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_has_stems_or_none(texts: list[str]) -> None:
    stemmer = STEMMER
    words = {word for text in texts for word in words_of(text)}
    stems = stemmer.stems(words)
    assert stems.keys() <= words
    assert stemmer.stems(words) == stems


STEMMER = Stemmer()


def test_a_stemmer_that_has_seen_very_many_words_forgets_and_goes_on() -> None:
    stemmer = Stemmer()
    stemmer.stems(f"w{number}" for number in range(100_001))
    assert stemmer.stems(["walking"]) == {"walking": "walk"}
    assert stemmer.stems(["w1"]) == {"w1": "w1"}

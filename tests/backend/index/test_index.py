"""The index of words: one suite for every implementation, and how words become terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import TextClause, insert, select, true
from sqlalchemy import text as sql

from commontrace_backend.database.engine import Database
from commontrace_backend.database.postgres_database import PostgresDatabase
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.any_index import index_for
from commontrace_backend.index.protocol import Document, Match, Question, SearchIndex
from commontrace_backend.index.question import MOST_TERMS
from commontrace_backend.index.terms import Stemmer, query_words, words_of
from commontrace_backend.traces.tables import traces

pytestmark = pytest.mark.both_databases


@pytest.fixture
def index(database: Database) -> SearchIndex:
    """The implementation of the protocol that goes with the database."""
    return index_for(database, traces.c.number)


def document(number: int, text: str) -> Document:
    return Document(number=number, title=text, problem="", solution="", tags="", errors="")


async def matches(database: Database, index: SearchIndex, question: Question | str, limit: int = 10) -> list[Match]:
    asked = Question(question) if isinstance(question, str) else question
    async with database.reading(EVERY_TENANT) as session:
        return await index.search(session, asked, where=true(), limit=limit)


async def search(database: Database, index: SearchIndex, question: Question | str, limit: int = 10) -> list[int]:
    return [match.number for match in await matches(database, index, question, limit)]


async def put(database: Database, index: SearchIndex, *texts: str) -> None:
    """Make the first traces say these texts and nothing else."""
    async with database.writing(EVERY_TENANT) as session:
        for number, text in enumerate(texts, start=1):
            await index.put(session, document(number, text))


async def test_a_word_in_the_title_counts_for_more_than_one_in_the_text(database: Database, index: SearchIndex) -> None:
    async with database.writing(EVERY_TENANT) as session:
        filler = "and then some more words that make the length the same"
        await index.put(session, Document(1, "marsupial", filler, "", "", ""))
        await index.put(session, Document(2, "something", f"marsupial {filler}", "", "", ""))
    assert await search(database, index, "marsupial") == [1, 2]


async def test_putting_again_replaces(database: Database, index: SearchIndex) -> None:
    async with database.writing(EVERY_TENANT) as session:
        await index.put(session, document(3, "marsupial"))
        await index.put(session, document(3, "monotreme"))
    assert await search(database, index, "marsupial") == []
    assert await search(database, index, "monotreme") == [3]


async def test_a_filter_never_costs_a_hit(database: Database, index: SearchIndex) -> None:
    async with database.writing(EVERY_TENANT) as session:
        for number in range(1, 6):
            await index.put(session, document(number, "marsupial " * (6 - number)))
    async with database.reading(EVERY_TENANT) as session:
        only_last = await index.search(session, Question("marsupial"), where=traces.c.number == 5, limit=1)
    assert [match.number for match in only_last] == [5]
    assert await search(database, index, "marsupial", limit=2) == [1, 2]


async def test_coverage_grows_with_the_weight_of_the_words_that_match(database: Database, index: SearchIndex) -> None:
    await put(database, index, "marsupials jump", "marsupials sleep")
    both, one = await matches(database, index, "jumping marsupial")
    assert (both.number, both.terms, one.number, one.terms) == (1, ("jumping", "marsupial"), 2, ("marsupial",))
    assert one.coverage < both.coverage / 2  # the rarer word weighs more
    (alone, _) = await matches(database, index, "marsupial unheardof")
    assert alone.coverage < alone.share / 2  # what no document holds counts against coverage, not against the share
    assert (alone.asked, alone.stems) == (2, frozenset({"marsupi", "jump"}))


async def test_a_long_query_is_read_by_its_heaviest_words(database: Database, index: SearchIndex) -> None:
    common = " ".join(f"common{n}" for n in range(40))
    await put(database, index, common, common, common, common, "marsupial common1")
    found = await matches(database, index, f"{common} marsupial", limit=5)
    assert "marsupial" in {term for match in found for term in match.terms}
    assert max(len(match.terms) for match in found) <= MOST_TERMS


async def test_the_headline_of_a_question_counts_for_more_than_what_follows(
    database: Database, index: SearchIndex
) -> None:
    await put(database, index, "marsupials", "monotremes")
    for first, second, order in (("marsupial", "monotreme", [1, 2]), ("monotreme", "marsupial", [2, 1])):
        assert await search(database, index, Question(f"{first}\n{second}", headline=first)) == order


async def test_an_identifier_is_found_by_its_parts_and_its_parts_by_it(database: Database, index: SearchIndex) -> None:
    await put(database, index, "readTimeoutMillis is too low", "set HTTPServer2 aside")
    assert await search(database, index, "timeout") == [1]
    assert await search(database, index, "readTimeoutMillis") == [1]
    assert await search(database, index, "http") == [2]
    assert sorted(await search(database, index, "serverTimeout")) == [1, 2]


@pytest.mark.parametrize(("asked", "written"), [("k8s", "Kubernetes"), ("regex", "regexp"), ("js", "JavaScript")])
async def test_other_names_of_a_thing_find_it_but_count_for_less(
    database: Database, index: SearchIndex, asked: str, written: str
) -> None:
    await put(database, index, f"{written} ingress refuses", f"{asked} ingress refuses", "marsupial")
    found = [match for match in await matches(database, index, asked) if match.number in {1, 2}]
    assert [match.number for match in found] == [2, 1]
    assert written.lower() in found[1].terms
    assert asked not in found[1].terms


@pytest.mark.parametrize("asked", ["marsupail", "marsupal", "marrsupial", "masrupials"])
async def test_a_misspelt_word_finds_what_was_meant_where_nothing_else_matches(
    database: Database, index: SearchIndex, asked: str
) -> None:
    await put(database, index, "marsupials jump", "monotremes lay eggs")
    (match,) = await matches(database, index, asked)
    assert (match.number, match.terms) == (1, (f"marsupi for {asked}",))


@pytest.mark.parametrize("asked", ["marsupail eggs monotreme", "mars", "xarsupial"])
async def test_a_word_is_not_corrected_where_others_say_enough_or_it_is_too_far_off(
    database: Database, index: SearchIndex, asked: str
) -> None:
    await put(database, index, "marsupials jump", "monotremes lay eggs")
    assert 1 not in await search(database, index, asked)


async def test_documents_that_were_asked_about_are_rated_wherever_they_rank(
    database: Database, index: SearchIndex
) -> None:
    await put(database, index, "marsupials jump", "monotremes", "marsupials")
    async with database.reading(EVERY_TENANT) as session:
        found = await index.search(session, Question("marsupial"), where=traces.c.number != 1, limit=5, also=[1, 2, 3])
    assert [(match.number, match.score > 0) for match in found] == [(3, True), (1, True), (2, False)]


async def test_traces_whose_words_are_missing_are_pending_until_they_are_put(
    database: Database, index: SearchIndex
) -> None:
    async with database.reading(EVERY_TENANT) as session:
        assert await index.pending(session, 10) == []
    async with database.writing(EVERY_TENANT) as session:
        await session.execute(outdate_words(database))
        assert await index.pending(session, 3) == [1, 2, 3]
        for number in range(1, 6):
            await index.put(session, document(number, "marsupial"))
        assert await index.pending(session, 10) == []
    assert await search(database, index, "marsupial") == [1, 2, 3, 4, 5]


def outdate_words(database: Database) -> TextClause:
    """As a version of ours left them that took words in another way."""
    name = "trace_search" if isinstance(database, PostgresDatabase) else "trace_words"
    return sql(f"UPDATE {name} SET version = '1'")


async def test_a_rare_word_is_found_among_hundreds_of_documents_that_say_the_common_ones(
    database: Database, index: SearchIndex
) -> None:
    async with database.writing(EVERY_TENANT) as session:
        first = await session.first(select(traces).where(traces.c.number == 1))
        assert first is not None
        rows = [{**first._asdict(), "number": number, "trace_id": f"{number:032}"} for number in range(6, 407)]
        await session.write(insert(traces), rows)
        for number in range(6, 406):
            await index.put(session, document(number, "opossum wombat " * 3))
        await index.put(session, document(406, f"marsupial {'and many a word more ' * 20}"))
    assert (await search(database, index, "opossum wombat marsupial", limit=3))[0] == 406


async def test_a_word_that_no_index_can_read_is_passed_over(database: Database, index: SearchIndex) -> None:
    async with database.writing(EVERY_TENANT) as session:
        await index.put(session, document(2, "ᦰ marsupial"))  # a letter only since later Unicode
    assert await search(database, index, "ᦰ") == []
    assert await search(database, index, "ᦰ marsupial") == [2]


@pytest.mark.parametrize("text", ["", "?!", "unheardof words"])
async def test_nothing_matches_nothing(database: Database, index: SearchIndex, text: str) -> None:
    assert await search(database, index, text) == []


def test_stop_words_are_left_out_unless_there_are_no_others() -> None:
    assert query_words("Why is THE database locked, the database?") == {"database": 2, "locked": 1}
    assert query_words("what is it") == {"what": 1, "is": 1, "it": 1}


def test_words_are_letters_and_digits_in_lower_case() -> None:
    assert words_of("EAI_AGAIN: foo.bar/Baz-2 ünï") == ["eai", "again", "foo", "bar", "baz", "2", "ünï"]
    assert words_of("XMLHttpRequest E0382") == ["xmlhttprequest", "xml", "http", "request", "e0382", "e", "0382"]


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

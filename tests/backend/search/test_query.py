"""Queries: what is found, in which order, how much of it, and what is said when nothing is good enough."""

import sqlite3
from contextlib import closing
from math import prod
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace.errors import InvalidInputError
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal, Environment
from doors import People
from factories import contribute_five, contributed, contribution, found, use
from stocks import Stock

pytestmark = pytest.mark.both_databases

TITLES = [contribution(number).title for number in range(5)]
LOCKED = TITLES[0]


@pytest.fixture
async def five(stock: Stock) -> list[str]:
    """Five traces about five things, private to the owner."""
    return await stock(contribute_five)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("several processes write to sqlite", 0),
        ("npm install cannot resolve inside docker build", 1),
        ("borrow checker mutable vector iterating", 2),
        ("container killed exit code 137", 3),
        ("too many connections postgresql pool", 4),
        ("connection pools connecting", 4),  # the stem counts
        ("DOCKER Registry", 1),
        ("EAI_AGAIN", 1),  # only in the error text
        ("pgbouncer", 4),  # only in the solution
        ("kubernetes", 3),
    ],
)
async def test_words_find_the_trace_that_speaks_of_them(
    client: AsyncClient, five: list[str], query: str, title: int
) -> None:
    answer = await client.traces.query(query)
    assert answer.hits[0].title == TITLES[title]
    assert (answer.mode, answer.hits[0].trace_id) == ("lexical", five[title])


async def test_a_hit_says_why_it_matched_and_who_wrote_it(client: AsyncClient, five: list[str]) -> None:
    hit = (await client.traces.query("pgbouncer in transaction mode")).hits[0]
    assert hit.why.startswith("shares ")
    assert "pgbouncer" in hit.why
    assert (hit.short_id, hit.contributor.name, hit.visibility) == (five[4][:10], "owner", "private")
    assert (hit.version_number, hit.tags, hit.body, hit.factors) == (1, ["postgresql"], None, [])


ERROR = """Traceback (most recent call last):
  File "/srv/x/db.py", line 912, in save
sqlite3.OperationalError: database is locked"""


async def test_an_exact_error_comes_first_whatever_the_words_say(client: AsyncClient, five: list[str]) -> None:
    answer = await client.traces.query(Query(query="postgresql pool connection slots", error=ERROR))
    assert answer.mode == "fingerprint"
    assert (answer.hits[0].title, answer.hits[0].why) == (LOCKED, "exactly this error")


async def test_an_error_alone_is_a_query(client: AsyncClient, five: list[str]) -> None:
    assert await found(client, Query(error=ERROR)) == [LOCKED]


async def test_an_error_that_nobody_had_is_searched_by_its_words(client: AsyncClient, five: list[str]) -> None:
    answer = await client.traces.query(error="sqlite3.OperationalError: database table is locked by processes")
    assert (answer.mode, answer.hits[0].title) == ("lexical", LOCKED)


async def test_all_given_tags_must_fit(client: AsyncClient, five: list[str]) -> None:
    assert await found(client, Query(tags=["docker", "npm"])) == [TITLES[1]]
    assert await found(client, Query(tags=["docker", "rust"])) == []
    assert await found(client, Query(query="processes write locked", tags=["rust"])) == []
    answer = await client.traces.query(Query(tags=["docker"]))
    assert (answer.mode, answer.hits[0].why) == ("tags", "newest with these tags")


async def test_tags_alone_list_the_newest_first(client: AsyncClient) -> None:
    known = [await contributed(client, number, tags=["shared"]) for number in range(3)]
    await client.traces.amend(known[0], AmendmentProposal(title="Just amended", reason="r"))
    assert await found(client, Query(tags=["shared"], limit=2)) == ["Just amended", TITLES[2]]


async def test_ids_and_prefixes_are_fetched_whole_in_the_order_asked(client: AsyncClient, five: list[str]) -> None:
    answer = await client.traces.query(Query(ids=[five[3], five[0][:8], "0" * 32]))
    assert (answer.mode, [hit.title for hit in answer.hits]) == ("ids", [TITLES[3], TITLES[0]])
    assert all(hit.body is not None for hit in answer.hits)
    assert answer.hits[1].body == (await client.traces.get(five[0])).content
    assert answer.notes == [f"No trace {'0' * 32}. Check the id, or search with query_traces."]


async def test_full_detail_carries_the_bodies(client: AsyncClient, five: list[str]) -> None:
    hit = (await client.traces.query(Query(query="pgbouncer transaction mode", detail="full"))).hits[0]
    assert hit.body is not None
    assert hit.body.solution == contribution(4).solution


async def test_at_most_limit_hits_come_back_and_the_rest_is_counted(client: AsyncClient) -> None:
    for number in range(4):
        await contributed(client, title=f"Database is locked, case {number}", insist=True)
    answer = await client.traces.query(Query(query="database is locked", limit=2, fold=False))
    assert (len(answer.hits), answer.left_out) == (2, 2)


async def test_bodies_go_first_and_then_hits_where_the_answer_must_be_short(client: AsyncClient) -> None:
    for number in range(4):
        await contributed(client, title=f"Database is locked, case {number}", insist=True)
    asked = Query(query="database is locked", detail="full", fold=False)
    whole = await client.traces.query(asked)
    assert all(hit.body is not None for hit in whole.hits)
    bodies, hits = [], []
    for budget in (50_000, 500, 350, 220, 100):
        answer = await client.traces.query(asked.model_copy(update={"max_tokens": budget}))
        bodies.append(sum(hit.body is not None for hit in answer.hits))
        hits.append(len(answer.hits))
        assert answer.left_out == 4 - hits[-1]
        assert budget > 1000 or f"{budget} tokens" in answer.notes[-1]
    assert bodies == sorted(bodies, reverse=True)
    assert (bodies[0], bodies[-1]) == (4, 0)
    assert 0 < bodies[1] < 4
    assert (hits[:3], hits[-1]) == ([4, 4, 4], 1)


async def test_hits_without_bodies_are_dropped_from_the_end_until_the_answer_fits(client: AsyncClient) -> None:
    for number in range(6):
        await contributed(client, title=f"Database is locked, case {number}", insist=True)
    whole = await client.traces.query(Query(query="database is locked", limit=6, fold=False))
    short = await client.traces.query(Query(query="database is locked", limit=6, max_tokens=200, fold=False))
    assert 1 < len(short.hits) < len(whole.hits) == 6
    assert short.hits == whole.hits[: len(short.hits)]
    assert (short.left_out, short.notes) == (6 - len(short.hits), ["Hits were left out to stay within 200 tokens."])


async def test_factors_explain_the_score_and_multiply_to_it(client: AsyncClient, five: list[str]) -> None:
    asked = Query(
        query="processes write database is locked",
        explain=True,
        environment=Environment.model_validate({"language": "python", "packages": [{"name": "x", "versions": "1"}]}),
    )
    for hit in (await client.traces.query(asked)).hits:
        assert [factor.name for factor in hit.factors] == ["relevance", "standing", "fit", "freshness"]
        assert prod(factor.value for factor in hit.factors) == pytest.approx(hit.score, abs=5e-5)


async def test_the_fit_of_versions_is_said_and_decides_between_equals(client: AsyncClient) -> None:
    for versions in ("<2", ">=2"):
        await contributed(
            client,
            title=f"Database is locked with aiosqlite {versions}",
            environment={"packages": [{"name": "aiosqlite", "versions": versions}]},
            insist=True,
        )
    here = Environment.model_validate({"packages": [{"name": "aiosqlite", "versions": "2.1"}]})
    first, second = (await client.traces.query(Query(query="database is locked", environment=here))).hits
    assert (first.fit, second.fit) == ("aiosqlite 2.1 fits >=2", "aiosqlite 2.1 is outside <2")


async def test_a_caller_may_name_all_that_a_project_uses_and_a_trace_only_what_it_is_about(client: AsyncClient) -> None:
    many = [{"name": f"package-{number}", "versions": "1.0.0"} for number in range(300)]
    about = {"packages": [{"name": "package-299", "versions": "^1.0"}]}
    await contributed(client, environment=about)
    answer = await client.traces.query(
        Query(query="database is locked", environment=Environment.model_validate({"packages": many}))
    )
    assert answer.hits[0].fit == "package-299 1.0.0 fits ^1.0"
    with pytest.raises(ValueError, match="at most 50 packages: those that it is about"):
        contribution(environment={"packages": many[:51]})
    assert len(contribution(environment={"packages": many[:50]}).environment.packages) == 50


async def test_proven_knowledge_comes_before_equal_words(client: AsyncClient, people: People) -> None:
    plain = await contributed(client, title="Database is locked, one", visibility="team")
    loved = await contributed(client, title="Database is locked, two", visibility="team", insist=True)
    for name in ("ann", "bo", "cy"):
        await use(await people(name), loved)
    answer = await client.traces.query(Query(query="database is locked", fold=False))
    assert [hit.trace_id for hit in answer.hits] == [loved, plain]
    (folded,) = (await client.traces.query("database is locked")).hits
    assert (folded.trace_id, folded.also) == (loved, [plain[:10]])


@pytest.mark.parametrize("query", ["kangaroo migration", "why is the moon round", "locked kangaroo moon migration"])
async def test_when_nothing_is_good_enough_the_answer_is_empty_and_says_what_to_do(
    client: AsyncClient, five: list[str], query: str
) -> None:
    answer = await client.traces.query(query)
    assert answer.hits == []
    assert "contribute what worked with contribute_trace" in answer.notes[-1]


async def test_silence_can_be_turned_off(client: AsyncClient, five: list[str]) -> None:
    asked = Query(query="locked kangaroo moon migration", silence=False)
    assert (await found(client, asked))[0] == LOCKED


async def test_a_miss_is_kept_without_secrets(client: AsyncClient, store: Path) -> None:
    await client.traces.query(
        Query(query="kangaroo ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", error="MoonError: full")
    )
    with closing(sqlite3.connect(store)) as connection:
        ((query, fingerprint),) = connection.execute("SELECT query, fingerprint FROM misses").fetchall()
    assert query == "kangaroo [redacted secret:github-token]\nMoonError: full"
    assert len(fingerprint) == 32


async def test_what_was_found_or_asked_by_id_is_no_miss(client: AsyncClient, five: list[str], store: Path) -> None:
    await client.traces.query("database is locked")
    await client.traces.query(Query(ids=["0" * 32]))
    await client.traces.query(Query(tags=["unheard-of"]))
    await client.traces.query(Query(query="kangaroo", silence=False))
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT count(*) FROM misses").fetchone() == (0,)


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "(", "AND", "NOT locked", "NEAR(database locked, 2)", "title:locked", "lock*", "^locked",
        "a AND OR b", '"database', "{title problem}: x", "-locked", "trace_search MATCH", "'; DROP TABLE traces; --",
        "\x00\x01\x07\x1b[31m",
        "😀🤖👩‍💻", "\u202eevil\u200b", "%s%n{0}${x}", "\\", "½ ² ﬁ ＦＵＬＬ İ ß", "é" * 200, "a" * 4000,
        "locked\x00database",
    ],
)  # fmt: skip
async def test_nothing_that_is_typed_is_syntax_or_harm(client: AsyncClient, five: list[str], query: str) -> None:
    await client.traces.query(Query(query=query, error=query))
    assert await found(client, "database is locked") == [LOCKED]


async def test_a_very_long_query_is_cut_and_that_is_said(client: AsyncClient, five: list[str]) -> None:
    answer = await client.traces.query("database is locked by processes that write " + "é" * 50_000)
    assert answer.notes[0] == "The query was longer than 4 KiB; its first 4 KiB were used."
    assert await found(client, Query(query="locked", error="x" * 100_000 + "\n" + ERROR)) == [LOCKED]


@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
async def test_a_query_that_asks_nothing_is_refused(client: AsyncClient, query: str) -> None:
    with pytest.raises(InvalidInputError, match=r"query is empty.*Give query, error, tags or ids"):
        await client.traces.query(query)


async def test_a_query_of_common_words_alone_is_searched_by_them(client: AsyncClient, five: list[str]) -> None:
    await contributed(client, title="What to do when it is not you", insist=True)
    assert (await found(client, "what to do when it is not you"))[0] == "What to do when it is not you"


@pytest.mark.parametrize("query", ["...", "😀", "- - -"])
async def test_a_query_without_a_word_finds_nothing(client: AsyncClient, five: list[str], query: str) -> None:
    assert await found(client, query) == []


async def test_half_a_character_is_refused_before_it_is_sent(client: AsyncClient) -> None:
    with pytest.raises(InvalidInputError, match="half a character"):
        await client.traces.query("broken \ud800 text")


async def test_unproven_public_traces_come_only_on_request_and_last(client: AsyncClient, people: People) -> None:
    eve = await people("eve", "elsewhere")
    anybodys = await contributed(eve, title="Database is locked: database is locked")
    await eve.traces.publish(anybodys)
    own = await contributed(client, insist=True)
    assert await found(client, "database is locked") == [LOCKED]
    everything = Query(query="database is locked", error=ERROR, include_unproven=True, fold=False)
    answer = await client.traces.query(everything)
    assert [hit.trace_id for hit in answer.hits] == [own, anybodys]
    assert await found(eve, "database is locked") == ["Database is locked: database is locked"]  # her own is hers
    for organization in ("acme", "globex"):
        await use(await people("someone", organization), anybodys)
    assert len((await client.traces.query(everything)).hits) == 2


@pytest.mark.parametrize("wanted", [{"limit": 0}, {"limit": 51}, {"max_tokens": 5}, {"ids": ["xyz"]}, {"nonsense": 1}])
def test_a_query_outside_its_bounds_does_not_leave_the_machine(wanted: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Query.model_validate({"query": "x", **wanted})


@pytest.mark.both_databases
async def test_an_exact_query_finds_the_very_error_alone_and_notes_no_miss(client: AsyncClient) -> None:
    stored = await client.traces.contribute(contribution(0))
    error = contribution(0).errors[0]
    (hit,) = (await client.traces.query(Query(error=f"Traceback…\n{error}", exact=True))).hits
    assert hit.trace_id == stored.trace_id
    assert (await client.traces.query(Query(query="database is locked by processes"))).hits
    for vain in (Query(query="database is locked by processes", exact=True), Query(error="x: unknown yet", exact=True)):
        assert (await client.traces.query(vain)).hits == []
    assert await client.traces.wanted() == []

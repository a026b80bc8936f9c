"""Queries by words and meaning together: what is embedded when, and what is answered where no vector can be made."""

import shutil
import socket
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.embedding.minilm import packaged_model
from doors import People
from embeddings import Endpoint, background, settled
from factories import contributed, contribution, read
from stocks import Stock

pytestmark = pytest.mark.both_databases

ERROR = "sqlite3.OperationalError: database is locked"
LOCKED = contribution(0).title
ASKED = "SQLite database is locked when several processes write"


async def five(client: AsyncClient) -> list[str]:
    """Five traces about five things, all embedded."""
    known = [await contributed(client, number) for number in range(5)]
    state = await settled(client)
    assert (state.traces, state.words, state.embedded, state.reason) == (5, 5, 5, "")
    return known


@pytest.mark.usefixtures("hashed")
async def test_what_is_embedded_is_found_by_words_and_meaning_and_says_so(stock: Stock, client: AsyncClient) -> None:
    known = await stock(five)
    answer = await client.traces.query(Query(query=ASKED, explain=True))
    hit = answer.hits[0]
    assert (answer.mode, hit.trace_id, answer.notes) == ("hybrid", known[0], [])
    assert hit.similarity is not None
    assert 0.3 < hit.similarity <= 1.0
    assert hit.why.startswith(f"means alike ({hit.similarity:.2f}); shares ")
    assert f"similarity {hit.similarity:.2f}" in hit.factors[0].reason
    plain = (await client.traces.query(ASKED)).hits[0]
    assert (plain.similarity, plain.matched, plain.factors) == (None, [], [])


@pytest.mark.usefixtures("hashed")
async def test_meaning_finds_only_what_the_caller_may_see_and_what_has_the_tags(
    stock: Stock, client: AsyncClient, people: People
) -> None:
    known = await stock(five)
    stranger = await people("eve", "evil corp")
    assert (await stranger.traces.query(Query(query=ASKED, silence=False))).hits == []
    tagged = await client.traces.query(Query(query=ASKED, tags=["rust"], silence=False))
    assert [hit.trace_id for hit in tagged.hits] == [known[2]]


async def test_a_new_trace_is_found_by_its_words_at_once_and_by_meaning_once_embedded(
    client: AsyncClient, endpoint: Endpoint
) -> None:
    endpoint.hold.clear()
    known = await contributed(client)
    answer = await client.traces.query(ASKED)
    assert (answer.mode, [hit.trace_id for hit in answer.hits], answer.notes) == ("lexical", [known], [])
    endpoint.hold.set()
    await settled(client)
    answer = await client.traces.query(ASKED)
    assert (answer.mode, [hit.trace_id for hit in answer.hits]) == ("hybrid", [known])


async def test_what_is_not_yet_embedded_stands_beside_what_is(client: AsyncClient, endpoint: Endpoint) -> None:
    old = await contributed(client)
    await settled(client)
    asked = Query(query=ASKED, explain=True, silence=False, fold=False)
    await client.traces.query(asked)  # its vector is remembered
    endpoint.statuses = [401]
    new = await contributed(client, title=f"{LOCKED} again", insist=True)
    answer = await client.traces.query(asked)
    assert answer.mode == "hybrid"
    assert {hit.trace_id: hit.similarity is None for hit in answer.hits} == {old: False, new: True}


async def test_an_exact_error_is_answered_without_the_embedder(client: AsyncClient, endpoint: Endpoint) -> None:
    known = await five(client)
    endpoint.statuses = [500]
    before = len(endpoint.requests)
    answer = await client.traces.query(Query(query="postgresql pool", error=ERROR))
    assert (answer.mode, answer.hits[0].trace_id, answer.notes) == ("fingerprint", known[0], [])
    assert len(endpoint.requests) == before


async def test_the_same_question_is_embedded_once(client: AsyncClient, endpoint: Endpoint) -> None:
    await five(client)
    before = len(endpoint.requests)
    first, again = [(await client.traces.query(ASKED)).hits for _ in range(2)]
    assert first == again
    assert len(endpoint.requests) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        {"solution": "Move the counters into a Redis hash and increment them there with HINCRBY."},
        {"problem": "Counters in a Redis hash go astray because two kangaroos read, add and store them in turn."},
        {"title": "Kangaroo counters in a Redis hash go astray"},
    ],
)
async def test_an_amended_trace_is_embedded_anew_and_no_other(
    client: AsyncClient, endpoint: Endpoint, change: dict[str, str]
) -> None:
    known = await five(client)
    before = len(endpoint.texts)
    await client.traces.amend(known[0], AmendmentProposal(reason="better", **change))
    assert (await settled(client)).embedded == 5
    made = endpoint.texts[before:]
    assert any(next(iter(change.values())) in text for text in made)
    assert len(made) == len(set(made)) <= 2
    (hit,) = (await client.traces.query(Query(query=next(iter(change.values())), explain=True, limit=1))).hits
    assert hit.trace_id == known[0]
    assert hit.similarity is not None
    assert hit.similarity > 0.6


async def test_another_model_embeds_anew_and_goes_on_where_it_was_stopped(
    url: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect_async(url) as client:
        for number in range(12):
            await contributed(client, number % 5, title=f"Case {number} of the twelve", insist=True)
        await settled(client)
    monkeypatch.setenv("COMMONTRACE_EMBED_MODEL", "large")
    before, endpoint.statuses = len(endpoint.texts), [200, 401]
    async with connect_async(url) as client:
        await background(client, lambda state: state.embedded > 0)
        half = await client.traces.refresh_index()
        assert half.model == "endpoint:large"
        assert 0 < half.embedded < 12
        assert "answers 401; check its URL, model and key" in half.reason
    begun = set(endpoint.texts[before:])
    done, endpoint.statuses = len(endpoint.texts), [200]
    async with connect_async(url) as client:
        assert (await settled(client)).embedded == 12
        assert (await client.traces.query(Query(query="Case 3 of the twelve", silence=False))).mode == "hybrid"
    assert {request["model"] for request in endpoint.requests[-2:]} == {"large"}
    rest = [text for text in endpoint.texts[done:] if text.startswith("Case")]
    assert rest
    assert len(rest) < len(begun)


async def embedded_with_file(url: str, path: Path) -> None:
    shutil.copy(str(packaged_model()), path)
    async with connect_async(url) as client:
        await contributed(client)
        assert (await settled(client)).done
        assert (await client.traces.query(ASKED)).mode == "hybrid"


def damage(path: Path) -> None:
    path.write_bytes(b"no model at all")


@pytest.mark.parametrize("spoil", [damage, Path.unlink])
async def test_without_its_model_file_a_query_is_answered_by_words_and_says_why(
    store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spoil: object
) -> None:
    path = tmp_path / "model.onnx"
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "local")
    monkeypatch.setenv("COMMONTRACE_EMBED_MODEL_PATH", str(path))
    await embedded_with_file(f"sqlite:///{store}", path)
    assert callable(spoil)
    spoil(path)
    async with connect_async(f"sqlite:///{store}") as client:
        answer = await client.traces.query(ASKED)
        new = await contributed(client, 1)
        state = await client.traces.refresh_index()
        assert (await client.traces.query("EAI_AGAIN")).hits[0].trace_id == new
    assert (answer.mode, answer.hits[0].title) == ("lexical", LOCKED)
    assert answer.notes[-1].startswith(f"Answered by words alone: the model file {path} ")
    assert (state.words, state.embedded) == (2, 1)
    assert str(path) in state.reason


async def test_a_store_of_which_nothing_is_embedded_loads_no_model(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "local")
    monkeypatch.setenv("COMMONTRACE_EMBED_MODEL_PATH", str(tmp_path / "missing.onnx"))
    await contributed(client)
    answer = await client.traces.query(ASKED)
    assert (answer.mode, len(answer.hits), answer.notes) == ("lexical", 1, [])
    assert "missing.onnx cannot be read" in (await client.traces.refresh_index()).reason


async def test_a_dead_endpoint_leaves_the_words_and_is_not_asked_again_at_once(
    url: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect_async(url) as client:
        await five(client)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("COMMONTRACE_EMBED_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}/v1")
        async with connect_async(url) as client:
            first, second = [await client.traces.query(query) for query in (ASKED, f"{ASKED} today")]
    for answer, reason in ((first, "does not answer (ConnectError)"), (second, "failed a moment ago")):
        assert (answer.mode, answer.hits[0].title) == ("lexical", LOCKED)
        assert answer.notes == [f"Answered by words alone: the embedding endpoint 127.0.0.1 {reason}."]


async def test_vectors_of_another_length_leave_the_words_until_all_is_embedded_anew(
    client: AsyncClient, endpoint: Endpoint
) -> None:
    await five(client)
    assert (await client.traces.query(ASKED)).mode == "hybrid"
    endpoint.dimension = 24
    answer = await client.traces.query(f"{ASKED} today")
    assert (answer.mode, answer.hits[0].title) == ("lexical", LOCKED)
    (note,) = answer.notes
    assert note.startswith("Answered by words alone: the embedder makes vectors of 24 numbers now and the store holds")
    assert (await settled(client)).embedded == 5
    for query in (ASKED, f"{ASKED} today"):
        answer = await client.traces.query(query)
        assert (answer.mode, answer.hits[0].title, answer.notes) == ("hybrid", LOCKED, [])


@pytest.mark.usefixtures("hashed")
async def test_near_duplicates_stand_behind_the_best_of_them(client: AsyncClient) -> None:
    known = [await contributed(client, title=f"{LOCKED}, case {number}", insist=True) for number in range(3)]
    await contributed(client, 4)
    await settled(client)
    (hit, *others) = (await client.traces.query(ASKED)).hits
    assert sorted([hit.short_id, *hit.also]) == sorted(trace_id[:10] for trace_id in known)
    assert {other.trace_id for other in others}.isdisjoint(known)
    apart = (await client.traces.query(Query(query=ASKED, fold=False))).hits
    assert {hit.trace_id for hit in apart} >= set(known)
    assert all(hit.also == [] for hit in apart)


WAYS = ("with a queue table", "by retrying later", "through one writer thread", "using a longer timeout")


@pytest.mark.usefixtures("hashed")
async def test_one_lineage_opens_the_answer_once_with_what_is_public(client: AsyncClient, people: People) -> None:
    eve, ann = await people("eve", "evil corp"), await people("ann", "good corp")
    loud = [await published(eve, way) for way in WAYS[:3]]
    quiet = await published(ann, WAYS[3])
    await settled(client)
    asked = Query(query="Database is locked", include_unproven=True, silence=False)
    found = [hit.trace_id for hit in (await client.traces.query(asked)).hits]
    assert sorted(found) == sorted([*loud, quiet])
    assert quiet in found[:2]


async def published(author: AsyncClient, way: str) -> str:
    known = await contributed(
        author,
        title=f"Database is locked {way}",
        problem=f"Database is locked, solved {way}. {way.title()} everything was fine again on our machines.",
        solution=f"Do it {way}: " + " ".join(f"{word}ing" for word in way.split()),
        errors=[],
        insist=True,
    )
    await author.traces.publish(known)
    return known


@pytest.mark.usefixtures("hashed")
async def test_having_been_read_changes_no_score(client: AsyncClient, people: People) -> None:
    known = [await contributed(client, number, visibility="team") for number in range(5)]
    await settled(client)
    asked = Query(query=ASKED, silence=False, explain=True)
    before = [(hit.trace_id, hit.score) for hit in (await client.traces.query(asked)).hits]
    ann = await people("ann")
    for trace_id in reversed(known):
        await read(ann, trace_id)
    after = (await client.traces.query(asked)).hits
    assert [(hit.trace_id, hit.score) for hit in after] == before
    assert {factor.value for hit in after for factor in hit.factors if factor.name == "standing"} == {1.0}


@pytest.mark.usefixtures("hashed")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("database is locked " * 5300, id="100 kB"),
        pytest.param("\x01\x02\x7f\ufffd\u202e" * 20, id="binary"),
        pytest.param("🔒🗄️ 👩‍💻", id="emoji"),
        pytest.param("what is it and why the", id="stop words"),
        pytest.param("Die Datenbank ist gesperrt, über mehrere Prozesse", id="German"),
        pytest.param("データベースがロックされています", id="Japanese"),
        pytest.param("база данных заблокирована", id="Russian"),
        pytest.param("قاعدة البيانات مقفلة", id="Arabic"),
        pytest.param("'\"); DROP TABLE traces; -- NEAR(a b) * ^", id="syntax"),
    ],
)
async def test_any_question_has_an_answer(stock: Stock, client: AsyncClient, query: str) -> None:
    known = await stock(five)
    answer = await client.traces.query(Query(query=query, silence=False, explain=True, limit=10))
    assert answer.mode == ("hybrid" if any(char.isalpha() for char in query) else "lexical")
    assert {hit.trace_id for hit in answer.hits} <= set(known)
    assert answer.mode == "lexical" or all(
        hit.similarity is not None and -1.01 <= hit.similarity <= 1.01 for hit in answer.hits
    )
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)
    assert len(query) < 5000 or (answer.hits[0].trace_id, len(answer.notes)) == (known[0], 1)

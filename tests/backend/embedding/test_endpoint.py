"""Vectors from an endpoint, which may be busy, away, closed, slow or talking nonsense."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from commontrace_backend.embedding import endpoint as under_test
from commontrace_backend.embedding.protocol import EmbedderUnavailableError
from embeddings import Endpoint


@pytest.fixture
async def embedder(endpoint: Endpoint) -> AsyncIterator[under_test.EndpointEmbedder]:
    """Asks the endpoint, with a key."""
    asking = under_test.EndpointEmbedder(under_test.Endpoint(endpoint.url + "/", "small", "sk-secret"))
    yield asking
    await asking.close()


Embedder = under_test.EndpointEmbedder


async def test_texts_become_vectors_of_unit_length_in_their_order(endpoint: Endpoint, embedder: Embedder) -> None:
    texts = [f"text number {number} of many" for number in range(150)]
    vectors = await embedder.documents(texts)
    assert vectors.shape == (150, 16)
    assert embedder.dimension == 16
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(150), abs=1e-5)
    assert [len(request["input"]) for request in endpoint.requests] == [64, 64, 22]
    assert (await embedder.query([texts[77]]))[0] == pytest.approx(vectors[77])


async def test_the_model_and_the_key_are_sent_and_no_length_unless_asked_for(
    endpoint: Endpoint, embedder: Embedder
) -> None:
    await embedder.query(["text"])
    assert endpoint.requests == [{"model": "small", "input": ["text"], "encoding_format": "float"}]
    assert endpoint.keys == ["Bearer sk-secret"]


async def test_a_length_can_be_asked_for(endpoint: Endpoint) -> None:
    embedder = Embedder(under_test.Endpoint(endpoint.url, "small", dimensions=16))
    assert (embedder.name, embedder.dimension) == ("endpoint:small:16", 16)
    await embedder.query(["text"])
    await embedder.close()
    assert (endpoint.requests[0]["dimensions"], endpoint.keys) == (16, [None])


async def test_long_texts_are_cut_and_empty_ones_are_sent_as_a_space(endpoint: Endpoint, embedder: Embedder) -> None:
    vectors = await embedder.documents(["x" * 20_000, ""])
    assert [len(text) for text in endpoint.texts] == [8000, 1]
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_documents_are_tried_again_while_the_endpoint_is_busy(
    endpoint: Endpoint, embedder: Embedder, status: int
) -> None:
    endpoint.statuses = [status, status, 200]
    assert (await embedder.documents(["text"])).shape == (1, 16)
    assert len(endpoint.requests) == 3


async def test_documents_are_given_up_after_four_tries(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.statuses = [500]
    with pytest.raises(EmbedderUnavailableError, match=r"endpoint 127\.0\.0\.1 answers 500"):
        await embedder.documents(["text"])
    assert len(endpoint.requests) == 4


async def test_a_query_is_tried_once_and_then_not_again_for_a_while(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.statuses = [503, 200]
    with pytest.raises(EmbedderUnavailableError, match="answers 503"):
        await embedder.query(["text"])
    with pytest.raises(EmbedderUnavailableError, match="failed a moment ago"):
        await embedder.query(["text"])
    assert len(endpoint.requests) == 1
    assert (await embedder.documents(["text"])).shape == (1, 16)  # those can wait, so they are tried


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_what_another_try_does_not_mend_is_not_tried_again(
    endpoint: Endpoint, embedder: Embedder, status: int
) -> None:
    endpoint.statuses = [status]
    with pytest.raises(EmbedderUnavailableError, match=f"answers {status}; check its URL, model and key"):
        await embedder.documents(["text"])
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome</html>",
        "{}",
        "[]",
        "null",
        '{"data": null}',
        '{"data": []}',
        '{"data": ["text"]}',
        '{"data": [{"index": 0}]}',
        '{"data": [{"index": 0, "embedding": []}]}',
        '{"data": [{"index": 0, "embedding": "AAAA"}]}',
        '{"data": [{"index": 0, "embedding": [1, null]}]}',
        '{"data": [{"index": 0, "embedding": [NaN, 1]}]}',
        '{"data": [{"index": 0, "embedding": [1e400, 1]}]}',
        '{"data": [{"index": 0, "embedding": [1' + "0" * 400 + ", 1]}]}",
        '{"data": [{"index": 0, "embedding": [[1, 2]]}]}',
        '{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1, 2]}]}',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
async def test_an_answer_without_the_vectors_asked_for_is_refused(
    endpoint: Endpoint, embedder: Embedder, body: str
) -> None:
    endpoint.body = body
    for asked in (embedder.documents, embedder.query):
        with pytest.raises(EmbedderUnavailableError, match=r"endpoint 127\.0\.0\.1 does not send vectors"):
            await asked(["text"])


async def test_vectors_of_several_lengths_are_refused(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.body = '{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]}'
    with pytest.raises(EmbedderUnavailableError, match="does not send vectors"):
        await embedder.documents(["one", "two"])


async def test_a_vector_of_nothing_stays_one(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.body = '{"data": [{"index": 0, "embedding": [0, 0]}]}'
    assert (await embedder.query(["text"])).tolist() == [[0, 0]]


async def test_a_query_does_not_wait_longer_than_three_seconds(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.hold.clear()
    began = time.monotonic()
    with pytest.raises(EmbedderUnavailableError, match=r"does not answer \(ReadTimeout\)"):
        await embedder.query(["text"])
    assert 2 < time.monotonic() - began < 10


async def test_closing_ends_what_is_under_way(endpoint: Endpoint, embedder: Embedder) -> None:
    endpoint.hold.clear()
    asking = asyncio.create_task(embedder.documents(["text"]))
    await asyncio.to_thread(endpoint.arrived.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_nobody_there_is_said_with_the_host_and_never_with_the_secrets_of_the_url() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://user:hunter2@127.0.0.1:{nobody.getsockname()[1]}/v1"
        embedder = Embedder(under_test.Endpoint(url, "small", "sk-secret"))
        with pytest.raises(EmbedderUnavailableError, match=r"127\.0\.0\.1 does not answer \(ConnectError\)") as caught:
            await embedder.query(["text"])
    assert "hunter2" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    await embedder.close()


@pytest.mark.parametrize(
    ("url", "said"), [("nonsense", "without a host"), ("http://[::1", "of a malformed URL"), ("ftp://host/v1", "host")]
)
async def test_a_url_that_is_none_is_said(url: str, said: str) -> None:
    embedder = Embedder(under_test.Endpoint(url, "small"))
    with pytest.raises(EmbedderUnavailableError, match=f"the embedding endpoint {said} does not answer"):
        await embedder.query(["text"])
    await embedder.close()

"""Which embedder the settings ask for."""

import asyncio

import numpy as np
import pytest

from commontrace import connect
from commontrace.errors import InvalidInputError
from commontrace_backend.embedding.choose import choose_embedder
from commontrace_backend.embedding.in_memory import InMemoryEmbedder
from commontrace_backend.settings import BackendSettings

HERE = "http://127.0.0.1:1/v1"


def chosen(**settings: object) -> str | None:
    """The name of the embedder, or None."""
    fields = {"database_url": "sqlite:///x.db", "embedder": "auto", **settings}
    embedder = choose_embedder(BackendSettings.model_validate(fields))
    if embedder is None:
        return None
    asyncio.run(embedder.close())
    return embedder.name


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "all-MiniLM-L6-v2-int8:8199be6f:mean:256"),
        ({"embedder": "local"}, "all-MiniLM-L6-v2-int8:8199be6f:mean:256"),
        ({"embed_model_path": "/somewhere/mine.onnx"}, "all-MiniLM-L6-v2-int8:mine.onnx:mean:256"),
        ({"embed_url": HERE, "embed_model": "small"}, "endpoint:small"),
        ({"embed_url": HERE, "embed_model": "small", "embed_dimensions": 256}, "endpoint:small:256"),
        ({"embed_url": HERE, "embed_model": "small", "embedder": "none"}, None),
        ({"embed_url": HERE, "embed_model": "small", "embedder": "in-memory"}, "in-memory:64"),
        ({"embedder": "none"}, None),
    ],
)
def test_settings_choose_the_embedder(settings: dict[str, object], name: str | None) -> None:
    assert chosen(**settings) == name


@pytest.mark.parametrize("settings", [{"embedder": "endpoint"}, {"embedder": "endpoint", "embed_url": HERE}])
def test_an_endpoint_without_a_name_is_refused_with_what_to_set(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=r"is not named.*COMMONTRACE_EMBED_URL and COMMONTRACE_EMBED_MODEL"):
        chosen(**settings)


def test_a_client_whose_settings_are_refused_says_what_to_set(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_EMBED_URL", HERE)
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "auto")
    with connect(url) as client, pytest.raises(InvalidInputError, match="COMMONTRACE_EMBED_MODEL"):
        client.contributors.me()


async def test_the_in_memory_embedder_knows_which_texts_share_words() -> None:
    embedder = InMemoryEmbedder()
    vectors = await embedder.documents(["the database is locked", "Database LOCKED!", "tomato soup", ""])
    assert vectors.shape == (4, 64)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0])
    assert vectors[0] @ vectors[1] > 0.5 > abs(vectors[0] @ vectors[2])
    assert (await embedder.query(["tomato soup"]))[0] == pytest.approx(vectors[2])
    await embedder.close()

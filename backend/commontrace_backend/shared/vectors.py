"""Vectors of questions that every process of a store remembers, for a while, in Redis."""

import hashlib
from typing import TYPE_CHECKING, Final

from commontrace_backend.shared.link import PREFIX, AwayError, Link

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

_FORM: Final = "1"
"""Of what is kept here; another way to make a question's vector takes another number."""


class SharedVectors:
    """Vectors in Redis by model and question; a question is there as a hash only.

    A vector is what a model makes of a text and nothing else: it depends on no organization and on nothing stored, so
    that what is remembered can be neither stale nor anybody else's.

    Args:
        link: to Redis.
        seconds: how long a vector is remembered, at least 1.
    """

    def __init__(self, link: Link, seconds: int) -> None:
        self._link = link
        self._seconds = seconds

    async def get(self, model: str, texts: tuple[str, ...], dimension: int) -> "Vector | None":
        """The vector of a question; None where none so long is known, or Redis is away."""
        import numpy as np

        key = _key(model, texts)
        try:
            kept: bytes | None = await self._link.call(lambda redis: redis.get(key))
        except AwayError:
            return None
        if kept is None or len(kept) != dimension * np.dtype(np.float32).itemsize:
            return None
        return np.frombuffer(kept, dtype=np.float32)

    async def put(self, model: str, texts: tuple[str, ...], vector: "Vector") -> None:
        """Remember a vector; where Redis is away, nothing is."""
        key, value = _key(model, texts), vector.tobytes()
        try:
            await self._link.call(lambda redis: redis.set(key, value, ex=self._seconds))
        except AwayError:
            return


def _key(model: str, texts: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for part in (_FORM, model, *texts):
        digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
    return f"{PREFIX}vector:{digest.hexdigest()}"

"""An embedder without a model, for tests and trials: words hashed into a few dimensions."""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from commontrace_backend.embedding.protocol import Vectors

_WORD: Final = re.compile(r"[^\W_]+")


class InMemoryEmbedder:
    """Feature hashing (Weinberger et al., 2009): texts that share words lie close, and that is all it knows."""

    remote = False

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension

    @property
    def name(self) -> str:
        """Told apart by its dimension."""
        return f"in-memory:{self.dimension}"

    async def documents(self, texts: Sequence[str]) -> "Vectors":
        """One vector a text."""
        import numpy as np

        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                found[row, int.from_bytes(digest[:4]) % self.dimension] += 1 if digest[4] & 1 else -1
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        return (found / np.where(norms, norms, 1)).astype(np.float32)

    async def query(self, texts: Sequence[str]) -> "Vectors":
        """As for documents."""
        return await self.documents(texts)

    async def close(self) -> None:
        """Nothing is open."""

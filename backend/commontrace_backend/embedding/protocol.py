"""What an embedder does, wherever its model runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class EmbedderUnavailableError(Exception):
    """Vectors cannot be made now; the message is one sentence that says why and what to do."""


class Embedder(Protocol):
    """Maps texts to vectors of unit length; texts that mean alike lie close."""

    @property
    def name(self) -> str:
        """Model, revision and way of use: vectors of different names are never compared."""
        ...

    @property
    def dimension(self) -> int | None:
        """Numbers in a vector; None until the first one was made."""
        ...

    @property
    def remote(self) -> bool:
        """Whether texts leave the machine, so that questions must be redacted as traces are."""
        ...

    async def documents(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of texts to be found: float32, shape (texts, dimension).

        Raises:
            EmbedderUnavailableError: the model or its endpoint does not answer.
        """
        ...

    async def query(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of what somebody asks, quickly or not at all: float32, shape (texts, dimension).

        Raises:
            EmbedderUnavailableError: as for `documents`.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

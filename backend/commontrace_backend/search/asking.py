"""Turns a question into a vector, or says why there is none."""

from collections import OrderedDict
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from commontrace.safety.pipeline import screen_text
from commontrace_backend.embedding.protocol import Embedder, EmbedderUnavailableError
from commontrace_backend.index.protocol import Question
from commontrace_backend.shared.vectors import SharedVectors

if TYPE_CHECKING:
    from commontrace_backend.index.vectors import Vector

HEADLINE: Final = 0.3
"""How much the first line's own vector is added to that of the whole question."""

_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Meant:
    """A question's vector of unit length, or why there is none."""

    vector: "Vector | None"
    reason: str = ""


class Asker:
    """Embeds questions and remembers the last ones.

    Args:
        embedder: what makes vectors.
        shared: what other processes remember too.
        seconds: how long this process remembers a vector; 0 for not at all.
    """

    def __init__(self, embedder: Embedder, shared: SharedVectors | None = None, *, seconds: float = inf) -> None:
        self.embedder = embedder
        self._shared = shared
        self._seconds = seconds
        self._known: OrderedDict[Question, tuple[Vector, float]] = OrderedDict()

    async def ask(self, question: Question, dimension: int) -> Meant:
        """A vector as long as those it is compared with. Never raises: without one the words alone must do."""
        known = await self._remembered(question, dimension)
        if known is not None:
            return Meant(known)
        try:
            vector = await self._embed(question)
        except EmbedderUnavailableError as error:
            return Meant(None, str(error))
        if len(vector) != dimension:
            return Meant(
                None,
                f"the embedder makes vectors of {len(vector)} numbers now and the store holds {dimension}; "
                "they are made anew with the next contribution",
            )
        if not vector.any():
            return Meant(None)  # nothing in it that the model knows: it has no direction to compare
        self._remember(question, vector)
        if self._shared:
            await self._shared.put(self.embedder.name, (question.text, question.headline), vector)
        return Meant(vector)

    async def _remembered(self, question: Question, dimension: int) -> "Vector | None":
        known, since = self._known.get(question, (None, 0.0))
        if known is not None and len(known) == dimension and monotonic() - since < self._seconds:
            self._known.move_to_end(question)
            return known
        if self._shared is None:
            return None
        shared = await self._shared.get(self.embedder.name, (question.text, question.headline), dimension)
        if shared is not None:
            self._remember(question, shared)
        return shared

    def _remember(self, question: Question, vector: "Vector") -> None:
        self._known[question] = vector, monotonic()
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    async def _embed(self, question: Question) -> "Vector":
        import numpy as np

        text, first = question.text.strip(), question.headline.strip()
        if self.embedder.remote:
            text, first = screen_text(text).text, screen_text(first).text
        if not first or first == text:
            (alone,) = await self.embedder.query([text])
            return cast("Vector", alone)
        whole, headline = await self.embedder.query([text, first])
        mixed: Vector = whole + np.float32(HEADLINE) * headline
        vector: Vector = mixed / np.float32(np.linalg.norm(mixed) or 1.0)
        return vector

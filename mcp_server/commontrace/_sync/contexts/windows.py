"""The window at a ref."""

from typing import Any

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import Window


class Windows(Bound):
    """Materialising."""

    def window(self, ref: str = "HEAD", *, budget: int | None = None, **options: Any) -> Window:
        """The messages at a ref that fit a budget of tokens: `.to_anthropic()` and the like turn them into a request.

        Args:
            ref: a branch, tag, id, `HEAD~2`, `main@{1}`.
            budget: the most tokens that it may have, what is left for the answer included.
            options: `reserve` (tokens left for the answer), `strategy` (`recent` leaves out the oldest, `adaptive`
                shows older messages shortened or as a line, `full` refuses what does not fit), `format` (`messages`,
                `text` or a provider's), `explain` (say of each message why it is in or
                out; `all`: also of the hidden ones), `model` (count the whole request for it).

        Raises:
            InvalidInputError: what must be in does not fit; the hint says what would do.
        """
        return self._read("window", "window", Window, ref=ref, budget=budget, **options)

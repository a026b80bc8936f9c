"""The window at a ref."""

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import Window, WindowFormat


class Windows(Bound):
    """Materialising."""

    def window(
        self,
        ref: str = "HEAD",
        *,
        max_tokens: int | None = None,
        format: WindowFormat = "text",  # noqa: A002 - the word for it
        explain: bool = False,
    ) -> Window:
        """The messages at a ref that fit a budget of tokens, in the shape that a provider takes."""
        return self._read("window", "window", Window, ref=ref, max_tokens=max_tokens, format=format, explain=explain)

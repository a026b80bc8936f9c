"""The window at a ref."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import Window, WindowFormat


class AsyncWindows(AsyncBound):
    """Materialising."""

    async def window(
        self,
        ref: str = "HEAD",
        *,
        max_tokens: int | None = None,
        format: WindowFormat = "text",  # noqa: A002 - the word for it
        explain: bool = False,
    ) -> Window:
        """The messages at a ref that fit a budget of tokens, in the shape that a provider takes."""
        return await self._read(
            "window", "window", Window, ref=ref, max_tokens=max_tokens, format=format, explain=explain
        )

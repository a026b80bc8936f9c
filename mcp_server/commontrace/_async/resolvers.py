"""Conflicts settled by a model."""

from commontrace._async.summarizers import AsyncSummarizer
from commontrace._merging import worded, wording
from commontrace.models.contexts import ConflictInfo, Resolution


class AsyncModelResolver:
    """Writes one message out of what both sides made of it; conflicts that are not about words it leaves alone.

    Goes to `merge(source, decide=AsyncModelResolver(summarizer))`.
    """

    def __init__(self, summarizer: AsyncSummarizer) -> None:
        """Nothing is asked yet.

        Args:
            summarizer: the model, as one of `commontrace.summarizers`, or any function of yours.
        """
        self._summarizer = summarizer

    async def __call__(self, conflict: ConflictInfo) -> Resolution | None:
        """What settles a conflict; None leaves it to the merge's strategy. Raises as the summarizer does."""
        request = wording(conflict)
        return worded(conflict, await self._summarizer(request)) if request else None

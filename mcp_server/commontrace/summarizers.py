"""Who writes the summary when messages are compressed: any function, or a model behind an endpoint.

`OpenAISummarizer("http://127.0.0.1:11434/v1", "qwen3")` is called with a `SummaryRequest` and gives a text; so does any
function of yours. The asynchronous ones are awaited.
"""

from commontrace._async.summarizers import AsyncAnthropicSummarizer, AsyncOpenAISummarizer, AsyncSummarizer
from commontrace._summarizing import SummaryRequest
from commontrace._sync.summarizers import AnthropicSummarizer, OpenAISummarizer, Summarizer

__all__ = [
    "AnthropicSummarizer",
    "AsyncAnthropicSummarizer",
    "AsyncOpenAISummarizer",
    "AsyncSummarizer",
    "OpenAISummarizer",
    "Summarizer",
    "SummaryRequest",
]

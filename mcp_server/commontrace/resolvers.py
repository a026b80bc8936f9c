"""Who settles what two branches said at once: any function, or a model.

`repo.merge("side", decide=ModelResolver(OpenAISummarizer(url, model)))` asks a model for the words of messages that
both sides edited. A function of yours gets a `ConflictInfo` and gives a `Resolution`, or None to leave it as it is.
"""

from commontrace._async.contexts.merging import AsyncDecide
from commontrace._async.resolvers import AsyncModelResolver
from commontrace._sync.contexts.merging import Decide
from commontrace._sync.resolvers import ModelResolver

__all__ = ["AsyncDecide", "AsyncModelResolver", "Decide", "ModelResolver"]

"""What of a context would leave or came: each commit with its messages, and what may not be among them. Pure."""

import json
from collections import Counter
from collections.abc import Iterator

from commontrace.bundles import BundleReader, Item
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import ContextPreview
from commontrace.transcripts.commits import METADATA


def previews(bundle: bytes, *, show: bool) -> Iterator[ContextPreview]:
    """Every commit of a bundle, in its order.

    Args:
        bundle: commits, each behind the messages that it names first.
        show: whether to give every message, word for word.
    """
    reader = BundleReader()
    fresh: list[Item] = []
    for item in reader.feed(bundle):
        if item.kind == "blob":
            fresh.append(item)
            continue
        named = {operation.get("blob") for operation in item.value.operations}
        mine = [blob for blob in fresh if blob.object_id in named]
        fresh = [blob for blob in fresh if blob.object_id not in named]
        yield ContextPreview(
            commit_id=item.object_id,
            message=item.value.message,
            messages=len(mine),
            bytes=len(item.encoded) + sum(len(blob.encoded) for blob in mine),
            captured=METADATA in item.value.metadata,
            texts=[blob.encoded.decode() for blob in mine] if show else [],
        )


def refuse_secrets(bundle: bytes) -> None:
    """Raise InvalidInputError for a message that holds what is taken out before anything leaves the machine."""
    from commontrace.safety.messages import redacted_message

    for item in BundleReader().feed(bundle):
        found: Counter[str] = Counter()
        if item.kind == "blob":
            redacted_message(json.loads(item.encoded), found)
        if found:
            raise InvalidInputError(
                f"The message {item.object_id[:10]} holds what may not leave this machine: {', '.join(sorted(found))}. "
                "Nothing was sent.",
                "trace purge takes it out of the history for good; then push again.",
            )


def refuse_refs(bundle: bytes) -> None:
    """Raise InvalidInputError for a bundle that would move a branch or tag: whoever fetches asked for objects alone."""
    reader = BundleReader()
    for _ in reader.feed(bundle):
        pass
    if reader.refs:
        raise InvalidInputError(
            f"The remote sent {', '.join(sorted(reader.refs))} along, which nobody asked for. Nothing was stored.",
            "Look at what runs there before you fetch from it again.",
        )

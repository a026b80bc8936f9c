"""What a version of a trace is: its content, addressed by a hash. Pure; every store gives the same id."""

import hashlib
import json

from commontrace.models.traces import TraceContent


def canonical(content: TraceContent) -> bytes:
    """The bytes that are hashed: JSON with sorted keys and no spaces, in UTF-8, fields at their default left out.

    Leaving defaults out keeps the ids of old versions when a field is added to the contract.
    """
    fields = content.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def version_id(content: TraceContent) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(b"commontrace trace 1\n" + canonical(content)).hexdigest()

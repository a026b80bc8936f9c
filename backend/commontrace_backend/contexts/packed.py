"""How objects lie in the store: compressed where that is worth the time. Their ids know nothing of it."""

import zlib
from typing import Final

from sqlalchemy import Dialect, LargeBinary, TypeDecorator

# What commits and messages have in common. Rows cannot be read without it: never change it; another one would need
# another mark in front of the rows that use it.
_COMMON: Final = (
    b'{"parts":[{"call_id":"call_","content":"","type":"tool_result"}],"role":"tool"}'
    b'{"parts":[{"arguments":"{","id":"call_","name":"","type":"tool_call"}],"role":"assistant"}'
    b'{"parts":[{"text":"","type":"text"}],"role":"user"}'
    b'0123456789abcdef{"agent":"","author":"","generation":{},"message":"","metadata":{},'
    b'"operations":[{"blob":"","op":"append","slot":""},{"blob":"","op":"append","slot":""}],'
    b'"parents":[""],"time":"2026-01-01T00:00:00.000000+00:00","traces":[]}'
)
_PLAIN: Final = b"{"  # how canonical JSON of an object begins, and no compressed stream


class Packed(TypeDecorator[bytes]):
    """The canonical bytes of an object; what is at least `least` bytes long is compressed.

    Bytes that cannot be unpacked come back as they are: whoever checks them against their id finds the damage.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - the interface
        """Compress."""
        if value is None or len(value) < self.least:
            return value
        packer = zlib.compressobj(zdict=_COMMON)
        return packer.compress(value) + packer.flush()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - the interface
        """Take apart."""
        if value is None or value[:1] == _PLAIN:
            return value
        try:
            return zlib.decompressobj(zdict=_COMMON).decompress(value)
        except zlib.error:
            return bytes(value)

"""What is written to the log, and never to standard output: that belongs to whoever runs us, above all to MCP."""

import logging


def report(level: int, event: str, **fields: object) -> None:
    """Write one line to the standard library's log: an event and what is known about it."""
    import structlog  # here, for it loads a library of colours that no ordinary request should wait for

    line = structlog.processors.LogfmtRenderer(key_order=["event"])(None, "", {"event": event, **fields})
    logging.getLogger("commontrace").log(level, "%s", line)

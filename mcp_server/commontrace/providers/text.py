"""Canonical messages as text. Pure."""

from collections.abc import Iterable

from commontrace.providers.messages import Message, text_of


def to_text(messages: Iterable[Message]) -> str:
    """One block a message, its role in front."""
    return "\n\n".join(f"{message['role']}: {text_of(message)}" for message in messages)

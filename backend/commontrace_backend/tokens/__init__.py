"""Tokens: of texts, of messages and whole requests, and what is learned from what providers report."""

from commontrace_backend.tokens.calibration import Calibration
from commontrace_backend.tokens.counters import (
    EstimatingCounter,
    ScaledCounter,
    TiktokenCounter,
    TokenCounter,
    counter_for,
    default_counter,
)
from commontrace_backend.tokens.requests import (
    FRAMING,
    PRIMING,
    chat_tokens,
    message_tokens,
    provider_of,
    sum_of,
    tools_tokens,
)

__all__ = [
    "FRAMING",
    "PRIMING",
    "Calibration",
    "EstimatingCounter",
    "ScaledCounter",
    "TiktokenCounter",
    "TokenCounter",
    "chat_tokens",
    "counter_for",
    "default_counter",
    "message_tokens",
    "provider_of",
    "sum_of",
    "tools_tokens",
]

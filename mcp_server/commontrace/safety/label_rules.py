"""What labels look for, as data. Every repeat is bounded, so that a text costs what its length is."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for, what it is called, why, and how telling it is (0 to 1)."""

    label: str
    reason: str
    score: float
    keywords: tuple[str, ...]  # lower-case; one must occur before the pattern is tried
    pattern: re.Pattern[str]

    def fits(self, text: str, lowered: str) -> bool:
        """Whether it is in a text, which is also given in lower case."""
        return any(keyword in lowered for keyword in self.keywords) and bool(self.pattern.search(text))


def _rules(label: str, *rows: tuple[str, float, str, str]) -> tuple[Rule, ...]:
    return tuple(
        Rule(label, reason, score, tuple(keywords.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE))
        for reason, score, keywords, pattern in rows
    )


RULES: Final = (
    *_rules(
        "injection",
        (
            "tells the reader to drop its instructions",
            0.9,
            "ignore disregard forget override",
            (
                r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b.{0,30}"
                r"\b(?:instructions?|prompts?|rules?|guidelines?|context)\b"
            ),
        ),
        (
            "speaks as the system",
            0.8,
            "im_ system assistant endoftext user| header_id eot_id inst] <sys>",
            (
                r"<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>|<\|(?:user|start_header_id|eot_id)\|>"
                r"|(?-i:\[/?INST\])|<<SYS>>"
            ),
        ),
        (
            "speaks for both sides of a chat",
            0.5,
            "human: assistant: system:",
            r"\n[ \t]{0,8}\n(?:Human|Assistant|System): ",
        ),
        (
            "closes or opens a protocol tag",
            0.7,
            "tool_result function_ system-reminder antml: invoke commontrace <<<end",
            (
                r"</?(?:tool_result|function_results?|function_calls|system-reminder|antml:\w+|invoke|commontrace)\b"
                r"|<<<(?:end|commontrace)\b"
            ),
        ),
        (
            "asks for secrecy from the user",
            0.8,
            "user",
            r"\b(?:do not|don't|never)\b.{0,20}\b(?:tell|inform|mention|reveal|show)\b.{0,30}\b(?:the )?user\b",
        ),
    ),
    *_rules(
        "beacon",
        (
            "an image that reports who reads it",
            0.4,
            "![",
            r"!\[[^\]]{0,100}\]\(https?://[^)\s?&]{1,300}[?&][^)\s]{1,300}\)",
        ),
    ),
)

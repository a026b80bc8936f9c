"""What a text might do to an agent that reads it, or to a machine that runs it. Labels inform; they decide nothing."""

import re
from typing import Final

from commontrace.models.traces import Label
from commontrace.safety.command_lines import command_labels
from commontrace.safety.disguise import disguises, undisguised
from commontrace.safety.encodings import encoded
from commontrace.safety.label_rules import RULES

_TAG: Final = re.compile(
    r"<(/?)(untrusted\w{0,30}|documents?|context|instructions?|system|assistant|user|human|data|trace|example)>",
    re.IGNORECASE,
)

_OPENING: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override)\W{1,3}(?:(?:all|any|the|your|my)\W{1,3}){0,3}(?:previous|prior|above|earlier|instructions|function)",
    re.IGNORECASE,
)
"""Enough where somebody took the trouble to say it in an encoding."""


def labels_of(text: str) -> list[Label]:
    """Every label that fits, each once; what is said in disguise is read as it looks."""
    plain = undisguised(text)
    texts = [(said, said.lower()) for said in {text, plain}]
    found = {
        (rule.label, rule.reason): rule.score
        for rule in RULES
        if any(rule.fits(said, lowered) for said, lowered in texts)
    }
    for said in {text, plain}:
        found |= {(label.label, label.reason): label.score for label in command_labels(said)}
    found |= {("disguise", reason): score for reason, score in disguises(text)}
    for way, said in encoded(plain):
        found |= {("injection", f"says in {way}: {reason}"): 0.7 for reason in _injections(said)}
    if "</" in text and _closes_what_is_not_open(text):
        found["injection", "closes a tag that it did not open"] = 0.6
    return [Label(label=label, reason=reason, score=score) for (label, reason), score in found.items()]


def _injections(text: str) -> list[str]:
    lowered = text.lower()
    said = [label.reason for label in command_labels(text)]
    if _OPENING.search(text):
        said.append("tells the reader to drop its instructions")
    return said + [rule.reason for rule in RULES if rule.label == "injection" and rule.fits(text, lowered)]


def _closes_what_is_not_open(text: str) -> bool:
    opened: set[str] = set()
    for closing, name in _TAG.findall(text):
        if closing and name.lower() not in opened:
            return True
        opened.add(name.lower())
    return False

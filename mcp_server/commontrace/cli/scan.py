"""`commontrace scan`: what the safety pipeline sees in a text. Works without a store."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import click

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, document
from commontrace.cli.reading import named, read_text
from commontrace.errors import InvalidInputError
from commontrace.safety.labels import labels_of
from commontrace.safety.normal_form import clean
from commontrace.safety.packages import package_labels
from commontrace.safety.pipeline import NOTICED
from commontrace.safety.redaction import redact
from commontrace.safety.risks import risks_of

_WORD: Final = re.compile(r"\w")
_BREAKS: Final = "\r\n\x85\u2028\u2029"
_QUARANTINE: Final = 0.8
"""The score of a label from which a text waits for somebody to look at it."""


def scanned(identifier: str, text: str) -> dict[str, Any]:
    """What the pipeline finds in a text and the safe form that it leaves.

    Offsets of redactions are characters of the text as it was given.
    """
    cleaned = clean(text)
    redacted = redact(cleaned.text)
    risks = risks_of(redacted.text)
    labels = [*labels_of(cleaned.text), *package_labels(risks.packages)]
    origin = _origin(text, cleaned.text)
    worst = max((label.score for label in labels), default=0.0)
    noticed = bool(worst >= NOTICED or redacted.found or cleaned.hidden)
    return {
        "id": identifier,
        "text": redacted.text,
        "redactions": [
            {"type": found.type, "start": origin[found.start], "end": origin[found.end - 1] + 1}
            for found in redacted.found
        ],
        "hidden": list(cleaned.hidden),
        "labels": [label.model_dump() for label in labels],
        "commands": risks.commands,
        "packages": risks.packages,
        "urls": risks.urls,
        "verdict": _verdict(redacted.text, noticed=noticed, worst=worst),
    }


def _verdict(text: str, *, noticed: bool, worst: float) -> str:
    if not _WORD.search(text):
        return "refused"
    if worst >= _QUARANTINE:
        return "quarantined"
    return "labelled" if noticed else "clean"


def _origin(text: str, cleaned: str) -> range | list[int]:
    """For each character of the normal form, where it stands in the text as it was given."""
    if text == cleaned:
        return range(len(text))
    places, position = [], 0
    for char in cleaned:
        # A line feed may stand for another line break; everything else stands for itself.
        wanted = _BREAKS if char == "\n" else char
        while position < len(text) - 1 and text[position] not in wanted:
            position += 1
        places.append(position)
        position += 2 if text[position : position + 2] == "\r\n" else 1
    return places


@command("scan")
@click.argument("file", default="-")
@click.option("--jsonl", is_flag=True, help="Each line is {id, text}; each answer one JSON object, in order.")
def scan(file: str, jsonl: bool) -> None:
    """Show what the safety pipeline sees in a text: safe form, redactions, hidden characters, labels, verdict.

    Reads FILE, or standard input. Nothing is stored and nothing is sent.
    """
    text = read_text(file)
    if not jsonl:
        found = scanned(named(file), text)
        answer(found, lambda screen: _draw(screen, found))
        return
    for identifier, case in _cases(text, named(file)):
        click.echo(document(scanned(identifier, case), indent=None))


def _cases(text: str, where: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            yield str(value["id"]), str(value["text"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidInputError(
                f"{where}, line {number}: not a JSON object with id and text.", "Correct the line and scan again."
            ) from error


_VERDICT_STYLES: Final = {
    "clean": "bold green",
    "labelled": "bold yellow",
    "quarantined": "bold red",
    "refused": "bold red",
}


def _draw(screen: Screen, found: dict[str, Any]) -> None:
    screen.line((found["verdict"], _VERDICT_STYLES[found["verdict"]]))
    for item in found["redactions"]:
        screen.line(("redacted ", "yellow"), f"{item['type']} at {item['start']}–{item['end']}")
    for kind in found["hidden"]:
        screen.line(("taken out ", "yellow"), kind)
    for label in found["labels"]:
        screen.line(("labelled ", "yellow"), f"{label['label']}: {label['reason']} ({label['score']})")
    for heading, name in (("runs", "commands"), ("installs", "packages"), ("leads to", "urls")):
        for item in found[name]:
            screen.line((f"{heading} ", "dim"), item)
    screen.line()
    screen.block(found["text"])

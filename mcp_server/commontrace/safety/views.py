"""Other readings of a text: what stands in it in pieces, percent-encoded or in base64, and where."""

import base64
import binascii
import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# The end of one string and the beginning of the next, or a line that goes on: what a reader skips.
_JOINT: Final = re.compile(
    r"([\"'`])(?=[ \t]{0,8}[+.&~\\\r\n])[ \t]{0,8}(?:[+.&~][ \t]{0,8})?(?:\\?\r?\n[ \t]{0,60})?(?:[+.&~]["
    r" \t]{0,8})?[fbru]?\1"
    r"|\\\r?\n[ \t]{0,60}(?:[\"'`](?=[\w+/=-]))?"
)
_LISTED: Final = re.compile(r"([\"'])[ \t]{0,8},[ \t\r\n]{0,60}\1")
_PUT_TOGETHER: Final = re.compile(r"\.join\(|\bimplode\(|\bconcat\(|\bpaste0\(")
_PERCENT: Final = re.compile(r"%([2-7][0-9A-Fa-f])")
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,}+={0,2}")
_READABLE: Final = re.compile(r"[\t\r\n -~]+")
_URLSAFE: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class View:
    """A reading of a text in which parts of it are left out or stand for something else."""

    text: str
    starts: list[int]  # of each piece, in this reading
    origins: list[int]  # the same places in the text itself
    joints: list[int]  # where in this reading something was left out; none where all of it reads otherwise

    def origin(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a span of this reading stands in the text; None where the text itself reads the same there."""
        joint = bisect.bisect_right(self.joints, start)
        if self.joints and (joint == len(self.joints) or self.joints[joint] >= end):
            return None
        first, last = (bisect.bisect_right(self.starts, place) - 1 for place in (start, end - 1))
        stop = self.origins[last] + end - self.starts[last]
        if last + 1 < len(self.starts) and self.starts[last + 1] == end:
            stop = self.origins[last + 1]  # what stands for one character may be longer
        return self.origins[first] + start - self.starts[first], stop


def views(text: str) -> Iterator[View]:
    """The readings of a text that differ from it: put together, and percent-decoded."""
    joints = [(match.start(), match.end(), "") for match in _JOINT.finditer(text)] if _may_be_split(text) else []
    if _PUT_TOGETHER.search(text):
        joints = sorted([*joints, *((match.start(), match.end(), "") for match in _LISTED.finditer(text))])
    if joints:
        yield _without(text, joints)
    if "%" in text and (encoded := [(m.start(), m.end(), chr(int(m[1], 16))) for m in _PERCENT.finditer(text)]):
        yield _without(text, encoded)


def _may_be_split(text: str) -> bool:
    return "\\\n" in text or "\\\r" in text or any(quote in text for quote in "\"'`")


def _without(text: str, replaced: list[tuple[int, int, str]]) -> View:
    pieces: list[str] = []
    starts, origins, joints, position, length = [0], [0], [], 0, 0
    for start, end, stand_in in replaced:
        if start < position:
            continue
        for piece, origin in ((text[position:start], start), (stand_in, end)):
            pieces.append(piece)
            length += len(piece)
            starts.append(length)
            origins.append(origin)
        if not stand_in:
            joints.append(length)
        position = end
    return View("".join([*pieces, text[position:]]), starts, origins, joints)


def decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and meaning of each run of base64 that stands for readable ASCII."""
    for match in _BASE64.finditer(text):
        said = _plain(match[0])
        if said is not None:
            yield match.start(), match.end(), said


def _plain(run: str) -> str | None:
    letters = run.rstrip("=").translate(_URLSAFE)
    try:
        # Of a run that was cut short, what is whole.
        said = base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "=" * (-len(letters) % 4))
    except binascii.Error:
        return None
    plain = said.decode("ascii", "replace")
    return plain if _READABLE.fullmatch(plain) else None

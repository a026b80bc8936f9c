"""What a text says in an encoding that a model reads at a glance: base64, rot13, leet and others."""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from commontrace.safety.re2s import compiled
from commontrace.safety.views import decoded

_HEX: Final = r"\b(?:[0-9A-Fa-f]{2}[ :]?){16,400}\b"
_READABLE: Final = re.compile(r"[\t\r\n -~]+")
_ROT13: Final = r"(?i)vtaber|qvfertneq|bireevqr|sbetrg|cerivbhf|vafgehpgvba"
_BACKWARDS: Final = r"(?i)erongi|dragersid|tegrof|suoiverp|noitcurtsni|tpmorp metsys"
_LEET: Final = (
    r"(?i)[i1!]gn(?:0r[e3]|or3)|1gn[o0]r[e3]|d[i1]sr[e3]g[a4@]rd|f0rg[e3]t|pr3v[i1][o0]us|1nstruct[i1][o0]ns?"
    r"|instruct1[o0]n|5yst3m"
)
_LETTERS: Final = str.maketrans("0134578@$!", "oieastbasi")
_SPACED: Final = r"(?:\b\w[ ._-]{1,2}){8,400}\w\b"


def encoded(text: str) -> Iterator[tuple[str, str]]:
    """Encoding and meaning of whatever a text says in one."""
    flat = text.encode("ascii", "replace")
    yield from (("base64", said) for *_, said in decoded(text))
    for match in compiled(_HEX).finditer(flat):
        said = _of_hex(text[slice(*match.span())])
        if said is not None:
            yield "hexadecimal", said
    if compiled(_ROT13).search(flat):
        yield "rot13", codecs.encode(text, "rot13")
    if compiled(_BACKWARDS).search(flat):
        yield "backwards", text[::-1]
    yield from (("spaced letters", _closed(text[slice(*match.span())])) for match in compiled(_SPACED).finditer(flat))
    if re.search(r"[0-9@$!]", text) and compiled(_LEET).search(flat):
        yield "digits for letters", text.translate(_LETTERS)


def _of_hex(digits: str) -> str | None:
    said = bytes.fromhex(re.sub(r"[ :]", "", digits)).decode("ascii", "replace")
    return said if _READABLE.fullmatch(said) else None


def _closed(spaced: str) -> str:
    """Letters without the single sign between them; where there are two, a word ends."""
    return re.sub(r"(\w)[ ._-](?=\w)", r"\1", re.sub(r"[ ._-]{2}", "\n", spaced)).replace("\n", " ")

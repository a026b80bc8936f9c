"""Error text to a key: the same failure gives the same fingerprint in another folder, run or version."""

import hashlib
import re
from typing import Final

from commontrace.fingerprint.choosing import decisive
from commontrace.fingerprint.cleaning import lines_of
from commontrace.fingerprint.values import settled
from commontrace.fingerprint.wording import reworded

VERSION: Final = "2"
"""Changes when the normal form does, so that stored fingerprints can be made anew."""

_FEWEST_LETTERS: Final = 7  # "error", "failed" alone are no shape


def normalise(error: str) -> str:
    """The shape of an error: type, code and message, without what varies from run to run.

    Of a long output the decisive line is taken: a Python traceback's last exception, a compiler's first error,
    npm's code with its first message, a test's first `E` line, a Java stack's last cause; an excerpt of that line
    gives the same shape. Where the error was seen goes (paths but their last component, lines, columns, addresses,
    times, hosts, ports, users, versions, sizes, other numbers); what it is about stays (codes, exit and HTTP
    statuses, the quoted names of modules, symbols, tables, options). An empty result means that the text names no
    error.
    """
    return "\n".join(filter(None, (settled(reworded(part)) for part in decisive(lines_of(error)))))


def fingerprint(error: str) -> str | None:
    """A 32-digit key for an error, or None where the text says nothing that could be recognised again."""
    shape = normalise(error)
    if len(re.sub(r"<\w+>|[\W_]", "", shape)) < _FEWEST_LETTERS:
        return None
    return hashlib.sha256(f"commontrace error {VERSION}\n{shape}".encode()).hexdigest()[:32]

"""Error text to a key: the same failure gives the same fingerprint in another folder, run or version."""

import hashlib
import re
from typing import Final

VERSION: Final = "1"
"""Changes when the normal form does, so that stored fingerprints can be made anew."""

_LIMIT: Final = 16_384

# In this order: a rule may rely on what the ones before it took out.
_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, flags), replacement)
    for pattern, replacement, flags in (
        (r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", 0),
        (r"\b(https?|postgres(?:ql)?|redis|mysql)://[^\s'\"<>]+", r"\1://<url>", re.IGNORECASE),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>", re.IGNORECASE),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>", 0),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>", 0),
        (r"\b0x[0-9a-f]+\b", "<addr>", re.IGNORECASE),
        (r"\b(?:sha256:)?[0-9a-f]{12,}\b", "<hash>", re.IGNORECASE),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "<host>", 0),
        (r"\blocalhost:\d+", "<host>", 0),
        # A path of a file, then any other that begins at a root: acme/web is no path, and @scope/name no file.
        (r"(?<![\w.@+~\\/-])[\w.@+~-]+(?:[\\/][\w.@+~-]+)*[\\/]([\w@+~-][\w.@+~-]*\.\w{1,8})\b", r"\1", 0),
        # A path keeps its last component: the file says more than the folder it lies in.
        (r"(?:[A-Za-z]:)?(?:~|\.{1,2})?(?:[\\/][\w.@+~-]+)*[\\/]([\w.@+~-]+)", r"\1", 0),
        (r"\b[vV]?\d+(?:\.\d+)+(?:[-+.]?(?:rc|a|b|dev|post|alpha|beta)[\w.]*)?", "<version>", 0),
        (r"(?<=[\w)]):\d+(?::\d+)?\b", ":<line>", 0),
        (r"(?<=[\w)])\(\d+,\d+\)", "(<line>)", 0),
        (r"\bline \d+(?:, column \d+)?", "line <line>", re.IGNORECASE),
        (r"\bport \d+", "port <n>", re.IGNORECASE),
        (r"(?<![\w<-])\d+(?:[.,]\d+)?(?![\w>])", "<n>", 0),
        (r"[ \t]+", " ", 0),
    )
)

_NOISE: Final = re.compile(
    r"^\s*(?:$|[~^|\s-]+$|File \"|at .+\(|at \S+:|--> |Traceback \(most recent|npm (?:ERR!|error) A complete log"
    r"|npm (?:ERR!|error)\s*$|note: |help: |warning: |\d+ \| |\.\.\. )"
)
# A class name is known by its end: looking for its beginning would cost the square of the line's length.
_ERROR: Final = re.compile(
    r"(?<=[\w.])(?:Error|Exception|Warning|Interrupt|Exit)\b"
    r"|\b(?:error(?:\[\w+\])?|fatal|panic|(?-i:E[A-Z]{3,})|denied|not found|failed|cannot)\b",
    re.IGNORECASE,
)


def normalise(error: str) -> str:
    """The shape of an error: type, code and message, without what varies from run to run.

    Paths become base names; lines, columns, addresses, hashes, UUIDs, times, ports, hosts, versions and
    numbers become placeholders; stack frames and source excerpts go. An empty result means that the text
    names no error.
    """
    lines = [line.rstrip() for line in error[-_LIMIT:].replace("\r\n", "\n").split("\n")]
    said = [line.strip() for line in lines if _ERROR.search(line) and not _NOISE.match(line)]
    if not said:
        said = [line.strip() for line in lines if line.strip() and not _NOISE.match(line)][-1:]
    text = "\n".join(said[-3:])
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def fingerprint(error: str) -> str | None:
    """A 32-digit key for an error, or None where the text says nothing that could be recognised again."""
    shape = normalise(error)
    if len(re.sub(r"<\w+>|\W", "", shape)) < 7:  # noqa: PLR2004 - "error", "failed" alone are no shape
        return None
    return hashlib.sha256(f"commontrace error {VERSION}\n{shape}".encode()).hexdigest()[:32]

"""What varies from run to run to placeholders; what says what failed stays."""

import re
from functools import cache
from typing import Final

from commontrace.fingerprint.wording import Rule, applied

_STATUS: Final = (
    r"(?:exit(?:ed)?(?: with)?(?: exit)?(?: code| status)?|status(?: code)?|returned error|error code|error|errno"
    r"|http(?:/[\d.]+)?|code|signal|sqlstate|curl|ora|state)"
)
_REASON: Final = (
    r"(?:client error|server error|not found|bad |unauthorized|forbidden|internal server|service unavail|gateway"
    r"|too many|conflict|unprocessable|method not|moved|found|gone|payload|request|not acceptable|teapot)"
)
_WORD_VALUE: Final = (
    r"(?! (?:git )?(?:command|option|package|module|identifier|attribute|field|column|table|name|target|subcommand"
    r"|argument|key|property|function|class|method|import|type|keyword)\b)"
)

_DATUM: Final = r"(?:literal|value|input|number|integer|float|date|time|uuid|email|timestamp|isoformat string|base64)\b"
_UNIT: Final = r"(?:ms|µs|us|ns|secs?|seconds?|minutes?|mins?|hours?|[kmgt]i?b|bytes?|[smhkb])"
_BOUND: Final = r"(?:[=~!<>]=|[<>]|\^|@[~^]?)"
_RELEASE: Final = r"\d+(?:\.[\d*]+)*(?:\.?(?:a|b|rc|dev|post)\d+)*"

_VALUES: Final[tuple[Rule, ...]] = (
    ("://", r"\b[a-z][a-z0-9+.-]{0,30}://[^\s'<>)\],]+", "<url>"),
    ("@", r"\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?::[^\s']+)?", "<email>"),
    ("tmp", r"(?:[\\/][\w.-]+)*[\\/]te?mp[\\/](?:tmp)?[\w-]{6,}(?=[\s':,)]|$)|\btmp[a-z0-9_]{6,}\b", "<tmp>"),
    # A path of a file, then any other that begins at a root: acme/web is no path, and @scope/name no file.
    (
        "",
        r"(?<![\w.@+~\\/-])[\w.@+~-]+(?:[\\/][\w.@+~-]+)*[\\/]([\w@+~-][\w.@+~-]*\.(?!h\b|hpp\b|hh\b)\w{1,8})(?![\w/\\])",
        r"\1",
    ),
    ("", r"(?<![\w.@>)])(?:[a-z]:)?(?:~|\.{1,2})?(?:[\\/][\w.@+~-]+)*[\\/]([\w.@+~-]+)[\\/]?", r"\1"),
    ("", rf"\b((?:invalid|malformed|bad|illegal) {_DATUM}[^:']{{0,40}}):? (?:'.*'|\S+)(?= \(\w+\)$|$)", r"\1: <value>"),
    ("parsing '", r"\bparsing '[^']*':", "parsing <value>:"),
    ("could not convert", r"(could not convert string to \w+): .+$", r"\1: <value>"),
    ("time data", r"time data .+ does(?: not|n't) match format", "time data <value> does not match format"),
    ("duplicate entry", r"duplicate entry '.*?' for", "duplicate entry <value> for"),
    ("key (", r"key \((.{1,100}?)\)=\(.*?\)", r"key (\1)=(<value>)"),
    ("is not a valid", rf"(?:'[^']*'|\b[\w-]+) is not a valid{_WORD_VALUE}", "<value> is not a valid"),
    ("for input string", r"for input string: .+$", "for input string: <value>"),
    ("input_value", r"input_value=.*$", ""),
    ("input:", r"\binput: '.*?'", "input: <value>"),
    ("user ", r"\b(for user|user) '[^']*'(?:@'[^']*')?", r"\1 <user>"),
    ("role ", r"\brole '[^']*'", "role <user>"),
    ("-", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
    (":", r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
    (":", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
    ("-", r"\b\d{4}-\d\d-\d\d\b", "<time>"),
    ("0x", r"(?: at)? ?\b0x[0-9a-f]+\b", ""),
    ("sha", r"\bsha(?:1|256|512)[:-][\w+/=]+", "<hash>"),
    ("", r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "<n>"),
    ("host", r"\b(host(?: ?name)?(?::| to| is|=)? ?)'?[\w-]+(?:\.[\w-]+)*'?", r"\1<host>"),
    ("enotfound", r"\b(enotfound|eai_again) [\w.:-]+", r"\1 <host>"),
    ("eai_again", r"\b(enotfound|eai_again) [\w.:-]+", r"\1 <host>"),
    ("resolve", r"\b(failed to resolve|resolve host:?) '?[\w-]+(?:\.[\w-]+)*'?", r"\1 <host>"),
    ("lookup ", r"\blookup [\w.-]+(?: on [\w.:]+)?", "lookup <host>"),
    (
        "connect",
        r"\b((?:server at|connect(?:ed|ing|ion)? to)) '?[\w-]+(?:\.[\w-]+)*'?(?=,? (?:\([^)]*\),? )?port |:\d)",
        r"\1 <host>",
    ),
    (".", r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "<host>"),
    ("::", r"(?<![\w:>])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?::\d+)?(?![\w:])", "<host>"),
    (":", r"(?<![\w/.-])[a-z][\w-]*(?:\.[\w-]+)*:\d{2,5}\b(?!:)", "<host>"),
    ("<host>", r"<host>(?:,? \(<host>\))?(?:(?:,| port)+ \d+)?|'<host>', ?\d+", "<host>"),
    ("port", r"\bport[ :=]*\d+", "port <n>"),
    ("", rf"(?<=[\w\])'-]) ?{_BOUND}v?{_RELEASE}(?:\s*,\s*{_BOUND}\s*[\d.*]+)*", ""),
    (".", rf"\b\d+\.\d+ ?{_UNIT}\b", "<n>"),
    (".", r"\bv?\d+(?:\.\d+)+(?:[-+.]?(?:rc|a|b|dev|post|alpha|beta)[\w.]*)?", "<version>"),
    (":", r"(?<=[\w)]):\d+(?::\d+)?\b", ":<line>"),
    ("(", r"(?<=[\w)])\(\d+,\d+\)", "(<line>)"),
    ("line ", r"\bline \d+(?:,? col(?:umn)? \d+)?", "line <line>"),
)

_NUMBER: Final = (
    rf"(?i)(?P<kept>\b{_STATUS}[ :=#(]{{1,3}}-?\d+(?!\w|\.\d)|\b[1-5]\d\d (?={_REASON}))"
    rf"|(?<![\w<])-?\d+(?:[.,_]\d+)*(?:e[+-]?\d+)?"
    rf"(?: ?{_UNIT}\b)?(?![\w>])"
)


@cache
def _number() -> re.Pattern[str]:
    """Compiled when it is needed: that takes longer than importing the rest."""
    return re.compile(_NUMBER)


def settled(text: str) -> str:
    """A message with placeholders for what varies, in lower case, each space one."""
    text = applied(_VALUES, text)
    text = _number().sub(lambda found: found["kept"] or "<n>", text)
    return re.sub(r"\s+", " ", text).strip(" .").lower()

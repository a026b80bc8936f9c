"""One wording for one failure: where it was seen, who reports it and what is suggested go."""

import re
from functools import cache
from typing import Final

# A rule is tried where its word (in lower case) is in the text: its pattern is not even compiled before that.
Rule = tuple[str, str, str]

_FILE: Final = r"(?:[A-Za-z]:)?[^\s:'()\[\]]+"

# What a system call says after the name of a file or command: then that name is no place.
_OUTCOME: Final = (
    r"(?!(?:inaccessible or )?not found|command not|no such|permission|is a dir|not a dir|can(?:no|')t|file exists)"
)

_WHERE: Final[tuple[Rule, ...]] = (
    ("npm ", r"^npm (?:ERR!|error) +", ""),
    ("]", r"^\[(?:ERROR|FATAL)\] *", ""),
    (":", r"^\w+:(?:root|__main__): ?", ""),
    (": ", r"^(?-i:ERROR|CRITICAL|FATAL) (?!\w*\d:)[\w.]+: (?=\S)", ""),
    ("error", r"^\[(?=(?-i:[A-Z]\w*|)Error\b)(.*)\](?: \{)?$", r"\1"),
    ("{", r" \{$", ""),
    ("err_", r"^(\w*error) \[\w+\]: ", r"\1: "),
    ("panicked at", r"^thread '[^']*'(?: \(\d+\))? panicked at '?(.*?)'?(?:, \S+:\d+:\d+)?$", r"\1"),
    (": ", r"^[EW]: ", ""),
    ("##[", r"^##\[error\] *", ""),
    ("note: ", r"^= note: ", ""),
    ("vet: ", r"^vet: ", ""),
    (":", rf"^[\w.-]+: (?={_FILE}\.\w+:\d+: )", ""),
    (":in ", rf"^(?:<internal:\w+>|{_FILE}):\d+:in '[^']*': ", ""),
    (":(", rf"^(?:\S*ld: )?{_FILE}:\([^)]*\): ", ""),
    (":", rf"^(?:[EW]: )?{_FILE}:(?:\w+:)?(?: line)? ?\d+(?::\d+)?(?::| -)\s+", ""),
    ("](", rf"^(?:[EW]: )?{_FILE}\[\d+\]:\s+", ""),
    ("]: ", rf"^(?:[EW]: )?{_FILE}\[\d+\]:\s+", ""),
    (":[", rf"^{_FILE}:\[\d+,\d+\] ", ""),
    ("): ", rf"^{_FILE}\(\d+(?:,\d+)?\): ", ""),
    ("python", r"^(?:\S*/)?python[\d.]*(?: -m [\w.]+)?: ", ""),
    ("/", r"^(?:[A-Za-z]:)?[^\s:']*[\\/]([\w.+-]+): " + _OUTCOME, r"\1: "),
    ("sh: ", r"^(?:[EW]: )?[a-z]{0,3}sh: (?:line \d+: |\d+: )?", ""),
    ("env: ", r"^env: ", ""),
    (".", r"^[\w.-]+\.(?:py|pyw|js|mjs|cjs|ts|sh|rb|pl|php|lua): " + _OUTCOME, ""),
    ("@", r"^[\w.-]+@[\w.-]+: (?=permission|connection|host)", ""),
    ("> ", r"^> ", ""),
    ("psql: ", r"^psql: ", ""),
    (
        "",
        r"^(?:\S*/)?(?:[\w.-]+-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|cc1|cc1plus|ld|ld\.\w+|javac)(?:-[\d.]+)?: ",
        "",
    ),
)
"""Who says it and where, at the beginning of a line."""

_LEVEL: Final = (
    r"^(?:fatal error|internal compiler error|php fatal error|error|fatal|err!|panic|critical|severe"
    r"|uncaught(?: \(in promise\))?|exception in thread '[^']*'|caused by|error response from daemon|\[cause\])"
    r"(?: ?\[(\w+)\])?(?: ([A-Z]+\d+))?(?::|(?<=')(?= )|(?<=caught)(?= )|(?<=promise\))(?= ))\s*"
)

_SAYS: Final[tuple[Rule, ...]] = (
    # Suggestions and reasons that came with a later version.
    ("mean", r"[.;,]? ?\(?\bdid you mean\b.*$", ""),
    ("consider renaming", r" \(consider renaming.*$", ""),
    ("circular import", r"partially initialized (?=module)|partially initialized module '[^']*' (?=from)", ""),
    ("circular import", r" \(most likely due to a circular import\).*$", ""),
    ("[-w", r" \[-[WfD][^\]]*\]$", ""),
    ("[-f", r" \[-[WfD][^\]]*\]$", ""),
    ("use -v", r" \(use -v to see invocation\)", ""),
    ("first use", r" \(first use in this function\)", ""),
    ("from versions", r" \(from versions?: [^)]*\)?", ""),
    ("choose from", r" \(choose from .*$", ""),
    ("char ", r": line \d+ column \d+ \(char \d+\)", ""),
    ("on line ", r" on line \d+$", ""),
    ("_ssl", r" \(_ssl\.c:\d+\)", ""),
    ("os error", r" \(os error \d+\)", ""),
    ("sqlstate", r" \(SQLSTATE \w+\)$", ""),
    ("imported from", r" imported from .*$", ""),
    ("[help", r" -> \[Help \d+\]$", ""),
    (" from '", r"(cannot find module '[^']*') from '[^']*'.*$", r"\1"),
    (" at character ", r" at character \d+$", ""),
    ("(match)", r" \(match\)$", ""),
    ("you might", r"[.;] (?:you might want to|please verify|perhaps you).*$", ""),
    (", at position", r", at position \d+$", ""),
    (":", r"(?: (?:at|in|on|from))? \(?(?:[\w.+~-]*[\\/])*[\w+-]+\.[a-z]\w{0,4}:\d+(?::\d+)?\)?(?=[\s:,)]|$)", ""),
    (" line ", r" at \S+ line \d+\.?(?=$| )", ""),
    (" line ", r" (?:in|on) \S+ (?:on )?line \d+\.?$", ""),
    (" at ", r" at (?:\S*[\\/])?[\w.-]+(?: line \d+\.?|:\d+(?::\d+)?)$", ""),
    (" in ", r" in '?(?:[A-Za-z]:)?(?:\.{0,2}[\\/])[^\s':]*'?(?::\d+|(?: or any (?:of the )?parent.*)?$)", ""),
    (".py)", r" \([^()\s]*[\\/][^()\s]*\)", ""),
    ("(/", r" \([\\/][^()]*\)", ""),
    ("for more information", r"\s*for more information.*$", ""),
    (
        "json",
        r"syntaxerror: (?!unexpected (?:end|token '?<))(?:.* in json at position|.* is not valid json).*$",
        "syntaxerror: invalid json",
    ),
    (
        "unexpected token",
        r"unexpected token '?<'?(?: in json|, '.* is not valid json).*$",
        "unexpected token '<' in json",
    ),
    ("could not read", r"could not read package\.json: (?:error: )?", ""),
    ("the reason '", r"^.*the promise rejected with the reason '(.*?)'\.?\]?(?: \{)?$", r"\1"),
    # One thing in the words of many.
    ("command not found", r"^(?:.*?: )?command not found: (.+)$", r"command not found: \1"),
    ("command not found", r"^([^:]*): command not found.*$", r"command not found: \1"),
    (
        "not found",
        r"^(?![\w ]*:? ?command not found)([\w.+/-]+): (?:inaccessible or )?not found$",
        r"command not found: \1",
    ),
    ("no such file", r"^'?([\w.+-]+)'?: no such file or directory$", r"command not found: \1"),
    ("command not found", r"^command not found: '?(\S*/\S*?)'?$", r"no such file or directory: \1"),
    (
        "no such file",
        r"^(?:cd: )?'?([^\s:']*/[^\s:']+)'?: no such file or directory$",
        r"no such file or directory: \1",
    ),
    (
        "[no such file",
        r"^(?:cd: )?(\S+): (?:cannot create )?\[no such file or directory\]$",
        r"no such file or directory: \1",
    ),
    (": create: no", r"^(\S+): create: no such file or directory$", r"no such file or directory: \1"),
    ("can't cd to", r"^(?:cd: )?can't cd to (\S+)$", r"no such file or directory: \1"),
    ("directory nonexistent", r"^cannot create (\S+): directory nonexistent$", r"no such file or directory: \1"),
    ("permission denied", r"^(\S+): (?:can(?:no|')t execute:? \[?)?permission denied\]?$", r"permission denied: \1"),
    ("invalid requirement", r"(invalid requirement: '[^']*').*$", r"\1"),
    ("no such option", r"no such option:? '?(-[\w-]+)'?", r"no such option \1"),
    ("parameter", r"^(\w+): (?:parameter not set|unbound variable)$", r"\1: not set"),
    ("unbound", r"^(\w+): (?:parameter not set|unbound variable)$", r"\1: not set"),
    ("no matching distribution", r"no matching distribution found for (.+)$", r"no distribution found for \1"),
    (
        "could not find a version",
        r"could not find a version that satisfies the requirement ",
        "no distribution found for ",
    ),
    ("cannot find -l", r"cannot find (-l[^\s:]+).*$", r"cannot find \1"),
    ("property", r"cannot read property '(.*?)' of (\w+)", r"cannot read properties of \2 (reading '\1')"),
    ("setter", r"property '(\w+)' of '.*' object has no setter", r"can't set attribute '\1'"),
    ("abstract", r"with(?:out an implementation for)? abstract method(s?) '?(\w+)'?", r"with abstract method\1 \2"),
    ("local object", r"can't (?:get|pickle) local object", "can't pickle local object"),
    ("self", r"self[ -]signed", "self-signed"),
    ("assertion", r"assertion failed: '?\((left [!=]= right)\)'?:?", r"assertion '\1' failed:"),
    ("no such subcommand", "no such subcommand", "no such command"),
    ("not in goroot", r"is not in GOROOT", "is not in std"),
    ("recursion", r"maximum recursion depth exceeded.*$", "maximum recursion depth exceeded"),
    ("stack size", r"maximum call stack size exceeded.*$", "maximum call stack size exceeded"),
    ("undeclared", r"undeclared name: ", "undefined: "),
    ("and not used", r"declared and not used: (\w+)", r"\1 declared but not used"),
    ("and not used", r"(\w+) declared and not used", r"\1 declared but not used"),
    ("not in this registry", r" is not in this registry\.?", ""),
    ("errno", r"\[(?:win|os )?err(?:no|or) -?\d+\] (?!connect call)", ""),
    ("winerror", r"\[WinError \d+\] ", ""),
    # A library's wrapping around what failed inside.
    ("background on this error", r"\s*\(Background on this error.*$", ""),
    ("(", r"^(?:[\w.]+\.exc\.)?\w+: \((?=[\w.]+\.\w+\) )([\w.]+)\) ", r"\1: "),
    ("psycopg", r"^(?:psycopg\w*|asyncpg)(?:\.\w+)*: ", ""),
    (
        "django",
        r"^django\.db\.utils\.\w+: (?=relation|column|duplicate key|null value|insert or update|value too long|syntax)",
        "",
    ),
    ("asyncpg", r"^(?:psycopg\w*|asyncpg)(?:\.\w+)*: ", ""),
    ("connection to", r"^(?:connection failed: )?connection to server .*? failed: (?:fatal|error): +", ""),
    ("connection failed", r"^connection failed: (?=connection to)", ""),
    (
        "caused by ",
        r"\w+\(.*?\): max retries exceeded with url: .*?\(caused by (\w+)\(['\"]?(.*?)['\"]?\)\)$",
        r"\1: \2",
    ),
    ("host=", r"\w+\(host=[^)]*\)(?:: ?)?", ""),
    ("<class '", r"<class '([\w.]+)'>", r"\1"),
    (" object at ", r"<[\w.]+ object at 0x\w+>: ", ""),
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def applied(rules: tuple[Rule, ...], text: str) -> str:
    """The text after each rule whose word it has."""
    lower = text.lower()
    for word, pattern, replacement in rules:
        if word in lower:
            changed = _compiled(pattern).sub(replacement, text)
            if changed != text:
                text, lower = changed, changed.lower()
    return text


def reworded(text: str) -> str:
    """The message alone, its level and reporter left out, in one of the wordings that tools have for it."""
    text = text.strip().replace('"', "'")
    for _ in range(3):
        before = text
        text = applied(_WHERE, text)
        text = _compiled(_LEVEL).sub(_coded, text)
        if text == before:
            break
    text = applied(_SAYS, text)
    text = _compiled(r"^'([^']*)'$").sub(r"\1", text)
    # The class says it, whatever module it moved to.
    return _compiled(r"^\[?(?:[a-z_$][\w$]*(?:\.|\\|::))+(?-i:(?=[A-Z]\w*(?:[: ]|$)))").sub("", text)


def _coded(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return f"{code}: " if code else ""

"""Names of languages, operating systems and packages as people spell them, brought to one spelling. Pure."""

import re
from functools import lru_cache
from typing import Final

from commontrace_backend.search.version_ranges import Ecosystem

_LANGUAGES: Final = {
    alias: language
    for language, aliases in {
        "python": "py cpython ipython jupyter",
        "javascript": "js jsx mjs cjs node nodejs node.js ecmascript es vanilla-js deno bun",
        "typescript": "ts tsx mts",
        "go": "golang",
        "rust": "rs",
        "c": "ansi-c",
        "c++": "cpp cxx cplusplus c-plus-plus",
        "c#": "csharp cs c-sharp dotnet .net",
        "f#": "fsharp",
        "java": "jvm openjdk",
        "kotlin": "kt",
        "ruby": "rb",
        "shell": "sh bash zsh fish posix-sh shell-script shellscript",
        "powershell": "pwsh ps1",
        "objective-c": "objc obj-c",
        "elixir": "ex exs",
        "haskell": "hs",
        "sql": "plsql plpgsql tsql",
    }.items()
    for alias in (language, *aliases.split())
}
_RUNTIMES: Final = {"node-js": "node", "nodejs": "node", "python3": "python", "cpython": "python", "golang": "go"}
_RELATED: Final = frozenset({"javascript", "typescript"})
_ECOSYSTEMS: Final[dict[str, Ecosystem]] = {
    "python": "python",
    "javascript": "npm",
    "typescript": "npm",
    "rust": "cargo",
    "go": "go",
}
_SYSTEMS: Final = {
    alias: system
    for system, aliases in {
        "macos": "macos darwin osx mac macosx",
        "windows": "windows win win32 win64 mingw mingw32 mingw64 msys cygwin",
        "linux": "linux wsl ubuntu debian fedora centos rhel redhat alpine archlinux manjaro opensuse gentoo nixos "
        "almalinux amazonlinux raspbian kali slackware manylinux musllinux",
        "freebsd": "freebsd",
        "openbsd": "openbsd",
        "android": "android",
        "ios": "ios ipados",
    }.items()
    for alias in aliases.split()
}

_VERSION_AT_END: Final = re.compile(r"[\s<>=~^@]*\d.*\Z")
_WORD: Final = re.compile(r"[a-z]+(?:32|64)?")
_SEPARATORS: Final = re.compile(r"[-_.]+")
_EXTRAS: Final = re.compile(r"\[[^\]]*\]")
_TOOL: Final = re.compile(
    r"\s*(?P<name>[A-Za-z@][^\s<>=~^!@\[]*)(?:\[[^\]]*\])?(?:\s*@(?=v?\d)|\s+|(?=[<>=~^!])|\Z)(?P<versions>.*)",
    re.DOTALL,
)


@lru_cache(maxsize=1024)
def languages_of(text: str) -> frozenset[str]:
    """The languages in `Python 3.12`, `py`, `golang`, `JavaScript/TypeScript`; one we do not know stays as it is."""
    found = set()
    for part in re.split(r"[,/]|\s+and\s+", text.lower()):
        name = _VERSION_AT_END.sub("", part.strip()) or part.strip()
        if name:
            found.add(_LANGUAGES.get(re.sub(r"\s+", "-", name), name))
    return frozenset(found)


def related(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether what is true in one is as a rule true in the other: TypeScript is JavaScript with types."""
    return bool(ours & theirs) or bool(ours & _RELATED and theirs & _RELATED)


@lru_cache(maxsize=1024)
def systems_of(text: str) -> frozenset[str]:
    """The operating systems in `Ubuntu 24.04`, `darwin`, `Windows 11`, `linux, macos`; empty where none is known."""
    words = _WORD.findall(text.lower().replace("os x", "macos").replace("mac os", "macos"))
    return frozenset(_SYSTEMS[word] for word in words if word in _SYSTEMS)


def ecosystem_of(languages: frozenset[str]) -> Ecosystem:
    """Whose rules the packages of these languages go by; plain where that is open."""
    found = {_ECOSYSTEMS.get(language, "plain") for language in languages}
    return found.pop() if len(found) == 1 else "plain"


@lru_cache(maxsize=65_536)
def loose(name: str) -> str:
    """A name under which every spelling of it is found: lower case, runs of `-`, `_` and `.` are one hyphen."""
    folded = _SEPARATORS.sub("-", _EXTRAS.sub("", name).strip().lower())
    return _RUNTIMES.get(folded, folded)


def same_name(ours: str, theirs: str, ecosystem: Ecosystem) -> bool:
    """Whether two names that are loosely the same are the same package.

    Python (PEP 503) and Cargo (`-` is `_`) fold separators; npm and Go do not: `lodash.merge` is not `lodash-merge`.
    """
    if ecosystem in {"python", "plain"} or loose(ours) in _RUNTIMES.values():
        return True
    ours, theirs = ours.strip().lower(), theirs.strip().lower()
    if ecosystem == "cargo":
        return ours.replace("_", "-") == theirs.replace("_", "-")
    return ours == theirs


def split_tool(text: str) -> tuple[str, str]:
    """Name and version of a tool as in `uv 0.9`, `docker>=27`, `node@22`, `git`."""
    found = _TOOL.match(text)
    return (found["name"], found["versions"].strip()) if found else (text.strip(), "")

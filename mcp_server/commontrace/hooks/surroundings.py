"""What a hook must know of the settings before anybody can be asked. Standard library only: no time for pydantic."""

import os
import sys
from typing import Any, Final, NamedTuple

_NO: Final = frozenset(("0", "off", "f", "false", "n", "no"))
_YES: Final = frozenset(("1", "on", "t", "true", "y", "yes"))


class Surroundings(NamedTuple):
    """What the settings say, as far as a hook needs it.

    Attributes:
        url: the backend.
        hooks: whether hooks say anything.
        capture: whether transcripts are kept.
        folder: where the hooks keep what they remember.
    """

    url: str
    hooks: bool
    capture: bool
    folder: str


def surroundings(url: str | None = None) -> Surroundings:
    """The environment over the config file, as `Settings` has it; `url` over both.

    Raises:
        OSError: the config file cannot be read.
        ValueError: it is no TOML, or a switch is neither on nor off.
    """
    data, config = _folders()
    hooks, capture = os.environ.get("COMMONTRACE_HOOKS"), os.environ.get("COMMONTRACE_CAPTURE")  # empty is not given
    url = url or os.environ.get("COMMONTRACE_URL")
    said = _config_file(os.path.join(config, "config.toml"))
    return Surroundings(
        url or str(said.get("url") or f"sqlite:///{os.path.join(data, 'commontrace.db')}"),
        _switch(hooks, said.get("hooks", True)),
        _switch(capture, said.get("capture", False)),
        os.path.join(data, "hooks"),
    )


def hooks_folder() -> str:
    """Where the hooks keep what they remember."""
    return os.path.join(_folders()[0], "hooks")


def _switch(given: str | None, otherwise: Any) -> bool:
    word = str(given or otherwise).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"{word!r} is neither on nor off")
    return word in _YES


def _config_file(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    import tomllib

    with open(path, "rb") as file:
        return tomllib.load(file)


def _folders() -> tuple[str, str]:
    """The folders for data and for settings: those that platformdirs names, without its import."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "commontrace")
        places = base, base
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
        places = base, base
    else:
        places = os.path.join(home, ".local", "share"), os.path.join(home, ".config")
    if sys.platform != "win32":
        given = os.environ.get("XDG_DATA_HOME", "").strip(), os.environ.get("XDG_CONFIG_HOME", "").strip()
        places = given[0] or places[0], given[1] or places[1]
    return os.path.join(places[0], "commontrace"), os.path.join(places[1], "commontrace")

"""The agent's side's settings: the only reader of the environment on this side."""

import os
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from platformdirs import user_config_path, user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from commontrace.errors import InvalidInputError


def default_url() -> str:
    """One SQLite file in the user's data folder."""
    return f"sqlite:///{user_data_path('commontrace') / 'commontrace.db'}"


def default_checkpoints() -> Path:
    """The last checkpoint of each store's log that was seen on this machine."""
    return user_data_path("commontrace") / "checkpoints.json"


def default_remotes() -> Path:
    """Which remotes there are, with their keys; only the user may read it."""
    return user_config_path("commontrace") / "remotes.json"


def default_sync_memory() -> Path:
    """What is known of remotes between two runs."""
    return user_data_path("commontrace") / "remotes.db"


def variable(name: str) -> str:
    """What a variable of the environment says that the user named; raises InvalidInputError where it says nothing."""
    value = os.environ.get(name, "")
    if not value:
        raise InvalidInputError(f"The variable {name} is not set.", "Set it, or read the key with --key-from stdin.")
    return value


def config_file() -> Path:
    """Where the user's settings lie: TOML, one `name = value` a line."""
    return user_config_path("commontrace") / "config.toml"


class Settings(BaseSettings):
    """What the agent's side can be told: `COMMONTRACE_<NAME>` in the environment, else the config file."""

    # Programs that start us with a form that nobody filled in leave variables empty: those are not given.
    model_config = SettingsConfigDict(env_prefix="COMMONTRACE_", extra="ignore", env_ignore_empty=True)

    url: str = Field(
        default_factory=default_url,
        description="The backend: sqlite:///path or postgresql://… run it in this process, https://host is a server.",
    )
    api_key: SecretStr | None = Field(default=None, description="The key for a server; a local store needs none.")
    timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for a server's answer.")
    query_remotes: str = Field(
        default="", description="Remotes that the tools ask too, by name and with commas between; `all` asks every one."
    )
    remote_timeout: float = Field(default=2.0, gt=0, description="Seconds that an answer waits for remotes at most.")
    public_url: str = Field(
        default="",
        description="Where callers reach this MCP server over HTTP, without the path /mcp; for OAuth clients.",
    )
    oidc_issuer: str = Field(
        default="",
        description="URL of the OpenID Connect provider that the backend accepts tokens of; for OAuth clients.",
    )
    hooks: bool = Field(default=True, description="Whether hooks say anything; false turns all of them off.")
    hooks_holdout: float = Field(
        default=0.0, ge=0, le=1, description="The share of recognised errors that hooks count and do not speak of."
    )
    capture: bool = Field(default=False, description="Whether hooks keep the transcripts of runs, in a local store.")
    capture_limit: int = Field(default=500, ge=1, description="Megabytes of transcripts kept; the oldest go first.")
    working_copy: str = Field(default="", description="Whose HEAD context commands move; empty: the folder's.")

    @classmethod
    def given(cls, **values: object) -> Self:
        """The settings, with `values` above every other source; None stands for what was not given.

        Raises:
            InvalidInputError: a value is of the wrong kind, wherever it comes from.
        """
        try:
            return cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise InvalidInputError(
                f"The setting {name} is wrong: {first['msg']}.",
                f"Correct COMMONTRACE_{name.upper()}, or {name} in {config_file()}.",
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over the config file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _ConfigFile(settings_cls)


class _ConfigFile(PydanticBaseSettingsSource):
    """The user's config file as a source of settings."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Unused: the whole file is read at once."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        path = config_file()
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:  # passed over, it would have everything go to another store than the one it names
            raise InvalidInputError(
                f"The config file {path} cannot be read: {error.strerror}.", "Let this user read it, or remove it."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(
                f"The config file {path} is not valid TOML: {error}.", "Correct or remove it."
            ) from error


def misspelt(others: Iterable[str]) -> dict[str, str]:
    """Variables that are nearly called like a setting, each with the one that may be meant.

    Args:
        others: names of settings that are not of this side.
    """
    known = {*Settings.model_fields, *others}
    prefixed = (
        (name, name.removeprefix("COMMONTRACE_").lower()) for name in os.environ if name.startswith("COMMONTRACE_")
    )
    found = {name: get_close_matches(short, known, 1, 0.8) for name, short in prefixed if short not in known}
    return {name: f"COMMONTRACE_{close[0].upper()}" for name, close in found.items() if close}

"""The backend's settings: the only reader of the environment on this side."""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from commontrace.errors import InvalidInputError

_ADDRESS: Final = "^(https?://.+)?$"
_Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda name: name.upper() if isinstance(name, str) else name),
]


class BackendSettings(BaseSettings):
    """What the backend can be told; each is also `COMMONTRACE_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="COMMONTRACE_", extra="ignore")

    database_url: str = Field(description="Where the data lives: sqlite:///path or postgresql://user@host/name.")
    local_owner: bool = Field(
        default=False,
        description="Serve the machine's owner without a key; only for the backend inside the client's process.",
    )
    pepper: SecretStr = Field(
        default=SecretStr(""),
        description="Secret mixed into stored API-key digests; empty: one is made and kept in the database.",
    )
    oidc_issuer: str = Field(
        default="",
        description="URL of an OpenID Connect provider, as in its tokens' `iss`; empty: API keys are all there is.",
    )
    oidc_audience: str = Field(
        default="",
        description="Whom the provider's tokens must be meant for (`aud`), separated by blanks; empty: public_url.",
    )
    public_url: str = Field(
        default="", description="Where callers reach this server, as https://traces.example.com; for OAuth clients."
    )
    key_environment: str = Field(default="live", pattern="^[a-z]{2,8}$", description="Second part of new API keys.")
    lock_wait: float = Field(default=30.0, gt=0, description="Seconds to wait for the store's write lock.")
    pool_readers: int = Field(
        default=15, ge=1, le=500, description="Connections to PostgreSQL that read, at most, for each process."
    )
    pool_writers: int = Field(
        default=2, ge=1, le=50, description="Connections to PostgreSQL that write; writers take turns, so few will do."
    )
    statement_seconds: float = Field(
        default=60.0, gt=0, description="Seconds that PostgreSQL may take for a statement, beside waiting for a lock."
    )
    reconnect_seconds: float = Field(
        default=5.0, ge=0, description="Seconds that a request waits for a PostgreSQL server that is just starting."
    )
    embedder: Literal["auto", "local", "endpoint", "in-memory", "none"] = Field(
        default="auto",
        description="Where vectors come from; auto: the endpoint if one is named, else the extra `local`, else none.",
    )
    embed_model_path: str = Field(default="", description="A model.onnx of one's own in place of the packaged one.")
    embed_url: str = Field(
        default="", pattern=_ADDRESS, description="Base URL of an OpenAI-compatible endpoint, up to /v1."
    )
    embed_model: str = Field(default="", description="The endpoint's model, such as text-embedding-3-small.")
    embed_key: SecretStr = Field(default=SecretStr(""), description="The endpoint's API key, if it wants one.")
    embed_dimensions: int | None = Field(
        default=None, gt=0, le=4096, description="Length of vectors to ask for, where the model can shorten them."
    )
    rate_reads: int = Field(default=3000, ge=0, description="Reads a key may make in a minute; 0: any number.")
    rate_writes: int = Field(default=600, ge=0, description="Writes a key may make in a minute; 0: any number.")
    rate_votes: int = Field(default=120, ge=0, description="Votes and flags of a key in a minute; 0: any number.")
    rate_keys: int = Field(default=60, ge=0, description="Keys that a key may create in an hour; 0: any number.")
    rate_group_factor: int = Field(
        default=10, ge=1, description="How many keys' worth an organization, and a lineage of invitations, may use."
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="Redis or Valkey that the processes of a store share; empty: each keeps to itself.",
    )
    cache_seconds: int = Field(
        default=3600, ge=0, description="Seconds that the vector of a question is remembered; 0: always made anew."
    )
    job_seconds: int = Field(
        default=300, ge=2, description="Seconds after which a worker's job that did not end is taken for lost."
    )
    gc_days: float = Field(
        default=0,
        ge=0,
        le=36_500,
        allow_inf_nan=False,
        description="Age in days from which a job collects what nothing in a context needs; 0: only when told to.",
    )
    request_seconds: float = Field(
        default=10.0, gt=0, description="Seconds after which a server gives a request up; bundles take their time."
    )
    requests_at_once: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Requests that read, and as many that write, that a process works on at once; others wait.",
    )
    log_level: _Level = Field(
        default="WARNING",
        description="Lowest level that is logged, to standard error; WARNING has failed requests, INFO all of them.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How a line of the log is written.")
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="What Prometheus sends as a bearer token to /metrics; empty: no such route."
    )
    metrics_folder: str = Field(
        default="", description="Where several workers add their figures up; `serve --workers` makes one."
    )
    sentry_dsn: SecretStr = Field(default=SecretStr(""), description="Where unexpected errors are told, if anywhere.")
    otlp_endpoint: str = Field(
        default="", pattern=_ADDRESS, description="Base URL of an OpenTelemetry collector for spans, if any."
    )

    @classmethod
    def given(cls, **values: object) -> Self:
        """The settings of the environment, with `values` above it.

        Raises:
            InvalidInputError: a setting is missing or of the wrong kind; it is named, and what it says is not quoted.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            name = f"COMMONTRACE_{first['loc'][0]}".upper()
            raise InvalidInputError(
                f"The setting {name} is {'missing' if first['type'] == 'missing' else 'wrong: ' + first['msg']}.",
                "See docs/configuration.md.",
            ) from None

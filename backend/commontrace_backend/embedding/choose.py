"""Which embedder the settings ask for, and why there is none."""

from importlib.util import find_spec
from pathlib import Path

from commontrace.errors import InvalidInputError
from commontrace_backend.embedding.in_memory import InMemoryEmbedder
from commontrace_backend.embedding.minilm import MiniLmEmbedder, installed, packaged_model
from commontrace_backend.embedding.protocol import Embedder
from commontrace_backend.settings import BackendSettings


def choose_embedder(settings: BackendSettings) -> Embedder | None:
    """The embedder to use, or None for words alone; loads no model and opens no connection.

    Raises:
        InvalidInputError: an embedder is named whose extra is not installed, or whose endpoint is not.
    """
    kind = settings.embedder
    if kind == "auto":
        kind = "endpoint" if settings.embed_url else "local" if installed() and _has_model(settings) else "none"
    match kind:
        case "endpoint":
            return _endpoint(settings)
        case "local":
            return MiniLmEmbedder(Path(settings.embed_model_path).expanduser() if settings.embed_model_path else None)
        case "in-memory":
            return InMemoryEmbedder()
        case _:
            return None


def _has_model(settings: BackendSettings) -> bool:
    return bool(settings.embed_model_path) or packaged_model() is not None


def _endpoint(settings: BackendSettings) -> Embedder:
    if not find_spec("numpy"):
        raise InvalidInputError(
            "Vectors from an endpoint need an extra that is not installed.",
            "Run pip install 'commontrace[endpoint]', or set COMMONTRACE_EMBEDDER=none.",
        )
    if not settings.embed_url or not settings.embed_model:
        raise InvalidInputError(
            "The embedding endpoint is not named.", "Set COMMONTRACE_EMBED_URL and COMMONTRACE_EMBED_MODEL."
        )
    from commontrace_backend.embedding.endpoint import Endpoint, EndpointEmbedder

    key = settings.embed_key.get_secret_value()
    return EndpointEmbedder(Endpoint(settings.embed_url, settings.embed_model, key, settings.embed_dimensions))

"""Summaries by a model, over HTTP."""

from typing import Any, Final, Protocol

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from commontrace._summarizing import (
    TRIES,
    Answer,
    AnthropicDialect,
    Dialect,
    OpenAIDialect,
    PassingError,
    SummaryRequest,
    Turn,
    complaint,
    failure,
    opening,
    unusable,
    words_of,
)
from commontrace._tls import authorities
from commontrace.errors import AuthenticationError, BackendError, InvalidInputError, UnavailableError

_TIMEOUT: Final = 120.0
_SOON: Final = wait_random_exponential(multiplier=0.2, max=5)


class Summarizer(Protocol):
    """Anything that is called with a request and gives the text of its summary; a function will do."""

    def __call__(self, request: SummaryRequest, /) -> str:
        """Summarise; the text has at most `request.target_tokens` tokens."""
        ...


class _Endpoint:
    """Asks, and once more where the answer is too long or lacks what must be kept."""

    def __init__(self, dialect: Dialect, base_url: str, model: str, api_key: str, timeout: float) -> None:
        if not api_key.isascii() or not api_key.isprintable():
            raise InvalidInputError("The summarizer's key has characters that no key has.", "Copy it again.")
        self._dialect = dialect
        self._url = base_url.rstrip("/") + dialect.path
        self._model = model
        self._key = api_key
        self._timeout = timeout

    def __call__(self, request: SummaryRequest) -> str:
        """Summarise.

        Raises:
            AuthenticationError: the key is refused.
            RateLimitedError: too many requests, after four tries or for longer than half a minute.
            UnavailableError: the endpoint does not answer, in time or at all.
            NotFoundError: there is no such model or path.
            InvalidInputError: the request is refused, as it is when the messages are longer than the model takes.
            BackendError: the answer is no summary, or empty; or still too long, or without what must be kept, when it
                was asked for again.
        """
        turns = opening(request)
        answer = self._answered(turns, request.target_tokens)
        wrong = complaint(request, answer)
        if wrong:
            turns += [{"role": "assistant", "content": answer.text}, {"role": "user", "content": wrong}]
            answer = self._answered(turns, request.target_tokens)
            if complaint(request, answer):
                raise unusable(request, answer)
        return answer.text

    def _answered(self, turns: list[Turn], target_tokens: int) -> Answer:
        body = self._dialect.body(self._model, turns, target_tokens)
        retrying = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=_patience,
            retry=retry_if_exception_type(PassingError),
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt:
                    return self._read(self._sent(body))
        except PassingError as passing:
            raise passing.error from passing
        raise AssertionError("tenacity tries at least once")

    def _sent(self, body: dict[str, Any]) -> Any:
        headers = self._dialect.headers(self._key)
        try:
            with httpx2.Client(headers=headers, timeout=self._timeout, verify=authorities()) as client:
                response = client.post(self._url, json=body)
        except httpx2.ReadTimeout as error:  # another try would wait, and be paid for, once more
            raise UnavailableError(
                f"The summarizer's endpoint {self._host()} did not answer within {self._timeout:g} seconds.",
                "Give it longer with timeout, or summarise fewer messages.",
            ) from error
        except httpx2.InvalidURL as error:
            raise InvalidInputError("The summarizer's base_url is no URL.", "Use one as in https://host/v1.") from error
        except httpx2.HTTPError as error:
            said = f"The summarizer's endpoint {self._host()} cannot be reached ({type(error).__name__})."
            raise PassingError(UnavailableError(said, "Check base_url and the network.")) from error
        answer = _parsed(response)
        if response.status_code != httpx2.codes.OK:
            raise failure(response.status_code, response.headers, self._host(), words_of(answer, self._key))
        return answer

    def _read(self, document: Any) -> Answer:
        try:
            answer = self._dialect.read(document)
        except (LookupError, TypeError, AttributeError) as error:
            raise BackendError(
                f"The summarizer's endpoint {self._host()} does not answer as it should.", "Check base_url and model."
            ) from error
        if not answer.text:
            raise BackendError("The model's summary is empty.", "Try again, or take another model.")
        return answer

    def _host(self) -> str:
        """Never a key or a password that the URL may hold."""
        return httpx2.URL(self._url).host or "without a host"


def _patience(state: RetryCallState) -> float:
    """As long as the endpoint asks for, else a fraction of a second that grows."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, PassingError) else None
    return _SOON(state) if asked is None else asked


def _parsed(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


class OpenAISummarizer(_Endpoint):
    """Summaries by `/chat/completions`: OpenAI, Ollama, llama.cpp, vLLM and others."""

    def __init__(self, base_url: str, model: str, api_key: str = "", *, timeout: float = _TIMEOUT) -> None:
        """Nothing is asked yet.

        Args:
            base_url: as in `https://api.openai.com/v1` or `http://127.0.0.1:11434/v1`.
            model: as the endpoint names it.
            api_key: of the endpoint; local ones want none.
            timeout: seconds for one answer.

        Raises:
            InvalidInputError: the key has characters that no key has.
        """
        super().__init__(OpenAIDialect(), base_url, model, api_key, timeout)


class AnthropicSummarizer(_Endpoint):
    """Summaries by Anthropic's `/v1/messages`."""

    def __init__(
        self, model: str, api_key: str, *, base_url: str = "https://api.anthropic.com", timeout: float = _TIMEOUT
    ) -> None:
        """Nothing is asked yet.

        Args:
            model: as Anthropic names it.
            api_key: an API key of theirs.
            base_url: where `/v1/messages` is.
            timeout: seconds for one answer.

        Raises:
            AuthenticationError: there is no key.
            InvalidInputError: the key has characters that no key has.
        """
        if not api_key:
            raise AuthenticationError("Anthropic wants a key.", "Pass api_key, as its console shows it.")
        super().__init__(AnthropicDialect(), base_url, model, api_key, timeout)

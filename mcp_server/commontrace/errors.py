"""Every error CommonTrace raises, the same class on both sides of the wire.

::

    CommonTraceError                    code, detail, hint, status, retryable
    ├── RequestError                    the caller can mend it
    │   ├── InvalidInputError           422 invalid_input
    │   │   └── LowQualityError         422 low_quality
    │   ├── AuthenticationError         401 unauthenticated
    │   ├── ForbiddenError              403 forbidden
    │   ├── NotFoundError               404 not_found
    │   ├── TooLargeError               413 too_large
    │   ├── UnsupportedBodyError        415 unsupported_body
    │   ├── SlowBodyError               408 slow_body             (retry)
    │   ├── RateLimitedError            429 rate_limited          (retry)
    │   └── ConflictError               409 conflict
    │       ├── NearDuplicateError      409 near_duplicate
    │       ├── NotShownError           409 not_shown
    │       ├── IdempotencyError        409 idempotency_mismatch
    │       ├── AmbiguousRefError       409 ambiguous_ref
    │       ├── RefMovedError           409 ref_moved             (retry)
    │       ├── MergeConflictError      409 merge_conflict
    │       └── BudgetExceededError     409 budget_exceeded
    └── BackendError                    not the caller's doing
        ├── InternalError               500 internal
        ├── UnavailableError            503 unavailable           (retry)
        ├── StoreBusyError              503 store_busy            (retry)
        ├── StoreUnusableError          503 store_unusable
        └── NewerSchemaError            503 newer_schema

`code` is stable and travels; `detail` says what failed; `hint` says the exact next step.
"""

from typing import ClassVar


class CommonTraceError(Exception):
    """The root. `detail` is one sentence; `hint` is what to do next, possibly empty."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, hint: str = "", extra: dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.extra = extra or {}

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}".strip()


class RequestError(CommonTraceError):
    """The request cannot be served as it stands; the caller can change it."""

    code, status = "bad_request", 400


class InvalidInputError(RequestError):
    """A value is missing, of the wrong type, too long or malformed."""

    code, status = "invalid_input", 422


class LowQualityError(InvalidInputError):
    """A contribution says too little to help anyone; `extra["reasons"]` lists what to improve."""

    code, status = "low_quality", 422


class AuthenticationError(RequestError):
    """No key, or one that is wrong, expired or revoked."""

    code, status = "unauthenticated", 401


class ForbiddenError(RequestError):
    """The key is good but may not do this."""

    code, status = "forbidden", 403


class NotFoundError(RequestError):
    """Nothing by that name that this caller may see."""

    code, status = "not_found", 404


class TooLargeError(RequestError):
    """The body is over the limit of its route."""

    code, status = "too_large", 413


class UnsupportedBodyError(RequestError):
    """The body is of a kind that the route does not take."""

    code, status = "unsupported_body", 415


class SlowBodyError(RequestError):
    """The body stopped arriving before its end."""

    code, status, retryable = "slow_body", 408, True


class RateLimitedError(RequestError):
    """Too many requests for now."""

    code, status, retryable = "rate_limited", 429, True


class ConflictError(RequestError):
    """The request contradicts what is stored."""

    code, status = "conflict", 409


class NearDuplicateError(ConflictError):
    """The store already knows this; `extra["matches"]` names it. Nothing was stored."""

    code = "near_duplicate"


class NotShownError(ConflictError):
    """A vote on a version that this caller was never shown."""

    code = "not_shown"


class IdempotencyError(ConflictError):
    """An idempotency key was used again for different content."""

    code = "idempotency_mismatch"


class AmbiguousRefError(ConflictError):
    """A prefix names more than one object; `extra["candidates"]` lists them."""

    code = "ambiguous_ref"


class RefMovedError(ConflictError):
    """Somebody moved the ref first: the compare-and-set failed and nothing was written."""

    code, retryable = "ref_moved", True


class MergeConflictError(ConflictError):
    """The merge has conflicts that the chosen strategy does not settle."""

    code = "merge_conflict"


class BudgetExceededError(ConflictError):
    """The window would not fit the budget that came with the commit. Nothing was stored."""

    code, status = "budget_exceeded", 409


class BackendError(CommonTraceError):
    """Something behind the request failed."""

    code = "backend_error"


class InternalError(BackendError):
    """A defect of ours; the log on the server's side has the details."""

    code, status = "internal", 500


class UnavailableError(BackendError):
    """The backend did not answer."""

    code, status, retryable = "unavailable", 503, True


class StoreBusyError(BackendError):
    """Other processes held the store's write lock for longer than we wait."""

    code, status, retryable = "store_busy", 503, True


class StoreUnusableError(BackendError):
    """The store cannot be opened or written: corrupt, read-only, full or not a database."""

    code, status = "store_unusable", 503


class NewerSchemaError(BackendError):
    """The store was written by a newer CommonTrace; it was left untouched."""

    code, status = "newer_schema", 503


def _tree(root: type[CommonTraceError]) -> dict[str, type[CommonTraceError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_tree(child))
    return found


BY_CODE: dict[str, type[CommonTraceError]] = _tree(CommonTraceError)
"""Code on the wire to the class that is raised for it."""

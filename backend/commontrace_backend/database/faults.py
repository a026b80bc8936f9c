"""What a driver's error means for the caller."""

from commontrace.errors import CommonTraceError, InternalError, StoreBusyError, StoreUnusableError

_MEANINGS: tuple[tuple[str, type[CommonTraceError], str, str], ...] = (
    (
        "database is locked",
        StoreBusyError,
        "The store is locked by another program.",
        "Try again in a moment.",
    ),
    (
        "database or disk is full",
        StoreUnusableError,
        "The disk is full; nothing was written.",
        "Free some room and try again.",
    ),
    (
        "readonly database",
        StoreUnusableError,
        "The store is read-only; nothing was written.",
        "Give this user write permission on the file and its folder, or set COMMONTRACE_URL to another place.",
    ),
    (
        "unable to open database file",
        StoreUnusableError,
        "The store's file cannot be opened.",
        "Check that its folder exists and is writable, or set COMMONTRACE_URL to another place.",
    ),
    (
        "malformed",
        StoreUnusableError,
        "The store's file is damaged; it was left as it is.",
        "Keep the file, restore a backup beside it, or point COMMONTRACE_URL to a new one.",
    ),
    (
        "not a database",
        StoreUnusableError,
        "The file is not a CommonTrace store; it was left as it is.",
        "Point COMMONTRACE_URL to another file.",
    ),
    (
        "disk I/O error",
        StoreUnusableError,
        "The disk reported an error; nothing was written.",
        "Check the disk, then try again.",
    ),
)


def meaning_of(error: BaseException) -> CommonTraceError:
    """The error of ours that tells the caller what to do about a driver's error."""
    text = str(error)
    for needle, kind, detail, hint in _MEANINGS:
        if needle in text:
            return kind(detail, hint)
    return InternalError("The database refused a statement.", "This is a defect of ours; please report it.")

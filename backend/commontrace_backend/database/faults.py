"""What a driver's error means for the caller."""

from typing import Final

from sqlalchemy.exc import DBAPIError

from commontrace.errors import (
    CommonTraceError,
    InternalError,
    InvalidInputError,
    StoreBusyError,
    StoreUnusableError,
    UnavailableError,
)

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
    # What is shared beside the file could not be made as large as it must be: no other error says less of its cause.
    no_room = getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE"
    text = "database or disk is full" if no_room else str(error)
    for needle, kind, detail, hint in _MEANINGS:
        if needle in text:
            return kind(detail, hint)
    return _defect()


_Meaning = tuple[type[CommonTraceError], str, str]

_LOST: _Meaning = (UnavailableError, "The connection to the database was lost.", "Try again in a moment.")
_REFUSED: _Meaning = (
    StoreUnusableError,
    "The PostgreSQL server refused the user or the password.",
    "Correct them in the URL.",
)
_FULL: _Meaning = (
    StoreUnusableError,
    "The PostgreSQL server's disk is full; nothing was written.",
    "Free some room there and try again.",
)
_DAMAGED: _Meaning = (
    StoreUnusableError,
    "The PostgreSQL server reports damaged data or a failing disk.",
    "Look into its log, and restore a backup where it is needed.",
)
_CONTENDED: _Meaning = (StoreBusyError, "Other writers were in the way; nothing was written.", "Try again.")

_UNKEEPABLE: _Meaning = (
    InvalidInputError,
    "A value is of a kind or size that the database cannot hold.",
    "Send a text without NUL characters, or a smaller number.",
)

_MISWRITTEN: _Meaning = (
    InvalidInputError,
    "The database's URL is incomplete, or has a parameter that PostgreSQL does not know.",
    "Write postgresql://user:password@host:5432/name; other parameters follow a question mark.",
)

_BY_STATE: dict[str, _Meaning] = {
    "22003": _UNKEEPABLE,
    "22021": _UNKEEPABLE,
    "22P05": _UNKEEPABLE,
    "28000": _REFUSED,
    "28P01": _REFUSED,
    "3D000": (
        StoreUnusableError,
        "There is no database of that name on the PostgreSQL server.",
        "Create it, or correct the URL.",
    ),
    "25006": (
        StoreUnusableError,
        "The database is read-only; nothing was written.",
        "Connect to the primary server, or to a role that may write.",
    ),
    "42704": _MISWRITTEN,  # a setting of the connection that the server does not have
    "42501": (
        StoreUnusableError,
        "The database's role lacks a permission.",
        "Grant it CREATE on the schema, and let an administrator run CREATE EXTENSION vector once.",
    ),
    "42P07": (
        StoreUnusableError,
        "The database holds other tables of the same names; it was left as it is.",
        "Point COMMONTRACE_URL to an empty database.",
    ),
    "53100": _FULL,
    "53300": (StoreBusyError, "The PostgreSQL server has no free connection.", "Try again in a moment."),
    "55P03": (
        StoreBusyError,
        "Other writers kept the database's write lock for too long.",
        "Try again; if it stays so, look for a hung commontrace process.",
    ),
    "57014": (StoreBusyError, "The database took too long and was stopped.", "Try again in a moment."),
    "57P03": (UnavailableError, "The PostgreSQL server is starting or stopping.", "Try again in a moment."),
    "58030": _DAMAGED,
}
"""Meanings of SQLSTATE codes (PostgreSQL manual, appendix A)."""

_BY_CLASS: dict[str, _Meaning] = {"08": _LOST, "40": _CONTENDED, "57": _LOST, "XX": _DAMAGED}
"""Meanings of the classes that the codes' first two characters name."""

_UNREACHED: _Meaning = (
    UnavailableError,
    "No PostgreSQL server answers at the URL.",
    "Check that it runs, and the URL's host and port.",
)


def meaning_of_postgres(error: BaseException) -> CommonTraceError:
    """The error of ours for one of PostgreSQL, of its driver, or of the network before it.

    None repeats what the server said: a URL that was read wrongly may have put its password anywhere.
    """
    from asyncpg.exceptions import ClientConfigurationError

    state = sqlstate_of(error)
    meaning: _Meaning | None
    if isinstance(error, OSError):
        meaning = _UNREACHED
    elif isinstance(error.__cause__, ClientConfigurationError):
        meaning = _MISWRITTEN
    elif "value out of int" in str(error):  # the driver looks before the server does
        meaning = _UNKEEPABLE
    elif state:
        meaning = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    else:  # the driver's own: a value that it cannot send is a defect, the rest are connections that are gone
        meaning = None if isinstance(error.__cause__, ValueError) else _LOST
    return meaning[0](*meaning[1:]) if meaning else _defect()


_PASSING: Final = frozenset({"53300", "57P03"})


def is_starting(error: BaseException) -> bool:
    """Whether a server that refuses a connection may take it in a moment: it starts, stops, or has none free."""
    cause = getattr(error, "orig", None) or error
    return sqlstate_of(cause) in _PASSING or isinstance(cause, ConnectionResetError)


def was_lost(error: CommonTraceError) -> bool:
    """Whether a request failed because its connection went, or its transaction was in the way of another one.

    What was only read may be asked for again at once. A statement that took too long is none of these.
    """
    if not isinstance(error, (UnavailableError, StoreBusyError)) or not isinstance(error.__cause__, DBAPIError):
        return False
    state = sqlstate_of(error.__cause__.orig)
    return error.__cause__.connection_invalidated or (state != "57014" and state[:2] in {"08", "40", "57"})


def sqlstate_of(error: BaseException | None) -> str:
    """The SQLSTATE that PostgreSQL gave an error; empty where it is none of the server's."""
    return str(getattr(error, "sqlstate", None) or "")


def _defect() -> InternalError:
    return InternalError("The database refused a statement.", "This is a defect of ours; please report it.")

"""What Pydantic found wrong, in one sentence of ours."""

from pydantic import ValidationError

from commontrace.errors import InvalidInputError


def worded(error: ValidationError, where: str = "") -> InvalidInputError:
    """Pydantic's findings in one sentence that names the field and what it must be."""
    findings = error.errors(include_url=False, include_context=False, include_input=False)
    first = findings[0]
    place = ".".join(str(part) for part in first["loc"]) or "the value"
    if first["type"] == "missing":
        said = f"{place} is missing"
    elif first["type"] == "extra_forbidden":
        said = f"there is no field {place}"
    else:
        message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        said = f"{place}: {message[0].lower()}{message[1:]}"
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    return InvalidInputError(f"{where}{said}{more}.", "Correct it and try again.")

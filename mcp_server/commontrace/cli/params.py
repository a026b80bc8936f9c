"""Types of arguments: what can be told wrong before anything is asked."""

import re
from typing import Final

import click

from commontrace.models.traces import PackageRange

_ID: Final = re.compile(r"[0-9a-f]{6,32}\Z")
_TARGET: Final = re.compile(r"[0-9a-f]{6,64}\Z")
_SHORT: Final = re.compile(r"[0-9a-f]{16}\Z")
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9.+#_-]{0,49}\Z")
_PACKAGE: Final = re.compile(r"(?P<name>[A-Za-z0-9@/._-]+?)(?:\[[^\]]*\])?(?:\s*==\s*|\s+|@(?=\d))(?P<versions>\S+)\Z")


class TraceId(click.ParamType[str, str]):
    """A trace id or its first six or more digits."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower case, checked."""
        if not _ID.match(value.lower()):
            self.fail(f"{value!r} is not the id of a trace: 6 to 32 hexadecimal digits.", param, ctx)
        return value.lower()


class LinkTarget(click.ParamType[str, str]):
    """A trace or a context commit."""

    name = "target"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower case, checked."""
        if not _TARGET.match(value.lower()):
            self.fail(f"{value!r} is not the id of a trace or a commit: 6 to 64 hexadecimal digits.", param, ctx)
        return value.lower()


class RecordId(click.ParamType[str, str]):
    """The id of an amendment or a flag."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower case, checked."""
        if not _SHORT.match(value.lower()):
            self.fail(f"{value!r} is not such an id: 16 hexadecimal digits.", param, ctx)
        return value.lower()


class Tag(click.ParamType[str, str]):
    """A tag."""

    name = "tag"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Lower case, checked."""
        if not _TAG.match(value.lower()):
            self.fail(f"{value!r} is not a tag: letters, digits and . + # _ -, at most 50.", param, ctx)
        return value.lower()


class Package(click.ParamType[PackageRange, str]):
    """A package with the version that is installed, as in `pydantic==2.11.3`."""

    name = "name==version"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> PackageRange:
        """Name and version."""
        found = _PACKAGE.match(value.strip())
        if found is None:
            self.fail(f"{value!r} is not NAME==VERSION.", param, ctx)
        return PackageRange(name=found["name"], versions=found["versions"])


TRACE_ID: Final = TraceId()
LINK_TARGET: Final = LinkTarget()
RECORD_ID: Final = RecordId()
TAG: Final = Tag()
PACKAGE: Final = Package()

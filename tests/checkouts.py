"""A project's checkout whose files a test writes."""

from pathlib import Path

from commontrace.environment import read_environment


class Checkout:
    """A git checkout with the files that a test gives it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        (top / ".git").mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def packages(self, folder: str = ".") -> list[str]:
        """Name and version of each package that is read there, in order."""
        return [f"{item.name} {item.versions}" for item in read_environment(self.top / folder).packages]

    def language(self, folder: str = ".") -> str | None:
        """The language that is read there."""
        return read_environment(self.top / folder).language

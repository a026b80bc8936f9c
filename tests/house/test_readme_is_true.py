"""Every example of the README and of the docs runs, on a machine where nothing has been set up."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.readme import OURSELVES, Folder, examples
from house.sources import ROOT, place
from house.warm import warm_commands

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if any(examples(path.read_text(encoding="utf-8")))
]


INSTALLED = Path(sys.executable).parent


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with warm_commands(tmp_path_factory.mktemp("warm")) as scripts:
        yield scripts


def run_all(page: str, home: Path, scripts: Path = INSTALLED) -> None:
    folder = Folder(home, scripts)
    for example in examples(page):
        folder.run(example)


def test_the_readme_shows_the_shell_and_python() -> None:
    assert {example.kind for example in examples(README)} == {"shell", "python"}


@pytest.mark.parametrize("path", PAGES, ids=place)
def test_every_example_of_a_page_runs_from_top_to_bottom(path: Path, tmp_path: Path, warm: Path) -> None:
    run_all(path.read_text(encoding="utf-8"), tmp_path, warm)


def test_the_ci_runs_the_command_that_the_readme_gives_for_the_tests() -> None:
    assert OURSELVES in [example.text for example in examples(README)]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ci.splitlines()[-1] == '"${uv[@]}" ' + OURSELVES.removeprefix("uv ") + " </dev/null"
    assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page",
    [
        "```python\nraise SystemExit(3)\n```\n",
        "```python\nimport commontrace\ncommontrace.no_such_name\n```\n",
        "```console\n$ python -c 'raise SystemExit(1)'\n```\n",
        "```console\n$ no-such-command --at-all\n```\n",
        "```console\n$ python -c 'print(1)'\n2\n```\n",
        "```bash\n$ python -c 'print(1)'\n$ python -c 'raise ValueError'\n```\n",
    ],
)
def test_a_broken_example_is_noticed(page: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_all(page, tmp_path)


@pytest.mark.parametrize(
    "page",
    [
        "```python\nopen('left', 'w').close()\n```\n\n```console\n$ python -c \"open('left')\"\n```\n",
        "```console\n$ uv run python -c \"print('one two three')\"\none … three\n```\n",
        "```text\n$ no-such-command --at-all\n```\n",
        "````console\n$ python -c \\\n  'pass'\n````\n",
    ],
)
def test_a_good_example_passes_and_text_is_not_run(page: str, tmp_path: Path) -> None:
    run_all(page, tmp_path)

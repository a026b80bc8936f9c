"""What a solution would run, install and reach is read off it."""

import time

import pytest

from commontrace.safety.risks import risks_of


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("```bash\n$ make test\n\n# a comment\ncd x && ls\n```", ["make test", "cd x && ls"]),
        ("  ```console\n  $ ls\n  ```", ["ls"]),
        ("```sh\ncurl a \\\n  -o b\n```", ["curl a    -o b"]),
        ("Then:\n  $ rm -rf build\nand done", ["rm -rf build"]),
        ("Run `pip install x` or `git push`, not `x = 1`.", ["pip install x", "git push"]),
        ("```python\nimport os\n```", []),
        ("costs $ 5 and `pip`", []),
        ("$ ls\n$ ls", ["ls"]),
    ],
)
def test_commands_are_found(text: str, commands: list[str]) -> None:
    assert risks_of(text).commands == commands


@pytest.mark.parametrize(
    ("command", "packages"),
    [
        ("pip install -U requests 'pydantic>=2' httpx[http2]", ["requests", "pydantic>=2", "httpx[http2]"]),
        ("python -m pip install -r requirements.txt flask", ["flask"]),
        ("uv add --group dev pytest && uv run pytest", ["pytest"]),
        ("npm i -D typescript; npm test", ["typescript"]),
        ("npm install @types/node|cat", ["@types/node"]),
        ("sudo apt-get install -y curl && rm x", ["curl"]),
        ("pip install -i https://x.invalid/simple thing", ["thing"]),
        ("pip install . ./x ~/y /z $NAME", []),
        ("npx create-thing --yes app", ["create-thing"]),
        ("cargo add serde --features derive", ["serde"]),
        ("docker run app", []),
        ("pip install 'unclosed", ["'unclosed"]),
        ("git commit -m 'pip install x'", []),
    ],
)
def test_packages_are_found_in_commands(command: str, packages: list[str]) -> None:
    assert risks_of(f"```sh\n{command}\n```").packages == packages


def test_addresses_are_found() -> None:
    text = (
        "See https://docs.invalid/a?b=c#d, (http://x.invalid/y). <https://z.invalid> ftp://no.invalid https://z.invalid"
    )
    assert risks_of(text).urls == ["https://docs.invalid/a?b=c#d", "http://x.invalid/y", "https://z.invalid"]


def test_what_is_kept_is_bounded() -> None:
    lines = [f"pip install package{number} # https://x{number}.invalid {'a' * 500}" for number in range(50)]
    risks = risks_of("```sh\n" + "\n".join(lines) + "\n```")
    assert (len(risks.commands), len(risks.packages), len(risks.urls)) == (20, 20, 20)
    assert max(map(len, risks.commands)) == 300


@pytest.mark.parametrize(
    "unit", ["```sh\n", "```sh", "$ ", "\n$ ", "`git ", "`", "http://", " ", "\t\n", "$ pip install '"]
)
def test_the_worst_text_of_64_kib_takes_no_time(unit: str) -> None:
    started = time.process_time()
    assert risks_of("https://end.invalid\n" + unit * (64 * 1024 // len(unit))).urls[0] == "https://end.invalid"
    assert time.process_time() - started < 10

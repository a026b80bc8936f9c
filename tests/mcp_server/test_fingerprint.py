"""One key for one failure, wherever and whenever it is seen."""

import json
import time
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.fingerprint import fingerprint, normalise


def read(name: str) -> list[dict[str, str]]:
    """The rows of a file beside the recordings."""
    path = Path(__file__).parent / "fingerprints" / f"{name}.json"
    rows: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


# Each pair is one failure seen at two places, times or versions; each row is a failure of its own.
SAME = {
    "python module": (
        (
            'Traceback (most recent call last):\n  File "/home/ann/main.py", line 3, in <module>\n    import numpy\n'
            "ModuleNotFoundError: No module named 'numpy'"
        ),
        (
            'Traceback (most recent call last):\n  File "C:\\work\\x\\run.py", line 914, in go\n    import numpy\n'
            "ModuleNotFoundError: No module named 'numpy'\n"
        ),
    ),
    "python key": ("KeyError: 'user_id'", "  File \"/srv/a.py\", line 9, in f\n    d[x]\nKeyError: 'user_id'"),
    "python database locked": (
        "sqlite3.OperationalError: database is locked",
        '  File "/x/y/db.py", line 77, in execute\nsqlite3.OperationalError: database is locked',
    ),
    "python attribute address": (
        "AttributeError: '<Foo object at 0x7f3a2c1d5e80>' object has no attribute 'run'",
        "AttributeError: '<Foo object at 0x10a4bb0d0>' object has no attribute 'run'",
    ),
    "python file": (
        "FileNotFoundError: [Errno 2] No such file or directory: '/home/ann/p/config.yaml'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ci/build-7/config.yaml'",
    ),
    "pydantic": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
        "pydantic_core._pydantic_core.ValidationError: 3 validation errors for Settings".replace("errors", "error"),
    ),
    "python connection": (
        "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)",
        "ConnectionRefusedError: [Errno 111] Connect call failed ('10.0.7.31', 6543)",
    ),
    "pytest": (
        "FAILED tests/test_app.py::test_login - AssertionError: assert 401 == 200",
        "FAILED tests/unit/test_app.py::test_login - AssertionError: assert 403 == 200",
    ),
    "pip resolution": (
        "ERROR: Could not find a version that satisfies the requirement torch==2.1.0 (from versions: none)",
        "ERROR: Could not find a version that satisfies the requirement torch==2.4.1 (from versions: none)",
    ),
    "pip wheel": (
        "error: subprocess-exited-with-error\nERROR: Failed building wheel for psycopg2",
        "\x1b[31merror\x1b[0m: subprocess-exited-with-error\nERROR: Failed building wheel for psycopg2",
    ),
    "node module": (
        "Error: Cannot find module 'express'\n    at Function.Module._resolveFilename (node:internal/x:933:15)",
        "Error: Cannot find module 'express'\n    at Module._resolveFilename (node:internal/modules/cjs:1048:15)",
    ),
    "node type": (
        "TypeError: Cannot read properties of undefined (reading 'map')\n    at App (/src/App.jsx:12:8)",
        "TypeError: Cannot read properties of undefined (reading 'map')\n    at List (C:\\web\\List.jsx:7:31)",
    ),
    "node port": (
        "Error: listen EADDRINUSE: address already in use :::3000",
        "Error: listen EADDRINUSE: address already in use :::8080",
    ),
    "npm resolve": (
        (
            "npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree\nnpm ERR! A complete log of "
            "this run can be found in: /home/a/.npm/_logs/2026-01-02T03_04_05_678Z-debug-0.log"
        ),
        (
            "npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree\nnpm ERR! A complete log of "
            "this run can be found in: C:\\Users\\b\\npm-cache\\_logs\\2025-11-12T13_14_15_999Z-debug-0.log"
        ),
    ),
    "typescript": (
        "src/app.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.",
        "web/src/app.ts(301,17): error TS2322: Type 'string' is not assignable to type 'number'.",
    ),
    "typescript pretty": (
        "src/index.ts:10:7 - error TS2304: Cannot find name 'process'.",
        "lib/index.ts:999:1 - error TS2304: Cannot find name 'process'.",
    ),
    "rust borrow": (
        (
            "error[E0502]: cannot borrow `v` as mutable because it is also borrowed as immutable\n --> src/a.rs:6:5\n"
            "  |\n5 |     let first = &v[0];\n  |                  - immutable borrow occurs here"
        ),
        "error[E0502]: cannot borrow `v` as mutable because it is also borrowed as immutable\n --> x/lib.rs:66:15",
    ),
    "rust panic": (
        "thread 'main' panicked at src/main.rs:4:10:\ncalled `Option::unwrap()` on a `None` value, panic",
        "thread 'main' panicked at core/main.rs:44:1:\ncalled `Option::unwrap()` on a `None` value, panic",
    ),
    "cargo": (
        "error: failed to select a version for `openssl-sys`.",
        "  \nerror: failed to select a version for `openssl-sys`.\n\n",
    ),
    "go undefined": ("./main.go:9:2: error: undefined: foo", "pkg/x/main.go:190:22: error: undefined: foo"),
    "go panic": (
        "panic: runtime error: index out of range [5] with length 3",
        "panic: runtime error: index out of range [17] with length 4",
    ),
    "java null": (
        'Exception in thread "main" java.lang.NullPointerException\n\tat com.acme.Main.run(Main.java:14)',
        'Exception in thread "main" java.lang.NullPointerException\n\tat com.acme.x.Boot.go(Boot.java:214)',
    ),
    "maven": (
        "[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile on project web",
        "[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.8.1:compile on project web",
    ),
    "gcc": (
        "/home/a/p/main.c:10:5: error: expected ';' before 'return'",
        "src/main.c:4:31: error: expected ';' before 'return'",
    ),
    "linker": (
        "/usr/bin/ld: cannot find -lssl: No such file or directory",
        "/opt/gcc/bin/ld: cannot find -lssl: No such file or directory",
    ),
    "shell command": ("bash: line 3: jq: command not found", "bash: line 77: jq: command not found"),
    "shell permission": (
        "/usr/local/bin/deploy: Permission denied",
        "/home/ci/bin/deploy: Permission denied",
    ),
    "docker daemon": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "Cannot connect to the Docker daemon at unix:///home/u/.colima/docker.sock. Is the docker daemon running?",
    ),
    "docker pull": (
        "Error response from daemon: manifest for acme/web@sha256:1f2e3d4c5b6a79881f2e3d4c5b6a7988 not found",
        "Error response from daemon: manifest for acme/web@sha256:aaaabbbbccccddddaaaabbbbccccdddd not found",
    ),
    "postgresql role": (
        '2026-01-02 03:04:05.678 UTC [123] FATAL:  role "app" does not exist',
        '2025-09-30 23:59:59.001 UTC [98765] FATAL:  role "app" does not exist',
    ),
    "postgresql url": (
        "error: connection to postgresql://ann:pw@db1:5432/app failed: timeout",
        "error: connection to postgresql://bob@10.1.2.3/app failed: timeout",
    ),
    "postgresql unique": (
        'ERROR:  duplicate key value violates unique constraint "users_pkey"',
        'ERROR: duplicate key value violates unique constraint "users_pkey"',
    ),
    "git": (
        "fatal: not a git repository (or any of the parent directories): .git",
        "\r\nfatal: not a git repository (or any of the parent directories): .git\r\n",
    ),
    "uuid": (
        "Error: job 5f0c1d6e-1b2a-4c3d-8e9f-0a1b2c3d4e5f failed",
        "Error: job AAAAAAAA-1b2a-4c3d-8e9f-0a1b2c3d4e5f failed",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_failure_elsewhere_has_the_same_fingerprint(name: str) -> None:
    here, there = SAME[name]
    assert normalise(here) == normalise(there)
    assert fingerprint(here) == fingerprint(there) is not None


def test_different_failures_have_different_fingerprints() -> None:
    keys = {name: fingerprint(here) for name, (here, _) in SAME.items()}
    assert len(set(keys.values())) == len(SAME) >= 30


@pytest.mark.parametrize("pair", read("near_misses"), ids=itemgetter("one"))
def test_what_tells_two_failures_apart_stays_in(pair: dict[str, str]) -> None:
    assert fingerprint(pair["one"]) != fingerprint(pair["other"])


@pytest.mark.parametrize("excerpt", read("excerpts"), ids=itemgetter("name"))
def test_the_decisive_line_alone_has_the_key_of_the_whole_output(excerpt: dict[str, str]) -> None:
    assert normalise(excerpt["whole"]) == normalise(excerpt["line"])
    assert fingerprint(excerpt["whole"]) == fingerprint(excerpt["line"]) is not None


@pytest.mark.parametrize("row", read("shapes"), ids=itemgetter("shape"))
def test_the_normal_form_reads_well(row: dict[str, str]) -> None:
    assert normalise(row["said"]) == row["shape"]


@pytest.mark.parametrize(
    "said", ["", "   \n\t ", "error", "failed", "Error: 42", "^^^^^\n~~~~", "\x1b[31m\x1b[0m", "1.2.3"]
)
def test_a_text_that_could_be_anything_has_no_fingerprint(said: str) -> None:
    assert fingerprint(said) is None


def test_a_message_that_no_rule_calls_an_error_is_known_by_its_last_line() -> None:
    one = "Compiling\nUnexpected token export in module graph"
    assert fingerprint(one) == fingerprint("Something else came before\nUnexpected token export in module graph")
    assert fingerprint(one) is not None


def test_only_the_end_of_a_very_long_log_counts() -> None:
    end = "\nRuntimeError: the cache is poisoned"
    assert fingerprint("noise " * 100_000 + end) == fingerprint("RuntimeError: the cache is poisoned")


HOSTILE = [
    "a.",
    "a/",
    "a/a.",
    "1.",
    "1:",
    "- ",
    "://",
    "error\n",
    "\x1b[",
    "\x1b]",
    "'",
    "(",
    "[",
    "a:",
    "a: ",
    "::",
    "x@y",
    "@",
    "-1",
    "0x",
    "f",
    "1,",
    "=",
    "==1,",
    "<",
    "a(",
    "host=",
    "port ",
    "\\",
    "~/",
    " at ",
    "in '/",
    "connect to ",
    "key (",
    "npm ERR! code E",
    "peer a@b from ",
    "Aa.",
    "Aa::",
    "E   assert ",
    "FAILED a::",
    "x: ",
    "panicked at '",
    "thread '",
    "expected a, found ",
    "\r",
    "\n",
    "\t",
    "user 'a'",
    "a(b: Max retries exceeded with url: ",
    "is not a valid ",
    "2026-01-01T00:00",
    "00:00:00",
    "/tmp/tmpaaaaaa",
    "404 Not Found - GET a/",
    "unexpected token ",
    "Traceback (most",
    "Caused by: ",
    "<a object at 0x",
    "connection to server ",
    "a.b:1:2: error ",
    "invalid value ",
    "| ",
    "-+--\na",
]


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("before", ["error ", "", "Traceback (most recent call last):\nValueError: "])
def test_a_hostile_text_is_read_in_time(part: str, before: str) -> None:
    # 16 kB in the time of the process, so that a busy machine fails nobody; a quadratic rule would take minutes.
    text = before + part * (16_000 // len(part))
    began = time.process_time()
    normalise(text)
    assert time.process_time() - began < 3


@given(st.text(max_size=300))
def test_any_text_is_harmless_and_gives_a_stable_answer(text: str) -> None:
    assert fingerprint(text) == fingerprint(text)
    assert fingerprint(text) is None or len(str(fingerprint(text))) == 32


def test_the_key_of_a_known_error_never_changes() -> None:
    # Stored beside traces: another value orphans them, and then VERSION has to change too.
    assert fingerprint("sqlite3.OperationalError: database is locked") == "848176768aa8a2e38d198ff2606d0611"

"""Whether the server does what its OpenAPI description says: schemathesis over real HTTP, with an admin's key.

Starts a server on a store with something of everything, so that requests get further than "not found". Ends with 1 on
any finding.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from server import contribution, served

from commontrace import connect
from commontrace.models.contexts import NewCommit
from commontrace.models.contributors import NewApiKey
from commontrace.models.traces import Contribution

# Each would end the key that asks, or wants another one.
LEFT_OUT = "/keys|/metrics"
# What no schema can say (a text that helps nobody, a NUL) is refused with 422 as well.
BEYOND_SCHEMAS = "positive_data_acceptance"


def prepare(url: str) -> tuple[str, dict[str, str]]:
    """An admin's key, and what requests may name."""
    with connect(url) as owner:
        trace = owner.traces.contribute(Contribution.model_validate(contribution("kafka worker stalls at midnight")))
        context = owner.contexts.open("seed")
        commit = context.store(NewCommit(messages=[{"role": "user", "content": "hello"}], message="first"))
        key = owner.contributors.create_key(
            NewApiKey(contributor="admin", scopes=["read", "contribute", "vote", "admin"])
        )
    return key.key, {"repository": "seed", "trace_id": str(trace.trace_id), "ref": commit.commit_id, "branch": "main"}


def ask(port: int, key: str, known: dict[str, str], given: argparse.Namespace, folder: Path) -> int:
    """Run schemathesis; its report goes to standard output."""
    config = folder / "schemathesis.toml"
    lines = [f'"path.{name}" = "{value}"' for name, value in known.items() if name != "ref"]
    lines.append(f'"query.ref" = "{known["ref"]}"')
    config.write_text("[parameters]\n" + "\n".join(lines) + "\n")
    line = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    line += [f"http://127.0.0.1:{port}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    line += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(given.examples), "--seed", str(given.seed)]
    # A bundle is no JSON, which is all that can be made up.
    line += ["--exclude-operation-id", "contexts_import_bundle", "--exclude-path-regex", LEFT_OUT]
    line += ["--exclude-checks", BEYOND_SCHEMAS, "--continue-on-failure"]
    if given.seconds:
        line += ["--max-time", str(given.seconds)]
    return subprocess.run(line, cwd=folder, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=50, help="made-up requests an operation")
    parser.add_argument("--seconds", type=int, default=0, help="0: as long as it takes")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = f"sqlite:///{folder / 'store.db'}"
        key, known = prepare(url)
        with served(url, 1, []) as (port, _):
            code = ask(port, key, known, given, folder)
    print(json.dumps({"benchmark": "openapi", "examples": given.examples, "seed": given.seed, "findings": code != 0}))
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The blocking client is the asynchronous one, generated: nobody edits it by hand."""

import subprocess
import sys

from house.sources import ROOT


def test_the_blocking_client_is_what_the_generator_writes() -> None:
    script = ROOT / "mcp_server" / "generate_sync.py"
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr

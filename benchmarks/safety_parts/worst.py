"""64 KiB of the worst text that each rule can be given: CPU seconds of a whole scan."""

import time
from pathlib import Path

from commontrace.cli.scan import scanned
from safety_parts import Table
from safety_parts._commands import HARMFUL
from safety_parts._wordings import SURROUNDED

TITLE = "Worst cases"
SIZE = 64 * 1024
UNITS = (
    "a", " ", "\n", "=", "(", "'", '"', "`", "\\", "%41", "$(", "${", "{a,", "-----BEGIN PRIVATE KEY-----", "key ",
    "token=", "password ", "password: ", "password is ", "a@b.", "://", "http://a:b", "eyJ", "curl ", "curl|",
    "rm -rf ", "sh -c '", "sudo ", "X=$X$X;", "$X", "|sh ", "```bash\n", "```\n", "\u200b", "\u0430a", "a\u0301",
    "<!--", "</", "](", "ignore all ", "YWFhYWFh", "0a ", "a b ", "1gn0r3 ", "ABCD 1234 ", "4111 1111 ", "10.1.2.",
    "a.b.", "a-1.local ", "/home/", "C:\\Users\\", '" "', '"+"', "\\\n", "Bearer ", "-p ", "--password ",
    "ct_live_", "f(){", "docker run ", "git push ", "find / ", "/dev/tcp/", "pip install ", "<user>", "=\"'`",
)  # fmt: skip


def run(data: Path) -> list[Table]:
    """The ten costliest, each doubled to show that the cost is linear."""
    del data
    units = [
        *UNITS,
        *(f"{template.replace('§', 'Xk9mPq2LrT')} " for _, _, template in SURROUNDED),
        *(f"{one}; " for one in HARMFUL),
    ]
    spent = sorted(((seconds(unit, SIZE), unit) for unit in dict.fromkeys(units)), reverse=True)
    rows = [
        {"unit": repr(unit)[:70], "s for 64 KiB": f"{cost:.2f}", "s for 32 KiB": f"{seconds(unit, SIZE // 2):.2f}"}
        for cost, unit in spent[:10]
    ]
    return [Table(f"The costliest of {len(spent)} texts", rows)]


def seconds(unit: str, size: int) -> float:
    """CPU seconds of a scan of a text made of one unit."""
    text = (unit * (size // len(unit) + 1))[:size]
    before = time.process_time()
    scanned("", text)
    return time.process_time() - before

"""Commands as processes of their own that need not import anything: forked from one that has imported it all.

The examples of the pages are a hundred commands, and each would spend nine tenths of its time on imports. Everything
else is as in a shell: its arguments, folder, environment and three streams are the command's own.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

_STREAMS: Final = 3
_MOST: Final = 1 << 20
_SHIM: Final = """\
#!{python} -IS
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
told = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(line, [len(told).to_bytes(4, "big")], [0, 1, 2])
line.sendall(told)
sys.exit(int(line.recv(4) or 99))
"""


@contextmanager
def warm_commands(folder: Path) -> Iterator[Path]:
    """A folder with `commontrace` and `trace` to be put first into a PATH."""
    address, scripts = folder / "warm", folder / "bin"
    scripts.mkdir(parents=True)
    for name in ("commontrace", "trace"):
        (scripts / name).write_text(_SHIM.format(python=sys.executable, address=str(address)), encoding="utf-8")
        (scripts / name).chmod(0o700)
    with subprocess.Popen(
        [sys.executable, __file__, str(address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == b"warm\n"
        try:
            yield scripts
        finally:
            server.terminate()


def _serve(address: str) -> NoReturn:
    _import_all()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the commands but who asked for them
        sys.stdout.write("warm\n")
        sys.stdout.flush()
        while True:
            line, _ = listener.accept()
            if not os.fork():
                listener.close()
                _become_command(line)
            line.close()


def _import_all() -> None:
    import commontrace.cli
    import commontrace_backend.app  # noqa: F401 - imported to be there
    from commontrace.safety.pipeline import screen_text

    for module in pkgutil.walk_packages(commontrace.cli.__path__, "commontrace.cli."):
        importlib.import_module(module.name)
    screen_text("a")


def _become_command(line: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(line, 4, _STREAMS)
    told = bytearray()
    while len(told) < int.from_bytes(size, "big"):
        told += line.recv(_MOST)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))  # noqa: PTH123, SIM115
    sys.argv, folder, environment = json.loads(told)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from commontrace import _entry

    code: object = 1
    try:
        code = _entry.trace() if Path(sys.argv[0]).name == "trace" else _entry.main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        traceback.print_exc()
    finally:
        with suppress(OSError):  # whoever read it may be gone
            sys.stdout.flush()
            sys.stderr.flush()
        line.sendall(str(code or 0).encode())
        os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])

"""`python -m commontrace_backend.worker`: does the jobs of the database of the settings until it is told to stop."""

import asyncio
import signal
import sys

from commontrace.errors import CommonTraceError, InvalidInputError
from commontrace_backend.app import create_app
from commontrace_backend.jobs.runner import Runner
from commontrace_backend.jobs.table import Work
from commontrace_backend.operation.logs import log_to_stderr
from commontrace_backend.settings import BackendSettings


def main() -> int:
    """Work; returns 0 once it was told to stop, 1 with one line on standard error where it cannot start."""
    try:
        asyncio.run(_work(BackendSettings.given()))
    except CommonTraceError as error:
        return _failed(str(error))
    return 0


async def _work(settings: BackendSettings) -> None:
    redis_url = settings.redis_url.get_secret_value()
    if not redis_url:
        raise InvalidInputError(
            "A worker needs a queue.",
            "Set COMMONTRACE_REDIS_URL here and for the servers; without it every server does its jobs itself.",
        )
    log_to_stderr(settings.log_level, settings.log_format)
    state = create_app(settings).state
    await state.database.open(upgrade=False)
    try:
        runner = Runner(redis_url, Work(state.upkeep, settings.gc_days), settings.job_seconds)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, runner.stop)
        sys.stderr.write("CommonTrace's worker waits for jobs; Ctrl-C stops it.\n")
        sys.stderr.flush()
        await runner.run()
    finally:
        if state.embedder:
            await state.embedder.close()
        await state.shared.close()
        await state.database.close()


def _failed(text: str) -> int:
    sys.stderr.write(f"error: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

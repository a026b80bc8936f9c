"""`commontrace jobs`: the work that a store does by itself, and what of it was given up."""

import click

from commontrace.cli.command import command
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.cli.state import open_client
from commontrace.models.jobs import Job, JobReport

_STYLES = {"resting": "dim", "waiting": "cyan", "running": "green", "dead": "bold red"}


@command("jobs")
@click.option("--retry", metavar="NAME", help="Have this job done now.")
@click.option("--all", "every", is_flag=True, help="Have all that were given up done now.")
def jobs(retry: str | None, every: bool) -> None:
    """How each job goes: resting, waiting, running, or dead, which is given up after its last try.

    A dead job is tried again with every sweep; --retry and --all do not wait for that.
    """
    if retry is not None and every:
        raise click.UsageError("Give --retry NAME or --all, not both.")
    with open_client() as client:
        report = client.jobs.retry(retry) if retry is not None or every else client.jobs.report()
    answer(report, lambda screen: _draw(screen, report))


def _draw(screen: Screen, report: JobReport) -> None:
    screen.table([_row(job) for job in report.jobs])
    if report.queue == "process":
        screen.line(("No queue: every process does its jobs itself.", "dim"))


def _row(job: Job) -> list[Part]:
    failed = f"after {counted(job.tries, 'try', 'tries')}: {job.reason}" if job.reason else ""
    return [(job.name, "bold"), (job.state, _STYLES[job.state]), failed or job.does]

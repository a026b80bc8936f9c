"""Jobs: the work that a store does by itself."""

from commontrace._sync.http import Http
from commontrace.models.jobs import JobReport, NewRetry

_JOBS = "/api/v1/jobs"


class Jobs:
    """What a store does in the background: `client.jobs`. Needs the scope `admin`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def report(self) -> JobReport:
        """How each job goes, and which were given up.

        Raises:
            UnavailableError: the server's queue is away.
        """
        return self._http.call("GET", _JOBS, JobReport)

    def retry(self, job: str | None = None) -> JobReport:
        """Have a job done now, or without a name all that were given up.

        Raises:
            NotFoundError: there is no such job.
            UnavailableError: the server's queue is away.
        """
        return self._http.call("POST", f"{_JOBS}/retry", JobReport, body=NewRetry.of(job=job))

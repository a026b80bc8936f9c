"""HTTP for the work that a store does by itself."""

from fastapi import APIRouter, Request

from commontrace.models.jobs import JobReport, NewRetry
from commontrace_backend.identity import Admin
from commontrace_backend.jobs.queue import Queue
from commontrace_backend.jobs.worker import Worker

router = APIRouter(prefix="/api/v1", tags=["operation"])


@router.get("/jobs")
async def list_jobs(caller: Admin, request: Request) -> JobReport:
    """How each job goes, and which were given up."""
    del caller
    worker: Worker | Queue = request.app.state.worker
    return await worker.report()


@router.post("/jobs/retry")
async def retry_jobs(body: NewRetry, caller: Admin, request: Request) -> JobReport:
    """Have a job done now, or all that were given up."""
    del caller
    worker: Worker | Queue = request.app.state.worker
    await worker.retry(body.job)
    return await worker.report()

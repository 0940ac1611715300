"""What the service does without a live connection: simulation jobs and recordings, as routes of the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from adversarl_odyssey.emulator.archive import Archive
from adversarl_odyssey.emulator.gate import body_of
from adversarl_odyssey.emulator.jobs import ACTIVE, MOST_QUEUED, STATUSES, Job, Jobs, QueueFull, Studio
from adversarl_odyssey.emulator.paging import Account, page, refusal
from adversarl_odyssey.emulator.recordings import Recordings
from adversarl_odyssey.emulator.scripts import Script, ScriptError, fetch_scripts, parse_scripts


class Offline:
    """Simulation jobs, recordings and their files.

    The server mounts it so::

        offline = Offline(studio, fps=20.0, account=account, live=lambda: streams)
        offline.add_routes(app)
        recorder = offline.recordings.begin(stream_id, owner, stage.size)   # see `Recorder`
        ...
        await offline.close()   # before the studio

    Args:
        studio: Where stages come from; it needs one more than there may be live streams.
        fps: Pictures per second.
        account: Says whose a request is, or raises a `web.HTTPException`.
        live: Says how many live streams run.
        fail: Says, once for each job, whether it has to fail.
        archive: Where films go.
        dispatch_s: How long jobs are pending at least [s].
        start_s: How long they are dispatched at least [s].
    """

    def __init__(
        self,
        studio: Studio,
        *,
        fps: float,
        account: Account,
        live: Callable[[], int] = lambda: 0,
        fail: Callable[[], bool] = lambda: False,
        archive: Archive | None = None,
        dispatch_s: float = 0.25,
        start_s: float = 0.25,
    ) -> None:
        self._account = account
        self.archive = archive or Archive()
        self.recordings = Recordings(self.archive, fps, account)
        self.jobs = Jobs(studio, self.archive, fps=fps, live=live, fail=fail, dispatch_s=dispatch_s, start_s=start_s)

    def add_routes(self, app: web.Application) -> None:
        """Serves jobs, recordings and files."""
        app.add_routes(
            [
                web.post("/simulation-jobs", self._submit),
                web.get("/simulation-jobs", self._list),
                web.get("/simulation-jobs/{job_id}", self._get),
                web.delete("/simulation-jobs/{job_id}", self._cancel),
            ]
        )
        self.recordings.add_routes(app)
        self.archive.add_routes(app)

    async def close(self) -> None:
        """Cancels jobs, completes recordings, deletes all films; may be called twice."""
        await self.jobs.close()
        self.recordings.close()
        await self.archive.close()

    async def _submit(self, request: web.Request) -> web.Response:
        owner, body = self._account(request), await body_of(request)
        portrait = body.get("portrait", True)
        if not isinstance(portrait, bool):
            raise refusal(web.HTTPUnprocessableEntity, "portrait must be true or false")
        if body.get("bypass_vlm_expansion"):
            raise refusal(web.HTTPForbidden, "This account may not bypass the expansion of prompts")
        scripts = await _scripts(body)
        try:
            job = self.jobs.submit(Job(owner, scripts, portrait))
        except QueueFull:
            raise refusal(web.HTTPTooManyRequests, _full()) from None
        return web.json_response(self._detail(request, job), status=201)

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._detail(request, self._job(request)))

    async def _list(self, request: web.Request) -> web.Response:
        owner = self._account(request)
        status, active = request.query.get("status"), request.query.get("active", "false").lower()
        if status is not None and status not in STATUSES:
            raise refusal(web.HTTPUnprocessableEntity, f"status must be one of {', '.join(STATUSES)}, not '{status}'")
        if active not in ("true", "false"):
            raise refusal(web.HTTPUnprocessableEntity, f"active must be true or false, not '{active}'")
        own = [
            job
            for job in self.jobs.all()
            if job.owner == owner
            and (status is None or job.status == status)
            and (active == "false" or job.status in ACTIVE)
        ]
        shown, about = page(request, own)
        return web.json_response({"jobs": [_summary(job) for job in shown], **about})

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._job(request)
        if not self.jobs.cancel(job):
            raise refusal(web.HTTPBadRequest, f"A simulation job that is {job.status} cannot be cancelled")
        return web.json_response(_summary(job))

    def _job(self, request: web.Request) -> Job:
        owner, job = self._account(request), self.jobs.get(request.match_info["job_id"])
        if job is None:
            raise refusal(web.HTTPNotFound, "Simulation job not found")
        if job.owner != owner:
            raise refusal(web.HTTPForbidden, "Not authorized to access this simulation job")
        return job

    def _detail(self, request: web.Request, job: Job) -> dict[str, Any]:
        return {
            **_summary(job),
            "dispatched_at": job.dispatched_at,
            "started_at": job.started_at,
            "assigned_region": None if job.dispatched_at is None else "emulator",
            "retry_count": 0,
            "estimated_wait_minutes": self.jobs.wait_minutes(job),
            "streams": self._streams(request, job) if job.status == "completed" else [],
        }

    def _streams(self, request: web.Request, job: Job) -> list[dict[str, Any]]:
        return [
            {
                "stream_id": stream_id,
                **self.archive.urls(request, stream_id),
                "frame_count": facts.frame_count,
                "duration_seconds": facts.duration_s,
                "script_index": index,
            }
            for index, (stream_id, facts) in enumerate(job.films)
        ]


async def _scripts(body: dict[str, Any]) -> tuple[Script, ...]:
    """The scripts of a request, fetched if need be; pictures in them are decoded off the loop."""
    sources = [name for name in ("script", "scripts", "script_url") if body.get(name) is not None]
    try:
        if sources == ["script_url"]:
            body = await fetch_scripts(body["script_url"])
        return tuple(await asyncio.to_thread(parse_scripts, body))
    except ScriptError as error:
        raise refusal(web.HTTPBadRequest, str(error)) from None


def _summary(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "status": job.status,
        "priority": "normal",
        "created_at": job.created_at,
        "completed_at": job.completed_at,
        "error_message": job.error_message,
    }


def _full() -> dict[str, Any]:
    return {
        "error": "RATE_LIMITED",
        "message": "Too many queued simulations",
        "action": "Wait until one has begun",
        "details": {"limit": MOST_QUEUED},
    }

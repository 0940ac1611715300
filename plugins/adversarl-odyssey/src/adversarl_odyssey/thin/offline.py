"""Simulation jobs and recordings, for which no connection is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from adversarl_odyssey.thin.http import Api, Reply
from adversarl_odyssey.thin.images import data_url
from adversarl_odyssey.thin.types import (
    Recording,
    SimulationJobDetail,
    SimulationJobInfo,
    SimulationJobsList,
    SimulationJobStatus,
    SimulationStream,
    StreamRecordingInfo,
    StreamRecordingsList,
    read,
)

Script = Sequence[Mapping[str, Any]]


class Offline:
    """Jobs and recordings of an account.

    Its methods raise what the SDK's raise: `ValueError` for what is not there or not allowed, `ConnectionError` with
    the status for any other refusal, errors of the HTTP client, and `TimeoutError`.

    Args:
        api: The service.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    async def simulate(
        self,
        *,
        script: Script | None = None,
        scripts: Sequence[Script] | None = None,
        script_url: str | None = None,
        portrait: bool = True,
        bypass_prompt_expansion: bool | None = None,
    ) -> SimulationJobDetail:
        """Has videos made: of one script, of several, or of one that lies at an address.

        Raises:
            ValueError: Not exactly one of them is given, or a start has no prompt or a bad image.
        """
        if sum(item is not None for item in (script, scripts, script_url)) != 1:
            raise ValueError("give exactly one of script, scripts and script_url")
        body: dict[str, Any] = {"portrait": portrait, "output_video": True}
        if bypass_prompt_expansion is not None:
            body["bypass_vlm_expansion"] = bypass_prompt_expansion
        if script is not None:
            body["script"] = await asyncio.to_thread(_with_images, script, portrait)
        elif scripts is not None:
            body["scripts"] = [await asyncio.to_thread(_with_images, item, portrait) for item in scripts]
        else:
            body["script_url"] = script_url
        reply = await self.api.ask("POST", "/simulation-jobs", body)
        if not reply.good:
            raise ConnectionError(f"the job was not taken: {reply.status} {reply.text}")
        return read(SimulationJobDetail, reply.json(), streams=[])

    async def get_simulate_status(self, job_id: str) -> SimulationJobDetail:
        """How far a job is, and what came of it."""
        reply = await self.api.ask("GET", f"/simulation-jobs/{job_id}")
        data = _checked(reply, "the job", {404: "there is no such job", 403: "the job belongs to somebody else"})
        streams = [read(SimulationStream, item) for item in data.get("streams", [])]
        return read(SimulationJobDetail, data, streams=streams)

    async def list_simulations(
        self,
        *,
        status: SimulationJobStatus | None = None,
        active: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> SimulationJobsList:
        """The jobs of the account, the newest first."""
        if limit is not None and not 1 <= limit <= 100:
            raise ValueError("limit must be between 1 and 100")
        if offset is not None and offset < 0:
            raise ValueError("offset must not be negative")
        flag = None if active is None else str(active).lower()
        params = _given(status=status and status.value, active=flag, limit=limit, offset=offset)
        data = _checked(await self.api.ask("GET", "/simulation-jobs", params=params), "the list of jobs", _UNKNOWN)
        return read(SimulationJobsList, data, jobs=[read(SimulationJobInfo, item) for item in data.get("jobs", [])])

    async def cancel_simulation(self, job_id: str) -> SimulationJobInfo:
        """Cancels a job that has not begun."""
        reply = await self.api.ask("DELETE", f"/simulation-jobs/{job_id}")
        if reply.status == 400:
            raise ValueError(str(reply.detail()))
        known = {404: "there is no such job", 403: "the job belongs to somebody else"}
        return read(SimulationJobInfo, _checked(reply, "the cancelled job", known))

    async def get_recording(self, stream_id: str) -> Recording:
        """Where the video of a stream is."""
        reply = await self.api.ask("GET", f"/recordings/{stream_id}")
        return read(Recording, _checked(reply, "the recording", _UNKNOWN | {404: "there is no such recording"}))

    async def list_stream_recordings(self, limit: int | None = None, offset: int | None = None) -> StreamRecordingsList:
        """The recordings of the account, the newest first."""
        params = _given(limit=limit, offset=offset)
        data = _checked(await self.api.ask("GET", "/stream-recordings", params=params), "the recordings", _UNKNOWN)
        found = [read(StreamRecordingInfo, item) for item in data.get("recordings", [])]
        return read(StreamRecordingsList, data, recordings=found)


_UNKNOWN = {401: "the service does not accept the token: Not authorized"}


def _checked(reply: Reply, what: str, refusals: Mapping[int, str]) -> dict[str, Any]:
    if reply.status in refusals:
        raise ValueError(refusals[reply.status])
    if not reply.good:
        raise ConnectionError(f"the service did not give {what}: {reply.status} {reply.reason}")
    return reply.json()


def _given(**params: object) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value is not None}


def _with_images(script: Script, portrait: bool) -> list[dict[str, Any]]:
    """A script whose pictures can travel."""
    result = []
    for number, entry in enumerate(script):
        start = entry.get("start")
        if start is not None and "prompt" not in start:
            raise ValueError(f"entry {number} of the script starts without a prompt")
        if start is not None and start.get("image") is not None:
            entry = {**entry, "start": {**start, "image": data_url(start["image"], portrait=portrait)}}
        result.append(dict(entry))
    return result

"""Simulation jobs and recordings as a client sees them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure.watch import bounded, watched
from adversarl_odyssey.sdk import hide

LIMIT_S = 600.0
"""How long one job, its time in the queue included, may take [s]."""
CALL_S = 30.0
DONE = ("completed", "failed", "cancelled")


def script(scene: str, change: str, seconds: float) -> list[dict[str, Any]]:
    """A script with one change in the middle.

    Args:
        scene: What it starts with.
        change: What it becomes.
        seconds: Its length [s].
    """
    length = round(1000 * seconds)
    return [
        {"timestamp_ms": 0, "start": {"prompt": scene}},
        {"timestamp_ms": length // 2, "interact": {"prompt": change}},
        {"timestamp_ms": length, "end": {}},
    ]


async def simulation(client: Any, steps: list[dict[str, Any]], *, portrait: bool = False) -> dict[str, Any]:
    """Submits a script, waits for its video, downloads and decodes it."""
    begun = time.monotonic()
    job = await bounded(client.simulate(script=steps, portrait=portrait), CALL_S, "submitting a simulation")
    submitted = time.monotonic() - begun
    detail = await finished(client, job.job_id)
    completed = time.monotonic() - begun
    if status(detail) != "completed" or not detail.streams:
        raise OdysseyError(f"a simulation ended as {status(detail)}: {hide(str(detail.error_message))}", "Try again.")
    stream = detail.streams[0]
    return {
        "submitted_ms": round(1e3 * submitted, 1),
        "completed_s": round(completed, 2),
        "frame_count": stream.frame_count,
        "duration_s": stream.duration_seconds,
        **await video(stream.video_url),
    }


async def finished(client: Any, job: str) -> Any:
    """Details of a job that is over."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        detail = await bounded(client.get_simulate_status(job), CALL_S, "asking for a simulation")
        if status(detail) in DONE:
            return detail
        await asyncio.sleep(0.2)
    raise OdysseyError(f"a simulation took more than {LIMIT_S:g} s", "Try again later.")


async def listing(client: Any, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Two jobs of which the second is cancelled while it waits, then the lists of all and of those under way."""
    first = await bounded(client.simulate(script=steps), CALL_S, "submitting a simulation")
    second = await bounded(client.simulate(script=steps), CALL_S, "submitting a simulation")
    begun = time.monotonic()
    active = await bounded(client.list_simulations(active=True), CALL_S, "listing simulations")
    listed = time.monotonic() - begun
    begun = time.monotonic()
    await bounded(client.cancel_simulation(second.job_id), CALL_S, "cancelling a simulation")
    cancelled = time.monotonic() - begun
    ends = {name: status(await finished(client, job.job_id)) for name, job in (("first", first), ("second", second))}
    everything = await bounded(client.list_simulations(limit=100), CALL_S, "listing simulations")
    return {
        "list_ms": round(1e3 * listed, 1),
        "cancel_ms": round(1e3 * cancelled, 1),
        "active": len(active.jobs),
        "listed": everything.total,
        **ends,
    }


async def recorded_stream(make: Callable[[], Any], scene: str, seconds: float) -> dict[str, Any]:
    """Ends a stream of so many seconds and fetches its recording with another client, which never connects."""
    async with watched(make()) as found:
        stream, *_ = await found.start(scene)
        await asyncio.sleep(seconds)
        await bounded(found.client.end_stream(), CALL_S, "ending a stream")
    async with aclosing_client(make()) as client:
        return {"seconds": seconds, **await recording(client, stream)}


@asynccontextmanager
async def aclosing_client(client: Any) -> AsyncIterator[Any]:
    """A client for jobs and recordings alone; it is released afterwards, though it never connected."""
    try:
        yield client
    finally:
        await asyncio.wait_for(client.disconnect(), 10.0)


async def recording(client: Any, stream: str) -> dict[str, Any]:
    """The recording of a stream that has ended: when it can be had, and whether its video decodes."""
    begun, end = time.monotonic(), time.monotonic() + 60.0
    found = await bounded(client.get_recording(stream), CALL_S, "asking for a recording")
    while not found.video_url and time.monotonic() < end:
        await asyncio.sleep(0.2)
        found = await bounded(client.get_recording(stream), CALL_S, "asking for a recording")
    if not found.video_url:
        raise OdysseyError("a recording has no video a minute after its stream ended", "Ask for it later.")
    ready = time.monotonic() - begun
    page = await bounded(client.list_stream_recordings(limit=50), CALL_S, "listing recordings")
    return {
        "ready_s": round(ready, 2),
        "frame_count": found.frame_count,
        "duration_s": found.duration_seconds,
        "listed": page.total,
        "in_list": stream in {item.stream_id for item in page.recordings},
        **await video(found.video_url),
    }


async def video(url: str) -> dict[str, Any]:
    """Downloads a video and decodes all of it."""
    import aiohttp

    begun = time.monotonic()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(CALL_S)) as session,
        session.get(url) as answer,
    ):
        if answer.status != 200:
            raise OdysseyError(f"a video cannot be downloaded: status {answer.status}", "Try again.")
        content = await answer.read()
    downloaded = time.monotonic() - begun
    return {
        "bytes": len(content),
        "download_ms": round(1e3 * downloaded, 1),
        **await asyncio.to_thread(_decode, content),
    }


def _decode(content: bytes) -> dict[str, Any]:
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(content)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            decoded = sum(1 for _ in container.decode(stream))
            return {"decoded": decoded, "codec": stream.codec_context.name, "size": [stream.width, stream.height]}


def status(job: Any) -> str:
    """The status as a word; the SDK has an enumeration."""
    return str(getattr(job.status, "value", job.status))

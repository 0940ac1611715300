"""Asking for a machine, and waiting in its queue."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from adversarl_odyssey.thin.errors import OdysseyAuthError, OdysseyConnectionError, usage_error
from adversarl_odyssey.thin.http import Api, Reply
from adversarl_odyssey.thin.types import StreamerCapabilities

POLL_S = 1.0
"""Pause between two questions whether a machine is free [s]."""
PING_S = 1.0
"""How long regions are measured [s]."""
FAR_MS = 9999
"""What counts for a region that did not answer in time [ms]."""


@dataclass(frozen=True, slots=True)
class Session:
    """A place on a machine.

    Attributes:
        session_id: Its name.
        signalling_url: Where to agree on the connection.
        capabilities: What its machine can do.
    """

    session_id: str
    signalling_url: str
    capabilities: StreamerCapabilities


async def request_session(api: Api, queue_timeout_s: float) -> Session:
    """A session; while all machines are busy, asks again each second.

    Args:
        api: The service.
        queue_timeout_s: How long to wait for a machine [s].

    Raises:
        OdysseyAuthError: The service refuses the key.
        OdysseyUsageError: A limit of the account is reached.
        OdysseyConnectionError: No machine became free, or the answer cannot be understood.
    """
    latencies = await region_latencies(api)
    body = {"region_latencies": latencies} if latencies else {}
    end = time.monotonic() + queue_timeout_s
    while (reply := await api.ask("POST", "/sessions/request", body)).status == 503:
        if time.monotonic() + POLL_S > end:
            raise OdysseyConnectionError(f"no machine became free within {queue_timeout_s:g} s")
        await asyncio.sleep(POLL_S)
    return _session(reply)


def _session(reply: Reply) -> Session:
    if reply.status == 429:
        raise usage_error(reply.detail()) or OdysseyConnectionError(f"too many requests: 429 {reply.detail()}")
    if reply.status in (401, 403):
        raise OdysseyAuthError(f"the service refused a session: {reply.status} {reply.detail()}")
    if not reply.good:
        raise OdysseyConnectionError(f"the service gave no session: {reply.status} {reply.reason}")
    content = reply.json()
    if not content.get("session_id") or not content.get("signalling_url"):
        raise OdysseyConnectionError("the service gave a session without session_id or signalling_url")
    abilities = content.get("capabilities")
    able = isinstance(abilities, dict) and abilities.get("image_to_video") is True
    return Session(str(content["session_id"]), str(content["signalling_url"]), StreamerCapabilities(able))


async def session_token(api: Api, session_id: str) -> str:
    """A token for the signalling of a session.

    Raises:
        ConnectionError: The service gives none.
    """
    reply = await api.ask("POST", "/sessions/token", {"session_id": session_id})
    token = reply.json().get("session_token") if reply.good else None
    if not isinstance(token, str):
        raise ConnectionError(f"the service gave no token for the session: {reply.status} {reply.reason}")
    return token


async def region_latencies(api: Api) -> dict[str, int]:
    """How far the service's regions are [ms]; empty if that cannot be found out."""
    try:
        reply = await api.ask("GET", "/regions")
        regions = reply.json().get("regions", []) if reply.good else []
        urls = {str(region["id"]): str(region["ping_url"]) for region in regions}
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    pings = [asyncio.create_task(_ping(api, url)) for url in urls.values()]
    try:
        if pings:
            await asyncio.wait(pings, timeout=PING_S)
    finally:
        await _stop(pings)
    return {name: _taken(ping) for name, ping in zip(urls, pings, strict=True)}


async def _stop(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _ping(api: Api, url: str) -> int:
    """Milliseconds to an answer, whatever it says."""
    start = time.monotonic()
    async with api.session.get(url) as response:
        response.raise_for_status()
    return round(1000 * (time.monotonic() - start))


def _taken(ping: asyncio.Task[int]) -> int:
    return FAR_MS if ping.cancelled() or ping.exception() is not None else ping.result()

"""The WebSocket over which both ends agree on a connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

KEEPALIVE_S = 10.0
PING_S = 40.0
"""How often the other end is asked for a sign of life; it has half as long to give it [s]."""
CLOSE_S = 3.0
OPEN_S = 15.0
SEND_S = 30.0
LARGEST_BYTES = 64 * 1024 * 1024
logger = logging.getLogger(__name__)

Heard = Callable[[dict[str, Any]], Awaitable[None]]
Closed = Callable[[int], None]


def http_address(url: str) -> str:
    """The signalling's address for plain requests."""
    return _with(url, "http")


def _with(url: str, scheme: str) -> str:
    before, _, rest = url.rstrip("/").rpartition("://")
    return f"{scheme}{'s' if before in ('https', 'wss') else ''}://{rest}"


class Signalling:
    """One WebSocket.

    Args:
        heard: Gets every message.
        closed: Is told the code when the other end closes it, 1006 if it just went away; not after `close`.
    """

    def __init__(self, heard: Heard, closed: Closed) -> None:
        self._heard, self._closed = heard, closed
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, http: aiohttp.ClientSession, url: str, session_id: str, token: str) -> None:
        """Opens it.

        Raises:
            ConnectionError: The service does not take it.
        """
        try:
            async with asyncio.timeout(OPEN_S):
                self._socket = await http.ws_connect(
                    f"{_with(url, 'ws')}/client/{session_id}",
                    params={"token": token},
                    max_msg_size=LARGEST_BYTES,
                    heartbeat=PING_S,
                )
        except aiohttp.WSServerHandshakeError as error:
            # Its text holds the address with the token.
            raise ConnectionError(f"the signalling refused the connection: {error.status} {error.message}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(f"the signalling cannot be reached ({type(error).__name__})") from None
        self._tasks = [asyncio.create_task(self._listen(self._socket)), asyncio.create_task(self._keep_alive())]

    async def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message.

        Raises:
            ConnectionError: It is not open.
        """
        if self._socket is None or self._socket.closed:
            raise ConnectionError("the signalling is closed")
        async with asyncio.timeout(SEND_S):
            await self._socket.send_str(json.dumps(message))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            try:
                content = json.loads(message.data)
                if isinstance(content, dict):
                    await self._heard(content)
            except Exception:
                logger.warning("A message of the signalling could not be used", exc_info=True)
        self._closed(socket.close_code or 1006)

    async def _keep_alive(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            while True:
                await asyncio.sleep(KEEPALIVE_S)
                await self.send({"type": "keepalive"})

    async def close(self) -> None:
        """Says goodbye and closes it; never raises, and takes a bounded time."""
        self._closed = _ignore
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_S):
                    if not socket.closed:
                        await socket.send_str(json.dumps({"type": "client_disconnecting"}))
        await stop(self._tasks)
        self._tasks = []
        if socket is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_S):
                    await socket.close(code=1000, message=b"Client disconnect")


def _ignore(code: int) -> None:
    del code


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits for their end, except for the one that calls it."""
    others = [task for task in tasks if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
        for task in others:
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.debug("A task of a connection ended with %s", type(error).__name__)

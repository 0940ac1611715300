"""One connection to a machine: the signalling and what it brings about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from adversarl_odyssey.thin.errors import OdysseyConnectionError
from adversarl_odyssey.thin.http import Api
from adversarl_odyssey.thin.peer import Peer
from adversarl_odyssey.thin.session import Session, session_token
from adversarl_odyssey.thin.signalling import Signalling, http_address
from adversarl_odyssey.thin.types import VideoFrame

READY_S = 30.0
"""How long offer, track and channels may take [s]."""
_REASONS = {
    "streamer_not_available": "the machine of the session is not available",
    "streamer_disconnected": "the machine of the session has gone",
}


class Link:
    """One connection.

    Args:
        heard: Gets what arrives on ``streamerToClient``, unread.
        seen: Gets the pictures, or nobody wants them.
        lost: Is told why a connection that stood is lost: a close code of the signalling and a sentence.
    """

    def __init__(
        self,
        heard: Callable[[str | bytes], None],
        seen: Callable[[VideoFrame], None] | None,
        lost: Callable[[int, str], None],
    ) -> None:
        self._heard, self._seen, self._lost = heard, seen, lost
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._signalling = Signalling(self._on_message, self._on_closed)
        self._servers: list[dict[str, Any]] = []
        self._peer: Peer | None = None
        self.over = ""
        """Why nothing can be asked any more."""

    async def open(self, api: Api, session: Session) -> None:
        """Reaches the signalling.

        Raises:
            ConnectionError: It cannot be reached.
        """
        self._servers = await _ice_servers(api, session.signalling_url)
        token = await session_token(api, session.session_id)
        await self._signalling.open(api.session, session.signalling_url, session.session_id, token)

    async def stand(self) -> None:
        """Waits until pictures and messages can travel.

        Raises:
            OdysseyConnectionError: They cannot.
        """
        try:
            async with asyncio.timeout(READY_S):
                await self._ready
        except TimeoutError:
            missing = self._peer.missing if self._peer is not None else "an offer"
            raise OdysseyConnectionError(f"after {READY_S:g} s the connection still lacks: {missing}") from None
        if self.over:
            raise OdysseyConnectionError(self.over)

    async def _on_message(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "offer":
            await self._on_offer(str(message.get("sdp", "")))
        elif kind == "ice_candidate" and self._peer is not None:
            await self._peer.candidate(message)
        elif kind == "error":
            reason = str(message.get("reason", "unknown"))
            self._end(1011, _REASONS.get(reason, f"the signalling reports an error: {reason}"))

    async def _on_offer(self, sdp: str) -> None:
        if self.over:
            return
        if self._peer is not None:
            await self._peer.close()
        self._peer = Peer(self._servers, self._heard, self._seen, self._stands, self._failed)
        try:
            await self._peer.answer(sdp, self._signalling.send)
        except Exception as error:
            self._end(1011, f"the service's offer cannot be answered ({type(error).__name__}: {error})")

    def _stands(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _failed(self) -> None:
        """The peer connection did not come about; once it stood, its end is left to the signalling, as by the SDK."""
        if not self._ready.done():
            self._end(1011, "no way was found to the machine of the session")

    def _on_closed(self, code: int) -> None:
        self._end(code, f"the signalling was closed ({code})")

    def _end(self, code: int, sentence: str) -> None:
        self.over = self.over or sentence
        if not self._ready.done():
            self._ready.set_exception(OdysseyConnectionError(sentence))
        elif not self._ready.cancelled() and self._ready.exception() is None:
            self._lost(code, sentence)

    async def send(self, message: Mapping[str, Any], *, signal: bool = False) -> None:
        """Sends a message over the data channel; what is too long for it, or must not, goes over the signalling.

        Raises:
            ConnectionError: There is no way.
        """
        peer = self._peer
        if peer is None or signal or not peer.open or len(json.dumps(message)) > peer.largest:
            await self._signalling.send(message)
        else:
            peer.send(message)

    async def close(self) -> None:
        """Closes everything; never raises, and takes a bounded time."""
        self._lost = _nobody
        self.over = self.over or "the connection was closed"
        if not self._ready.done():
            self._ready.cancel()
        elif not self._ready.cancelled():
            self._ready.exception()
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()
        await self._signalling.close()


def _nobody(code: int, sentence: str) -> None:
    del code, sentence


async def _ice_servers(api: Api, signalling_url: str) -> list[dict[str, Any]]:
    """The service's list of helpers for finding a way; empty, as on one machine, if it gives none."""
    try:
        async with api.session.get(f"{http_address(signalling_url)}/config") as response:
            servers = (await response.json()).get("iceServers", [])
    except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError):
        return []
    return [server for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []

"""The peer of one client: a video track, two data channels, and the stream that they carry."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.gate import parse
from adversarl_odyssey.emulator.streams import Streamer
from adversarl_odyssey.emulator.track import StageTrack
from adversarl_odyssey.peers import close_peer

_log = logging.getLogger(__name__)
LONGEST_QUEUE = 256
"""Messages that wait to be handled, or to be sent; of the former further ones are dropped, of the latter the oldest."""


class Peer:
    """The emulator's end of a WebRTC connection; it makes the offer.

    Replies wait until the client's end of their channel is open: its ``connect()`` looks at the other channel only.

    Args:
        track: Carries the pictures.
        streamer: Handles what the client asks for.
        faults: Which messages are spoilt.
    """

    def __init__(self, track: StageTrack, streamer: Streamer, faults: Faults) -> None:
        self._track, self._streamer, self._faults = track, streamer, faults
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.addTrack(track)
        self._outbound = self._connection.createDataChannel("streamerToClient")
        self._inbound = self._connection.createDataChannel("clientToStreamer")
        self._waiting = deque[str](maxlen=LONGEST_QUEUE)
        self._spoilt = 0
        self._inbox: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._outbound.on("open", self._flush)
        self._inbound.on("message", self._received)
        streamer.send = self.send
        self._worker = asyncio.create_task(self._work())

    def stream_age(self) -> float | None:
        """How old the running stream is [s]; None without one."""
        return self._streamer.age()

    @property
    def broken(self) -> bool:
        """Whether the client's end is gone."""
        return self._connection.connectionState in ("failed", "closed")

    async def offer(self) -> str:
        """The session description for the client, all candidates of this machine in it."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def answer(self, sdp: str) -> None:
        """Takes the client's description.

        Raises:
            ValueError: It is none, or comes at the wrong time.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        except Exception as error:  # aiortc raises whatever its parser stumbles over
            raise ValueError(f"the answer cannot be used: {error!r}") from error

    async def candidate(self, message: dict[str, Any]) -> None:
        """Takes an address of the client.

        Raises:
            ValueError: It is none.
        """
        text = message.get("candidate")
        if not text:
            return  # the end of the candidates
        try:
            candidate = candidate_from_sdp(str(text).removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = message.get("sdpMid"), message.get("sdpMLineIndex")
            await self._connection.addIceCandidate(candidate)
        except Exception as error:  # aiortc raises whatever its parser stumbles over
            raise ValueError(f"the candidate cannot be used: {error!r}") from error

    def _received(self, text: str | bytes) -> None:
        try:
            message = parse(text)
        except ValueError:
            message = None
        self.handle(message)

    def handle(self, message: Any) -> None:
        """Takes a message about the stream, from the data channel or from the WebSocket."""
        if not isinstance(message, dict):
            _log.warning("a client sent what is no JSON object; it is ignored")
        elif self._inbox.qsize() >= LONGEST_QUEUE:
            _log.warning("a client sends faster than it can be served; a message is dropped")
        else:
            self._inbox.put_nowait(message)

    async def _work(self) -> None:
        while (message := await self._inbox.get()) is not None:
            await self._streamer.handle(message)

    def send(self, message: dict[str, Any]) -> None:
        """Tells the client something, at once or when its channel is open."""
        text = json.dumps(message)
        if self._faults.take("malformed"):
            spoilt = (text[:-2], json.dumps({"type": message["type"]}), json.dumps([message]))
            text, self._spoilt = spoilt[self._spoilt % len(spoilt)], self._spoilt + 1
        self._waiting.append(text)
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self._outbound.readyState == "open":
            self._outbound.send(self._waiting.popleft())

    async def stop(self, reason: str, message: str) -> None:
        """Ends the stream against the client's will."""
        await self._streamer.stop(reason, message)

    async def close(self) -> None:
        """Ends the stream and the connection."""
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)
        await self._worker  # what has begun is done in milliseconds, and half of it would leave a world behind
        await self._streamer.close()
        self._track.stop()
        await close_peer(self._connection)

"""The WebRTC connection: one video track, two data channels."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp

from adversarl_odyssey.peers import close_peer
from adversarl_odyssey.thin.signalling import stop
from adversarl_odyssey.thin.types import VideoFrame

ANSWER_S = 5.0
"""How long closing waits for an answer on its way [s]."""
TO_STREAMER, FROM_STREAMER = "clientToStreamer", "streamerToClient"


class Peer:
    """Our end of a connection that the service offers.

    Args:
        servers: ``iceServers`` of the signalling.
        heard: Gets what arrives on ``streamerToClient``, unread.
        seen: Gets the pictures, or nobody wants them.
        ready: Is called once the track and both channels are there.
        failed: Is called when the connection does not come about.
    """

    def __init__(
        self,
        servers: list[dict[str, Any]],
        heard: Callable[[str | bytes], None],
        seen: Callable[[VideoFrame], None] | None,
        ready: Callable[[], None],
        failed: Callable[[], None],
    ) -> None:
        ice = [RTCIceServer(urls=server["urls"]) for server in servers if "urls" in server]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=ice))
        self._heard, self._seen, self._ready, self._failed = heard, seen, ready, failed
        self._missing = {"video", TO_STREAMER, FROM_STREAMER}
        self._channel: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answering: asyncio.Future[str] | None = None
        self._early: list[Mapping[str, Any]] | None = []
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("connectionstatechange", self._on_state)

    @property
    def missing(self) -> str:
        """What has not come yet, for a message."""
        return ", ".join(sorted(self._missing))

    async def answer(self, sdp: str, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Answers the service's offer.

        Raises:
            Exception: Whatever aiortc stumbles over.
        """
        # The search for addresses would leave sockets open if it were cancelled.
        self._answering = asyncio.ensure_future(self._describe(sdp))
        await send({"type": "answer", "sdp": await asyncio.shield(self._answering)})

    async def _describe(self, sdp: str) -> str:
        connection = self._connection
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        early, self._early = self._early or [], None
        for candidate in early:
            await self.candidate(candidate)
        description = await connection.createAnswer()
        if description is None:
            raise ValueError("the offer cannot be answered")
        await connection.setLocalDescription(description)
        return str(connection.localDescription.sdp)

    async def candidate(self, message: Mapping[str, Any]) -> None:
        """Adds an address at which the service may be reached; kept for later if the offer has not come yet."""
        if self._early is not None:
            self._early.append(message)
            return
        if not message.get("candidate"):
            return
        candidate = candidate_from_sdp(str(message["candidate"]).removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = message.get("sdpMid"), message.get("sdpMLineIndex")
        await self._connection.addIceCandidate(candidate)

    def _on_track(self, track: Any) -> None:
        if track.kind == "video":
            self._tasks.append(asyncio.create_task(self._watch(track)))
            self._came("video")

    def _on_channel(self, channel: Any) -> None:
        if channel.label == TO_STREAMER:
            self._channel = channel
        elif channel.label == FROM_STREAMER:
            channel.on("message", self._heard)
        # A channel that the other end made is open as soon as it is known.
        self._came(channel.label)

    def _came(self, what: str) -> None:
        if what in self._missing:
            self._missing.discard(what)
            if not self._missing:
                self._ready()

    def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._failed()

    async def _watch(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if self._seen is not None:
                    self._seen(_picture(frame))

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._channel is not None and self._channel.readyState == "open"

    @property
    def largest(self) -> int:
        """Longest message [byte]."""
        return int(getattr(self._connection.sctp, "_remote_max_message_size", 0) or 16 * 1024)

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message.

        Raises:
            ConnectionError: The channel is not open.
        """
        if not self.open:
            raise ConnectionError("the data channel is not open")
        self._channel.send(json.dumps(message))

    async def close(self) -> None:
        """Closes everything; never raises, and takes a bounded time."""
        self._ready = self._failed = _nothing
        self._seen = None
        await stop(self._tasks)
        self._tasks, self._channel = [], None
        if self._answering is not None:
            await asyncio.wait([self._answering], timeout=ANSWER_S)
        await close_peer(self._connection)


def _nothing() -> None:
    pass


def _picture(frame: Any) -> VideoFrame:
    data = frame.to_ndarray(format="rgb24")
    at = 0 if frame.pts is None or frame.time_base is None else int(frame.pts * frame.time_base * 1000)
    return VideoFrame(data, data.shape[1], data.shape[0], at)

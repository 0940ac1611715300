"""The WebSocket on which client and streamer find each other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from adversarl_odyssey.emulator.gate import parse
from adversarl_odyssey.emulator.rtc import Peer
from adversarl_odyssey.emulator.sessions import Session, Sessions
from adversarl_odyssey.emulator.tokens import Signer

_log = logging.getLogger(__name__)
LARGEST_MESSAGE = 64 * 1024 * 1024
"""An image may travel here [byte]."""
HEARTBEAT_S, GOODBYE_S = 60.0, 2.0
"""How often a client must show that it is there, and how long it may take to say goodbye [s]."""
STRANGE_MESSAGES = 100
"""So many messages without sense end a connection."""


class Connection:
    """A client at its WebSocket.

    Args:
        socket: The WebSocket.
        request: The request it came from.
        peer: The end of the WebRTC connection that belongs to it.
        expires: When its token does [s, since the epoch].
    """

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, peer: Peer, expires: float) -> None:
        self.socket, self.peer, self.expires = socket, peer, expires
        self._request = request
        self.began = time.monotonic()
        self.politely = False
        """Whether the client has said goodbye."""
        self._strange = 0
        self.used = self.began
        """When the client last asked for something or had a stream [s, monotonic]."""

    async def converse(self) -> None:
        """Makes the offer and serves the client until it leaves."""
        await self.socket.send_json({"type": "offer", "sdp": await self.peer.offer()})
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                await self._take(message.data)
        self.politely |= self.socket.close_code == 1000

    async def _take(self, text: str) -> None:
        try:
            await self._dispatch(parse(text))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            self._strange += 1
            _log.warning("a client sent what makes no sense: %s", error)
            if self._strange > STRANGE_MESSAGES:
                await self.socket.close(code=1008, message=b"too many messages without sense")

    async def _dispatch(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "answer":
            await self.peer.answer(message["sdp"])
        elif kind == "ice_candidate":
            await self.peer.candidate(message)
        elif kind == "client_disconnecting":
            self.politely = True
        elif kind != "keepalive":
            self.peer.handle(message)

    def idle_s(self) -> float:
        """For how long there has been no stream [s]."""
        if self.peer.stream_age() is not None:
            self.used = time.monotonic()
        return time.monotonic() - self.used

    def drop(self) -> None:
        """Breaks the connection without goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()


class Signalling:
    """Admits clients to the sessions that their tokens are for.

    Args:
        sessions: All sessions.
        signer: Made the tokens.
        make_peer: Makes the peer of a session.
    """

    def __init__(self, sessions: Sessions, signer: Signer, make_peer: Callable[[Session], Peer]) -> None:
        self._sessions, self._signer, self._make_peer = sessions, signer, make_peer

    async def client(self, request: web.Request) -> web.StreamResponse:
        """``GET /signalling/client/{session_id}?token=...``."""
        name = request.match_info["session_id"]
        claims = self._signer.read(request.query.get("token", ""))
        session = self._sessions.open.get(name)
        if claims is None or claims.get("session_id") != name:
            return web.json_response({"detail": "The session token is not valid"}, status=401)
        if session is None:
            return web.json_response({"detail": "There is no such session"}, status=404)
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, heartbeat=HEARTBEAT_S, timeout=GOODBYE_S)
        await socket.prepare(request)
        if self._sessions.open.get(name) is not session or self._sessions.faults.take("no-streamer"):
            await socket.send_json({"type": "error", "reason": "streamer_not_available"})
            await socket.close()
            if session.connection is None:
                self._sessions.left(session, politely=True)
            return socket
        if session.connection is not None:
            session.connection.drop()
        await self._serve(session, Connection(socket, request, self._make_peer(session), claims["exp"]))
        return socket

    async def _serve(self, session: Session, connection: Connection) -> None:
        session.connection = connection
        self._sessions.say(f"{session.id}: connected")
        try:
            await connection.converse()
        except ConnectionError:
            pass  # the client is gone
        except Exception:
            _log.exception("%s: its connection failed", session.id)
        finally:
            await connection.peer.close()
            if session.connection is connection:
                self._sessions.left(session, politely=connection.politely)

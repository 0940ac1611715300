"""The emulator as one application: what it is made of, and which address does what."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.gate import Gate, body_of
from adversarl_odyssey.emulator.offline import Offline
from adversarl_odyssey.emulator.options import EmulatorOptions
from adversarl_odyssey.emulator.rtc import Peer
from adversarl_odyssey.emulator.sessions import Refused, Session, Sessions
from adversarl_odyssey.emulator.signalling import Connection, Signalling
from adversarl_odyssey.emulator.streams import Streamer
from adversarl_odyssey.emulator.studio import Studio
from adversarl_odyssey.emulator.tokens import Signer
from adversarl_odyssey.emulator.track import StageTrack
from adversarl_odyssey.errors import OdysseyError

_log = logging.getLogger(__name__)
LARGEST_BODY = 64 * 1024 * 1024
WATCH_S = 0.1
"""How often limits are looked at [s]."""


class Emulator:
    """Everything that one server needs; lives on one event loop.

    Args:
        options: What it does.
        say: Told a line for people when something happens.
    """

    def __init__(self, options: EmulatorOptions, say: Callable[[str], None]) -> None:
        self.options = options
        self.faults = Faults(options.faults)
        self.signer = Signer()
        self.gate = Gate(options, self.signer, self.faults)
        self.sessions = Sessions(options, self.faults, say)
        self.studio = Studio(size=options.size, fps=options.fps, stages=options.max_streams + 1, task=options.task)
        self.offline = Offline(
            self.studio,
            fps=options.fps,
            account=self.gate.account,
            live=self._live,
            fail=lambda: self.faults.take("fail-jobs"),
        )
        self._signalling = Signalling(self.sessions, self.signer, self.make_peer)

    def make_peer(self, session: Session) -> Peer:
        """The peer of a session."""
        track = StageTrack(self.options.fps, self.faults)
        recordings = self.offline.recordings
        return Peer(track, Streamer(self.studio, track, self.sessions, recordings, session.id), self.faults)

    def _live(self) -> int:
        """How many streams run."""
        return sum(connection.peer.stream_age() is not None for connection in self.connections())

    def connections(self) -> list[Connection]:
        """Of all sessions that have one."""
        return [session.connection for session in self.sessions.open.values() if session.connection is not None]

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_never_fail])
        app.add_routes(
            [
                web.get("/", self._about),
                web.post("/auth/token", self.gate.token),
                web.get("/regions", self._regions),
                web.get("/ping", self._ping),
                web.post("/sessions/request", self._request),
                web.post("/sessions/token", self._token),
                web.get("/signalling/config", self._config),
                web.get("/signalling/client/{session_id}", self._signalling.client),
                web.post("/telemetry", self._telemetry),
                web.get("/emulator/faults", self._get_faults),
                web.post("/emulator/faults", self._set_faults),
                web.get("/emulator/stats", self._get_stats),
            ]
        )
        self.offline.add_routes(app)
        return app

    async def close(self) -> None:
        """Ends what is not a connection: jobs, recordings, worlds."""
        await self.offline.close()
        await self.studio.close()

    async def _about(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"service": "an EMULATOR of Odyssey's API, from AdversaRL; not Odyssey"})

    async def _regions(self, request: web.Request) -> web.Response:
        self.gate.check(request)
        return web.json_response({"regions": [{"id": "emulator", "ping_url": f"{request.url.origin()}/ping"}]})

    async def _ping(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({})

    async def _request(self, request: web.Request) -> web.Response:
        self.gate.check(request)
        await body_of(request)
        try:
            session = self.sessions.request()
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        signalling = request.url.origin().with_scheme("ws" if request.scheme == "http" else "wss") / "signalling"
        capabilities = {"image_to_video": True}
        return web.json_response(
            {"session_id": session.id, "signalling_url": str(signalling), "capabilities": capabilities}
        )

    async def _token(self, request: web.Request) -> web.Response:
        self.gate.check(request)
        name = (await body_of(request)).get("session_id")
        if not isinstance(name, str) or name not in self.sessions.open:
            return web.json_response({"detail": "Session not found"}, status=404)
        token = self.signer.sign(self.gate.lifetime_s(), session_id=name)
        return web.json_response({"session_token": token, "expires_in": int(self.options.token_s)})

    async def _config(self, request: web.Request) -> web.Response:
        # An empty list makes clients that are built on aiortc ask a public server for their address; of this kind of
        # server they ask nothing, and on one machine nobody needs to.
        return web.json_response({"iceServers": [{"urls": "stuns:localhost"}]})

    async def _telemetry(self, request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({}, status=202)

    async def _get_faults(self, request: web.Request) -> web.Response:
        self.gate.check(request, key=True)
        return web.json_response({"faults": self.faults.show()})

    async def _set_faults(self, request: web.Request) -> web.Response:
        self.gate.check(request, key=True)
        body = await body_of(request)
        try:
            if body.get("clear"):
                self.faults.clear()
            for setting in body.get("faults", ()):
                self.faults.switch(str(setting))
        except (OdysseyError, TypeError) as error:
            return web.json_response({"detail": str(error)}, status=422)
        return web.json_response({"faults": self.faults.show()})

    async def _get_stats(self, request: web.Request) -> web.Response:
        self.gate.check(request, key=True)
        return web.json_response(self.stats())

    def stats(self) -> dict[str, float]:
        """What is open now, and what was used."""
        return {
            "sessions": len(self.sessions.open),
            "connections": len(self.connections()),
            "streams": self._live(),
            "stages": self.studio.in_use,
            "tasks": len(asyncio.all_tasks()),
            "served": self.sessions.served,
            "used_s": round(self.sessions.used_now_s(), 3),
        }

    async def watch(self) -> None:
        """Keeps the limits that time sets, for ever."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                self.sessions.sweep()
                for session in list(self.sessions.open.values()):
                    await self._watch(session)
            except Exception:
                _log.exception("limits could not be looked at")

    async def _watch(self, session: Session) -> None:
        connection = session.connection
        if connection is None:
            return
        age, early = connection.peer.stream_age(), self.faults.get("max-stream")
        longest = self.options.max_stream_s or float("inf") if early is None else early
        if age is not None and age >= longest:
            await connection.peer.stop("session_timeout", f"the stream is older than {longest:g} s")
        elif age is not None and self.sessions.over_quota():
            await connection.peer.stop("quota_exceeded", "the hours of the month are used up")
        if self.options.idle_s and connection.idle_s() >= self.options.idle_s:
            self.sessions.say(f"{session.id}: without a stream for {self.options.idle_s:g} s, cleaned up")
            connection.politely = True
            connection.drop()
        lifetime = self.faults.get("drop-connection")
        dropped = lifetime is not None and time.monotonic() - connection.began >= lifetime
        if connection.peer.broken:
            connection.drop()
        if dropped or (self.faults.get("expire-token") is not None and time.time() >= connection.expires):
            self.sessions.say(f"{session.id}: its connection is broken by command")
            connection.drop()


@web.middleware
async def _never_fail(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (web.HTTPException, asyncio.CancelledError):
        raise
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return web.json_response({"detail": "The emulator failed; its log says why"}, status=500)
    return response

"""Running the emulator: in an event loop, or on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from types import TracebackType

from aiohttp import web

from adversarl_odyssey.emulator.app import Emulator
from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.options import EmulatorOptions
from adversarl_odyssey.errors import OdysseyError

_log = logging.getLogger(__name__)
LONGEST_START_S, LONGEST_END_S = 120.0, 30.0
"""How long making the first world, and ending all streams, may take [s]."""


class RunningServer:
    """A server that listens.

    Attributes:
        url: Its address, for ODYSSEY_API_URL.
        key: The key that it accepts, for ODYSSEY_API_KEY.
        emulator: What it serves.
    """

    def __init__(self, emulator: Emulator, runner: web.AppRunner, port: int) -> None:
        self.emulator, self._runner = emulator, runner
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(emulator.options.host, emulator.options.host)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.key = emulator.options.key
        self._watch = asyncio.create_task(emulator.watch())

    async def close(self) -> None:
        """Ends all streams and connections, then the server."""
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        goodbyes = [one.socket.close(code=1001, message=b"the emulator ends") for one in self.emulator.connections()]
        await asyncio.gather(*goodbyes, return_exceptions=True)
        await self._runner.cleanup()
        await self.emulator.close()


async def serve(options: EmulatorOptions, say: Callable[[str], None] = _log.info) -> RunningServer:
    """Starts the emulator in the running event loop.

    Args:
        options: What it does.
        say: Told a line for people when something happens.

    Raises:
        OdysseyError: A fault has no such name, or nobody can listen at the address.
        AdversarlError: The world cannot be made or drawn.
    """
    emulator = Emulator(options, say)
    runner = web.AppRunner(emulator.app(), access_log=None, shutdown_timeout=3.0)
    try:
        await emulator.studio.prepare()
        await runner.setup()
        await _listen(runner, options.host, options.port)
    except BaseException:
        await runner.cleanup()
        await emulator.close()
        raise
    return RunningServer(emulator, runner, runner.addresses[0][1])


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        action = "Choose another host or port; port 0 takes one that is free."
        raise OdysseyError(f"the emulator cannot listen on {host}:{port}: {why}", action) from error


class ServerThread:
    """The emulator on a thread of its own.

    In a process that draws with software OpenGL itself, long runs should serve from a process of its own: two threads
    that draw at once crash that about once in 300,000 pictures.

    Tests and benchmarks use it so::

        with ServerThread(EmulatorOptions(size=(96, 160), fps=10)) as server:
            client = Odyssey(server.key, api_url=server.url)
            server.faults.switch("late-frames=2")

    Args:
        options: What the server does.
        say: Told a line for people when something happens, on the server's thread.
    """

    def __init__(self, options: EmulatorOptions | None = None, say: Callable[[str], None] = _log.info) -> None:
        self.options, self._say = options or EmulatorOptions(), say
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._server: RunningServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="emulator", daemon=True)

    @property
    def running(self) -> RunningServer:
        """The server."""
        if self._server is None:
            raise RuntimeError("the emulator does not run: use `with ServerThread(...) as server`")
        return self._server

    @property
    def url(self) -> str:
        """Its address."""
        return self.running.url

    @property
    def key(self) -> str:
        """The key that it accepts."""
        return self.running.key

    @property
    def faults(self) -> Faults:
        """Which faults are on; may be switched from here."""
        return self.running.emulator.faults

    def stats(self) -> dict[str, float]:
        """What is open now: sessions, connections, streams, stages, tasks."""

        async def read() -> dict[str, float]:
            return self.running.emulator.stats()

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(read(), self._loop).result(10.0)

    def start(self) -> ServerThread:
        """Starts it and waits until it listens.

        Raises:
            AdversarlError: See `serve`.
        """
        self._thread.start()
        if not self._ready.wait(LONGEST_START_S):
            raise TimeoutError("the emulator does not start")
        if self._failure is not None:
            self._thread.join()
            self.close()
        return self

    def close(self) -> None:
        """Ends it; may be called twice."""
        if self._thread.is_alive() and self._loop is not None and self._ended is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(LONGEST_END_S)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._server = await serve(self.options, self._say)
        self._ready.set()
        await self._ended.wait()
        await self._server.close()

    def __enter__(self) -> ServerThread:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

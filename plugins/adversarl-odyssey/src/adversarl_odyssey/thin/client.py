"""The client: streams, and what `offline` adds."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp

from adversarl_odyssey.sdk import URL, hide, is_loopback
from adversarl_odyssey.thin.errors import OdysseyConnectionError, OdysseyError, OdysseyStreamError
from adversarl_odyssey.thin.handlers import Handlers
from adversarl_odyssey.thin.http import Api
from adversarl_odyssey.thin.images import data_url
from adversarl_odyssey.thin.link import Link
from adversarl_odyssey.thin.offline import Offline
from adversarl_odyssey.thin.session import Session, request_session
from adversarl_odyssey.thin.talk import Talk
from adversarl_odyssey.thin.types import (
    AdvancedConfig,
    ConnectionStatus,
    StreamerCapabilities,
    VideoFrame,
)

START_S, ANSWER_S, END_S = 60.0, 30.0, 10.0
"""How long the start, an interaction and the end of a stream may take [s]."""


class Odyssey(Offline):
    """A client for emulators on this machine, used like the class of this name in Odyssey's SDK.

    One stream::

        client = Odyssey(key, api_url=url)
        await client.connect(on_video_frame=show)
        await client.start_stream("A workshop", portrait=False)
        await client.interact("Dim the lights")
        await client.end_stream()
        await client.disconnect()

    Unlike the SDK's, it leaves nothing open when `connect` fails or is cancelled, it outlives functions that raise,
    and every wait has an end.

    Args:
        api_key: The key.
        api_url: Address of the emulator; default: the variable ODYSSEY_API_URL.
        enable_telemetry: For the surface's sake; nothing is ever sent.
        debug: For the surface's sake.
        advanced: Settings of connecting.

    Raises:
        ValueError: The address is not this machine's, or there is no key.
    """

    def __init__(
        self,
        api_key: str = "",
        *,
        api_url: str | None = None,
        enable_telemetry: bool = False,
        debug: bool = False,
        advanced: AdvancedConfig | None = None,
    ) -> None:
        del enable_telemetry, debug
        if not api_key.strip():
            raise ValueError("api_key is missing")
        api_url = api_url or os.environ.get(URL, "")
        if not is_loopback(api_url):
            raise ValueError("this client is for emulators on this machine; use Odyssey's SDK elsewhere")
        super().__init__(Api(api_url, api_key))
        self._advanced = advanced or AdvancedConfig()
        self._talk = Talk()
        self._status = ConnectionStatus.DISCONNECTED
        self._session_id: str | None = None
        # The SDK keeps it under the same name, and offers no other way to it.
        self._capabilities = StreamerCapabilities()
        self._link: Link | None = None
        self._work: asyncio.Task[None] | None = None
        self._closing = asyncio.Lock()
        self._cleaning = set[asyncio.Task[None]]()

    @property
    def is_connected(self) -> bool:
        """Whether streams can be started."""
        return self._status is ConnectionStatus.CONNECTED

    @property
    def current_status(self) -> ConnectionStatus:
        """Where the client stands."""
        return self._status

    @property
    def current_session_id(self) -> str | None:
        """Name of the session."""
        return self._session_id

    @property
    def last_applied_prompt(self) -> str | None:
        """The prompt that the service made of the last one."""
        return self._talk.applied

    async def connect(self, **handlers: Any) -> None:
        """Gets a session and connects to its machine.

        Args:
            **handlers: See `Handlers`.

        Raises:
            OdysseyError: One of the module `errors`; nothing is left open.
        """
        if self.is_connected:
            return
        if self._work is not None:
            raise OdysseyConnectionError(f"the client is already {self._status.value}")
        self._talk.handlers = Handlers(**handlers)
        self._work = asyncio.create_task(self._establish())
        try:
            await self._work
        except asyncio.CancelledError:
            await self._settle(ConnectionStatus.DISCONNECTED, None)
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            raise OdysseyConnectionError("the client was disconnected while it connected") from None
        except Exception as error:
            trouble = _wrapped(error)
            await self._settle(ConnectionStatus.FAILED, trouble)
            if trouble is error:
                raise
            raise trouble from error
        finally:
            self._work = None

    async def _establish(self) -> None:
        self._to(ConnectionStatus.AUTHENTICATING)
        await self._drop()
        self.api.forget()
        session = await request_session(self.api, self._advanced.queue_timeout_s)
        self._session_id, self._capabilities = session.session_id, session.capabilities
        self._to(ConnectionStatus.CONNECTING)
        link = await self._open(session)
        await link.stand()
        self._to(ConnectionStatus.CONNECTED)
        self._call("on_connected")

    async def _open(self, session: Session) -> Link:
        """A link whose signalling is open; tries again as `AdvancedConfig` says."""
        seen = self._on_frame if self._talk.handlers.on_video_frame is not None else None
        for attempt in itertools.count():
            self._link = link = Link(self._talk.on_text, seen, self._on_lost)
            try:
                await link.open(self.api, session)
                break
            except (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError):
                if attempt >= self._advanced.max_retries:
                    raise
            await self._drop()
            await asyncio.sleep(self._advanced.pause_s(attempt))
        return link

    async def _settle(self, status: ConnectionStatus, error: Exception | None) -> None:
        """After a connection that failed."""
        try:
            await finish(self._release())
        finally:
            self._session_id = None
            self._to(status, None if error is None else str(error))
        if error is not None:
            self._call("on_error", error, True)

    async def start_stream(
        self,
        prompt: str = "",
        portrait: bool = True,
        image: Any = None,
        *,
        broadcast: bool = False,
        bypass_prompt_expansion: bool | None = None,
    ) -> str:
        """Starts a stream.

        Args:
            prompt: What it shows.
            portrait: Whether its pictures are upright.
            image: What it begins with; see `images.data_url`.
            broadcast: Whether others may watch.
            bypass_prompt_expansion: Whether the prompt is taken as it is, which needs a privilege.

        Returns:
            The stream's name.

        Raises:
            OdysseyError: One of the module `errors`.
            ValueError: The image is none.
        """
        picture = None if image is None else await asyncio.to_thread(data_url, image, portrait=portrait)
        message: dict[str, Any] = {"type": "interactive_stream_start", "prompt": prompt, "portrait": portrait}
        message |= {"input_image_base64": picture, "broadcast": broadcast}
        if bypass_prompt_expansion is not None:
            message["bypass_vlm_expansion"] = bypass_prompt_expansion
        return await self._ask("start", message, START_S, signal=picture is not None)

    async def interact(self, prompt: str) -> str:
        """Asks for a change of the stream.

        Returns:
            The prompt that the service acknowledged.

        Raises:
            OdysseyError: One of the module `errors`.
        """
        return await self._ask("interact", {"type": "update", "prompt": prompt}, ANSWER_S)

    async def end_stream(self) -> None:
        """Ends the stream.

        Raises:
            OdysseyError: One of the module `errors`.
        """
        await self._ask("end", {"type": "interactive_stream_end"}, END_S)

    async def _ask(self, kind: str, message: Mapping[str, Any], limit_s: float, *, signal: bool = False) -> str:
        link = self._link
        if not self.is_connected or link is None:
            raise OdysseyStreamError(f"cannot {kind}: the client is {self._status.value}, not connected")
        return await self._talk.ask(link, kind, message, limit_s, signal=signal)

    def _on_frame(self, frame: VideoFrame) -> None:
        self._call("on_video_frame", frame)

    def _on_lost(self, code: int, sentence: str) -> None:
        """The connection is gone; like the SDK, a close that the service calls normal is no error."""
        error = OdysseyConnectionError(sentence)
        self._talk.reject(error)
        cleaning = asyncio.create_task(self._drop())
        self._cleaning.add(cleaning)
        cleaning.add_done_callback(self._cleaning.discard)
        if code in (1000, 1001):
            self._to(ConnectionStatus.DISCONNECTED, sentence)
        else:
            self._to(ConnectionStatus.FAILED, sentence)
            self._call("on_error", error, True)

    def _to(self, status: ConnectionStatus, message: str | None = None) -> None:
        if status is not self._status:
            self._status = status
            self._call("on_status_change", status, message)

    def _call(self, name: str, *values: object) -> None:
        self._talk.handlers.call(name, *values)

    async def _drop(self) -> None:
        """Closes the connection, if there is one; returns when it is closed, whoever began."""
        async with self._closing:
            link, self._link = self._link, None
            if link is not None:
                await link.close()
                self._talk.reject(OdysseyConnectionError("the client was disconnected"))

    async def _release(self) -> None:
        await self._drop()
        await self.api.close()

    async def disconnect(self) -> None:
        """Leaves; may be called at any time and twice, and what waits for an answer gets an error."""
        work = self._work
        if work is not None:
            work.cancel()
            await asyncio.wait([work])
        await finish(self._leave())

    async def _leave(self) -> None:
        if self._cleaning:
            await asyncio.wait(self._cleaning)
        await self._release()
        self._session_id, self._talk.applied = None, None
        self._to(ConnectionStatus.DISCONNECTED)


async def finish(work: Awaitable[None]) -> None:
    """Lets something run to its end though its caller may be cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _wrapped(error: Exception) -> Exception:
    """The error that `connect` raises for another."""
    if isinstance(error, OdysseyError):
        return error
    return OdysseyConnectionError(hide(f"{type(error).__name__}: {error}"))

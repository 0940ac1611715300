"""One client of the service: every call has an end, and every way of losing the connection is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.sdk import hide
from adversarl_odyssey.troubles import Trouble, stream_trouble, trouble_of

T = TypeVar("T")
END_S = 3.0
"""How long the end of a stream may take [s]; leaving the session ends it too."""
LEAVE_S = 5.0
"""How long leaving may take [s]; the service notices the loss of the connection too."""
UNCLEAR_S = 1.0
"""How much longer an answer is waited for once something unreadable came, which may have been it [s]."""
GONE = ("disconnected", "failed")

log = logging.getLogger(__name__)


class Disturbed(Exception):
    """Something went wrong with the service; `trouble` says what."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.sentence)
        self.trouble = trouble


class Connection:
    """A client and what became of it; lives on the loop of the streams.

    Its stream calls it so::

        connection = Connection(make_client, on_picture)
        try:
            await connection.open(60.0)
            await connection.start(scene, portrait=False, limit_s=60.0)
            await connection.say("dim the lights", 5.0)
            await connection.stop()
        finally:
            await connection.close()

    The SDK's own calls wait for ever for answers that never come, and its pending calls do not learn of a lost
    connection; here each call ends with `Disturbed` in both cases.

    Args:
        client: An instance of the SDK's class or of ours.
        on_picture: Is given each picture, RGB uint8, Shape (h, w, 3), which nobody else changes afterwards.
        on_nonsense: Is told of messages that the client did not understand.
    """

    def __init__(
        self, client: Any, on_picture: Callable[[NDArray[np.uint8]], object], on_nonsense: Callable[[str], object]
    ) -> None:
        self._client = client
        self._on_picture, self._on_nonsense = on_picture, on_nonsense
        self._lost: asyncio.Future[Trouble] = asyncio.get_running_loop().create_future()
        self._opened = self._streaming = False
        self._unclear = asyncio.Event()
        self._refusal: Trouble | None = None

    @property
    def trouble(self) -> Trouble | None:
        """What happened while nobody waited for an answer."""
        return self._lost.result() if self._lost.done() else None

    async def open(self, limit_s: float) -> None:
        """Connects, the service's queue included.

        Raises:
            Disturbed: There is no connection.
        """
        handlers = {
            "on_video_frame": lambda frame: self._on_picture(frame.data),
            "on_stream_error": self._on_stream_error,
            "on_stream_ended": self._ended,
            "on_error": self._on_error,
            "on_disconnected": lambda: self._gone("the connection was closed"),
            "on_status_change": self._on_status,
        }
        await self._call(self._client.connect(**handlers), limit_s, "connecting")
        self._opened = True

    @property
    def takes_pictures(self) -> bool:
        """Whether streams can begin with a picture, as far as the client knows; the SDK keeps it to itself."""
        return bool(getattr(getattr(self._client, "_capabilities", None), "image_to_video", True))

    async def start(
        self, scene: str, *, portrait: bool, limit_s: float, picture: NDArray[np.uint8] | None = None
    ) -> str:
        """Starts a stream, with a picture of Shape (h, w, 3) if one is given; returns the service's name for it.

        Raises:
            Disturbed: It did not start.
        """
        if self._lost.done() and self._lost.result().kind == "rotate":
            self._lost = asyncio.get_running_loop().create_future()
        self._streaming, self._refusal = True, None
        first = {} if picture is None else {"image": picture}
        work = self._client.start_stream(scene, portrait=portrait, **first)
        return str(await self._call(work, limit_s, "starting a stream"))

    def refusal(self) -> Trouble | None:
        """Why the service did not take what was said last; told once."""
        refusal, self._refusal = self._refusal, None
        return refusal

    async def say(self, text: str, limit_s: float) -> bool:
        """Says something to the stream; returns whether the service acknowledged or refused it in time.

        Raises:
            Disturbed: The stream is over.
        """
        try:
            await self._call(self._client.interact(text), limit_s, "")
        except TimeoutError:
            return False
        except Disturbed as disturbed:
            if disturbed.trouble.kind != "refused":
                raise
            self._refusal = disturbed.trouble
        return True

    async def stop(self) -> bool:
        """Ends the stream; returns whether another one can be started on the connection."""
        if self._streaming:
            self._streaming = False
            try:
                await self._call(self._client.end_stream(), END_S, "ending a stream")
            except Disturbed as disturbed:
                log.debug("the end of a stream was not acknowledged: %s", disturbed)
                return False
        trouble = self.trouble
        return trouble is None or trouble.kind == "rotate"

    async def close(self) -> None:
        """Leaves; also after a failed `open`, because the SDK leaves its own HTTP sessions open then."""
        self._opened = self._streaming = False
        for _ in range(2):
            try:
                async with asyncio.timeout(LEAVE_S):
                    return await self._client.disconnect()  # type: ignore[no-any-return]
            except Exception as error:
                log.debug("leaving failed: %s", hide(f"{type(error).__name__}: {error}"))

    async def _call(self, work: Coroutine[Any, Any, T], limit_s: float, what: str) -> T:
        """Waits for an answer, for the loss of the connection or for the end of patience.

        Raises:
            TimeoutError: No answer came, and there is no `what` that would make a trouble of it.
            Disturbed: Everything else.
        """
        task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
        self._unclear.clear()
        unclear = loop.create_task(self._unclear.wait())
        ends: set[asyncio.Future[Any]] = {task, self._lost}
        try:
            until = loop.time() + limit_s
            await asyncio.wait({*ends, unclear}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if not (task.done() or self._lost.done()):
                left = min(UNCLEAR_S, until - loop.time())
                await asyncio.wait(ends, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        except Exception as error:
            raise Disturbed(trouble_of(error)) from error
        finally:
            unclear.cancel()
            await _dismiss(task)
        if self._lost.done():
            raise Disturbed(self._lost.result())
        if not what:
            raise TimeoutError
        raise Disturbed(trouble_of(TimeoutError(f"{what} took longer than {limit_s:g} s")))

    def _lose(self, trouble: Trouble, *, streaming: bool) -> None:
        self._streaming = self._streaming and streaming
        if not self._lost.done():
            self._lost.set_result(trouble)

    def _on_stream_error(self, reason: str, message: str) -> None:
        trouble = stream_trouble(reason, message)
        if trouble.kind == "refused":
            self._refusal = trouble
        else:
            self._lose(trouble, streaming=False)

    def _ended(self) -> None:
        if self._streaming:
            self._lose(Trouble("transient", "the service ended the stream", "It is begun anew."), streaming=False)

    def _on_error(self, error: Exception, fatal: bool) -> None:
        if fatal:
            self._lose(trouble_of(error), streaming=False)
        else:
            self._unclear.set()
            self._on_nonsense(hide(f"{type(error).__name__}: {error}"))

    def _on_status(self, status: Any, message: str | None = None) -> None:
        if self._opened and str(getattr(status, "value", status)) in GONE:
            self._gone(message or "the connection was closed")

    def _gone(self, message: str) -> None:
        if self._opened:
            sentence = f"the connection was lost ({hide(message).rstrip('.')})"
            self._lose(Trouble("transient", sentence, "Look at the network."), streaming=False)


async def surely(work: Coroutine[Any, Any, T]) -> T:
    """Lets something run to its end although its caller may be cancelled meanwhile, so that nothing is left open."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _dismiss(task: asyncio.Future[Any]) -> None:
    """Cancels what is not done and waits for it, so that nothing of it is left behind."""
    if task.done():
        if not task.cancelled():
            task.exception()
        return
    task.cancel()
    await asyncio.wait({task}, timeout=LEAVE_S)

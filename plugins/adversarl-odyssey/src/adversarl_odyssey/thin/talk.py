"""Questions to a machine, and its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from adversarl_odyssey.thin.errors import OdysseyConnectionError, OdysseyStreamError, stream_error
from adversarl_odyssey.thin.handlers import Handlers
from adversarl_odyssey.thin.link import Link
from adversarl_odyssey.thin.types import BroadcastInfo


class Talk:
    """What is asked over one client's connections; each kind of question has one answer at a time.

    Attributes:
        handlers: Are told what the machine says.
        applied: The prompt that the service made of the last one.
    """

    def __init__(self) -> None:
        self.handlers = Handlers()
        self.applied: str | None = None
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._turns = {kind: asyncio.Lock() for kind in ("start", "interact", "end")}

    async def ask(
        self, link: Link, kind: str, message: Mapping[str, Any], limit_s: float, *, signal: bool = False
    ) -> str:
        """Sends a question and waits for its answer; questions of one kind take turns.

        Args:
            link: Where to.
            kind: ``start``, ``interact`` or ``end``.
            message: The question.
            limit_s: How long its answer may take [s].
            signal: See `Link.send`.

        Raises:
            OdysseyError: See the module `errors`.
        """
        async with self._turns[kind]:
            if link.over:
                raise OdysseyConnectionError(f"cannot {kind}: {link.over}")
            answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._waiting[kind] = answer
            try:
                async with asyncio.timeout(limit_s):
                    await link.send(message, signal=signal)
                    return await answer
            except TimeoutError:
                raise OdysseyStreamError(f"no answer to '{kind}' within {limit_s:g} s") from None
            except ConnectionError as error:
                raise OdysseyConnectionError(f"cannot {kind}: {error}") from error
            finally:
                answer.cancel()
                del self._waiting[kind]

    def _answer(self, kind: str, text: str) -> None:
        if (answer := self._waiting.get(kind)) is not None and not answer.done():
            answer.set_result(text)

    def reject(self, error: Exception) -> None:
        """Lets all that wait for an answer raise an error."""
        for answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(error)

    def on_text(self, text: str | bytes) -> None:
        """Takes what arrived; nonsense is told and forgotten."""
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise ValueError("a message of the service is no JSON object")
            self._on_message(message)
        except Exception as error:
            self.handlers.call("on_error", error, False)

    def _on_message(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if kind == "stream_started":
            applied, stream = message.get("applied_prompt"), str(message.get("stream_id", ""))
            self.applied = None if applied is None else str(applied)
            self._answer("start", stream)
            self.handlers.call("on_stream_started", stream)
        elif kind == "update_acknowledged":
            prompt = str(message.get("prompt", ""))
            self.applied = prompt or None
            self._answer("interact", prompt)
            self.handlers.call("on_interact_acknowledged", prompt)
        elif kind == "stream_ended":
            self._answer("end", "")
            self.handlers.call("on_stream_ended")
        elif kind == "interactive_stream_error":
            reason, text = str(message.get("reason", "unknown")), str(message.get("message", ""))
            self.reject(stream_error(reason, text))
            self.handlers.call("on_stream_error", reason, text)
        elif kind == "broadcast_ready":
            url, token = message.get("webrtc_url"), message.get("spectator_token")
            if url and token:
                self.handlers.call("on_broadcast_ready", BroadcastInfo(message.get("broadcast_url"), url, token))
            else:
                self.handlers.call("on_stream_error", "broadcast_error", "The broadcast has no address or no token")

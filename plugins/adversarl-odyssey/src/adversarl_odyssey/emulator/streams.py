"""What a client asks of its stream: start, update, end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

from adversarl_odyssey.emulator.gate import LONGEST_PROMPT, OWNER
from adversarl_odyssey.emulator.images import decode_image
from adversarl_odyssey.emulator.recordings import Recorder, Recordings
from adversarl_odyssey.emulator.sessions import Sessions
from adversarl_odyssey.emulator.studio import Stage, Studio
from adversarl_odyssey.emulator.track import StageTrack

_log = logging.getLogger(__name__)
READY, READY_S = 3, 3.0
"""A stream is ready after so many pictures, or so long [s]; a client holds the latest ones back until newer come."""


class Streamer:
    """Serves one client, one stream after the other.

    Args:
        studio: Where the stages are.
        track: Where they are shown.
        sessions: The account, for its limits.
        recordings: Where streams are recorded.
        name: Of the session, for people.
    """

    def __init__(
        self, studio: Studio, track: StageTrack, sessions: Sessions, recordings: Recordings, name: str
    ) -> None:
        self._studio, self._track, self._sessions, self._name = studio, track, sessions, name
        self._recordings = recordings
        self._recorder: Recorder | None = None
        self._failures = set[asyncio.Task[None]]()
        track.failed = self._fail
        self.send: Callable[[dict[str, Any]], None] = lambda message: None
        """Tells the client something."""
        self._stage: Stage | None = None
        self._stream = ""
        self._began = 0.0
        self._lock = asyncio.Lock()
        self._handlers = {
            "interactive_stream_start": self._start,
            "update": self._update,
            "interactive_stream_end": self._end,
        }

    def age(self) -> float | None:
        """How old the running stream is [s]; None without one."""
        return None if self._stage is None else time.monotonic() - self._began

    async def handle(self, message: dict[str, Any]) -> None:
        """Does what a message asks for; one that is malformed is answered with an error, never with silence."""
        try:
            handler = self._handlers.get(str(message.get("type")))
            if handler is None:
                self._refuse("unknown_message", f"there is no message of type {message.get('type')!r:.80}")
                return
            async with self._lock:
                await handler(message)
        except ValueError as error:
            self._refuse("invalid_request", str(error))
        except Exception:
            _log.exception("%s: a message could not be handled", self._name)
            self._refuse("internal_error", "the emulator failed; its log says why")

    def _refuse(self, reason: str, message: str) -> None:
        self._sessions.say(f"{self._name}: {reason}: {message}")
        self.send({"type": "interactive_stream_error", "reason": reason, "message": message})

    async def _start(self, message: dict[str, Any]) -> None:
        prompt = _text(message)
        image = await asyncio.to_thread(decode_image, message.get("input_image_base64"), "input_image_base64")
        if self._sessions.faults.take("lease-denied"):
            self._refuse("lease_denied", "the emulator was told to deny it")
            return
        if self._sessions.over_quota():
            self._refuse("quota_exceeded", "the hours of the month are used up")
            return
        if self._sessions.faults.get("concurrent"):
            self._refuse("concurrent_limit_exceeded", "the account has as many streams as it may")
            return
        if message.get("bypass_vlm_expansion"):
            self._refuse("bypass_not_allowed", "this account may not bypass the expansion of prompts")
            return
        portrait = message.get("portrait", True)
        if not isinstance(portrait, bool):
            raise ValueError("'portrait' must be true or false")
        await self._finish()
        self._stage = await self._studio.open(prompt, portrait=portrait, image=image)
        self._stream, self._began = f"str_{secrets.token_hex(8)}", time.monotonic()
        self._recorder = self._recordings.begin(self._stream, OWNER, self._stage.size)
        self._recorder.note(0.0, "start", prompt, prompt)
        self._track.show(self._stage, self._recorder.add)
        await self._until_seen()
        self.send({"type": "stream_started", "stream_id": self._stream, "applied_prompt": prompt})
        self._sessions.say(f"{self._name}: stream {self._stream} starts: {prompt!r:.100}")
        if message.get("broadcast"):
            self._sessions.say(f"{self._name}: broadcasts are not emulated")
            self.send({"type": "broadcast_ready", "broadcast_url": None, "webrtc_url": None, "spectator_token": None})

    async def _until_seen(self) -> None:
        """Waits a moment for the first pictures: a stream that is called ready can be seen, however soon it ends."""
        end = time.monotonic() + READY_S
        while self._track.shown < READY and time.monotonic() < end:
            await asyncio.sleep(0.01)

    async def _update(self, message: dict[str, Any]) -> None:
        text = _text(message)
        if self._stage is None:
            self._refuse("no_active_stream", "start a stream before you talk to it")
            return
        if self._sessions.faults.take("refuse-prompt"):
            self._refuse("moderation", "the emulator was told to refuse the prompt")
            return
        applied = await self._stage.tell(text)
        if self._recorder is not None:
            self._recorder.note(self.age() or 0.0, "interact", text, applied)
        self.send({"type": "update_acknowledged", "prompt": applied})

    async def _end(self, message: dict[str, Any]) -> None:
        del message
        await self._finish()
        self.send({"type": "stream_ended"})

    async def stop(self, reason: str, message: str) -> None:
        """Ends the stream against the client's will."""
        async with self._lock:
            if self._stage is not None:
                await self._finish()
                self._refuse(reason, message)

    def _fail(self) -> None:
        task = asyncio.create_task(self.stop("internal_error", "the emulator failed; its log says why"))
        self._failures.add(task)
        task.add_done_callback(self._failures.discard)

    async def close(self) -> None:
        """Ends the stream, if there is one."""
        async with self._lock:
            await self._finish()

    async def _finish(self) -> None:
        stage, age, recorder = self._stage, self.age(), self._recorder
        if stage is None or age is None:
            return
        shown = self._track.shown
        self._stage = self._recorder = None
        self._track.show(None)
        self._sessions.used_s += age
        if recorder is not None:
            recorder.end(age)
        await stage.close()
        rate = shown / age if age else 0.0
        self._sessions.say(f"{self._name}: stream {self._stream} ended after {age:.1f} s, {rate:.1f} pictures/s")


def _text(message: dict[str, Any]) -> str:
    text = message.get("prompt")
    if not isinstance(text, str):
        raise ValueError(f"'prompt' must be a text, not {text!r:.80}")
    if len(text) > LONGEST_PROMPT:
        raise ValueError(f"'prompt' has {len(text)} characters; {LONGEST_PROMPT} are the most")
    return text

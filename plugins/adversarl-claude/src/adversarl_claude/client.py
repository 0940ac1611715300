"""Calls to the Messages API on a thread of its own, so that no step of an environment ever waits for one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import anthropic
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adversarl_claude.options import ServiceOptions
from adversarl_claude.troubles import Trouble, reached, trouble_of

KEY = "ANTHROPIC_API_KEY"
HIDDEN = "[key]"
CONNECT_S = 10.0
"""Longest wait for a connection [s]; a service that is there answers sooner, however long it thinks."""
SHORTEST_SECRET = 6
"""Shorter parts of a key are ordinary text [characters]."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with a response of the Messages API as plain data, or with a trouble.

    Attributes:
        response: The response.
        trouble: Why there is none.
        lost: Attempts that may have been billed although nothing of theirs could be used.
    """

    response: dict[str, Any] | None = None
    trouble: Trouble | None = None
    lost: int = 0


_billable: ContextVar[list[None]] = ContextVar("billable")
"""One entry for each attempt of the running call that the service may bill."""


class _Connection(anthropic.DefaultAsyncHttpxClient):
    """Notes attempts that reached the service and were not refused; the SDK does not tell what it tried again."""

    async def send(self, request: Any, **options: Any) -> Any:
        try:
            response = await super().send(request, **options)
        except BaseException as error:
            if reached(error):
                _billable.get().append(None)
            raise
        if response.status_code < 400:
            _billable.get().append(None)
        return response


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="allow")
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cache_read_input_tokens: int | None = Field(None, ge=0)
    cache_creation_input_tokens: int | None = Field(None, ge=0)


class _Block(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: str


class _Response(BaseModel):
    """What of a response has to be there; the SDK itself does not check it."""

    model_config = ConfigDict(extra="allow")
    content: list[_Block]
    usage: _Tokens
    stop_reason: str


class Client:
    """Asks Claude without waiting.

    A caller goes on meanwhile::

        ticket = client.submit(request)          # returns at once
        while (outcome := client.poll(ticket)) is None:
            step_the_environment()
        client.close()

    Rate limits, ``retry-after`` and other retries are the SDK's. The thread starts with the first request; nothing that
    goes wrong in it is ever raised here. The key is taken from the environment and appears in no outcome.

    Args:
        options: How Claude is reached.
    """

    def __init__(self, options: ServiceOptions) -> None:
        self.options = options
        self._key = os.environ.get(KEY, "").strip()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sdk: anthropic.AsyncAnthropic | None = None
        self._changing = threading.Lock()
        self._calls: dict[int, Future[Outcome]] = {}
        self._tickets = 0

    @property
    def has_key(self) -> bool:
        """Whether the environment names a key."""
        return bool(self._key)

    def submit(self, request: Mapping[str, Any], max_retries: int | None = None) -> int:
        """Begins a call with the keyword arguments of `AsyncAnthropic.messages.create`; returns its ticket.

        Args:
            request: The arguments.
            max_retries: Most further attempts; None takes the options'.
        """
        retries = self.options.max_retries if max_retries is None else max_retries
        with self._changing:  # a call never reaches a thread that is about to end, where nobody would answer it
            loop = self._loop or self._start()
            self._tickets += 1
            self._calls[self._tickets] = asyncio.run_coroutine_threadsafe(self._call(dict(request), retries), loop)
            return self._tickets

    def poll(self, ticket: int, wait_s: float = 0.0) -> Outcome | None:
        """How a call ended, told once; None while it goes on.

        Args:
            ticket: From `submit`.
            wait_s: How long to wait for it [s].

        Raises:
            CancelledError: The client was closed.
        """
        call = self._calls.get(ticket)
        if call is None:
            raise CancelledError
        try:
            outcome = call.result(wait_s) if wait_s or call.done() else None
        except TimeoutError:
            return None
        if outcome is not None:
            del self._calls[ticket]
        return outcome

    def close(self) -> None:
        """Cancels what is going on and ends the thread."""
        with self._changing:
            loop, thread = self._loop, self._thread
            if loop is None or thread is None:
                return
            self._loop = self._thread = None
            self._calls.clear()
            ended = asyncio.run_coroutine_threadsafe(self._shut_down(), loop)
        ended.result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name="adversarl-claude", daemon=True)
        self._thread.start()
        return loop

    async def _call(self, request: dict[str, Any], retries: int) -> Outcome:
        billable: list[None] = []
        _billable.set(billable)
        try:
            sdk = self._connected().with_options(max_retries=retries)
            async with asyncio.timeout(self.options.deadline_s):
                response = self._checked(await sdk.messages.create(**request))
            return Outcome(response, lost=len(billable) - 1)
        except Exception as error:
            return Outcome(trouble=trouble_of(error, self._hide), lost=len(billable))

    def _connected(self) -> anthropic.AsyncAnthropic:
        if self._sdk is None:
            options = self.options
            timeout = anthropic.Timeout(options.timeout_s, connect=min(CONNECT_S, options.timeout_s))
            self._sdk = anthropic.AsyncAnthropic(
                api_key=self._key, base_url=options.base_url, timeout=timeout, http_client=_Connection(timeout=timeout)
            )
        return self._sdk

    def _checked(self, message: Any) -> dict[str, Any]:
        """The response as plain data, without the key should the service have echoed it.

        Raises:
            ValueError: It is no response of the Messages API.
        """
        if not hasattr(message, "to_dict"):
            raise ValueError("the body is no JSON")
        text = message.to_json(indent=None, warnings=False)
        try:
            _Response.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        plain: dict[str, Any] = json.loads(self._hide(text))
        return plain

    def _hide(self, text: str) -> str:
        """A text without the key, and without its parts where it was cut by something that no header may hold."""
        for part in re.split(r"[^!-~]+", self._key):
            text = text.replace(part, HIDDEN) if len(part) >= SHORTEST_SECRET else text
        return text

    async def _shut_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._sdk is not None:
            await self._sdk.close()
            self._sdk = None
        await asyncio.get_running_loop().shutdown_default_executor()

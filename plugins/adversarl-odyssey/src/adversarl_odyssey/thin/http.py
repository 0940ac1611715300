"""Requests to the service's web interface."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from adversarl_odyssey.thin.errors import OdysseyAuthError

REQUEST_S = 30.0
"""Longest wait for an answer [s]."""
EARLY_S = 60.0
"""How long before its end a token counts as expired [s]."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: HTTP status.
        reason: Its name.
        text: The body.
    """

    status: int
    reason: str
    text: str

    @property
    def good(self) -> bool:
        """Whether the request was obeyed."""
        return self.status < 400

    def json(self) -> dict[str, Any]:
        """The body.

        Raises:
            ValueError: It is no JSON object.
        """
        content = json.loads(self.text)
        if not isinstance(content, dict):
            raise ValueError("the service answered with something that is no JSON object")
        return content

    def detail(self) -> Any:
        """What an error's body tells, as far as it can be read."""
        try:
            content = self.json()
        except ValueError:
            return self.text
        return content.get("detail", content)


class Api:
    """The web interface; logs in when it has to.

    Args:
        url: Address of the service.
        key: The account's key; kept here alone.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._body = _Secret({"api_key": key})
        self._token = _Secret("")
        self._until = 0.0
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool of connections, made when it is first needed."""
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=REQUEST_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def ask(
        self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None, *, login: bool = True
    ) -> Reply:
        """Sends a request.

        Raises:
            aiohttp.ClientError: The service cannot be reached.
            TimeoutError: It did not answer.
            OdysseyAuthError: It does not accept the key.
        """
        headers = {"Authorization": f"Bearer {await self._login()}"} if login else {}
        request = self.session.request(method, f"{self.url}{path}", json=body, params=params, headers=headers)
        async with request as response:
            return self._reply(response.status, response.reason or "", await response.text())

    def _reply(self, status: int, reason: str, text: str) -> Reply:
        """An answer; a refusal that quotes the key does so no longer."""
        return Reply(status, reason, text if status < 400 else text.replace(self._body.value["api_key"], "(key)"))

    async def _login(self) -> str:
        """A token; like the SDK's, it is used until the time that the service named when it gave it."""
        if time.monotonic() >= self._until:
            reply = await self.ask("POST", "/auth/token", self._body.value, login=False)
            if reply.status in (401, 403, 422):
                raise OdysseyAuthError(_REFUSALS.get(reply.status) or str(reply.detail()))
            if not reply.good:
                raise ConnectionError(f"the login failed: {reply.status} {reply.reason}")
            content = reply.json()
            if not isinstance(content.get("access_token"), str):
                raise ValueError("the login's answer holds no access_token")
            self._token = _Secret(content["access_token"])
            self._until = time.monotonic() + float(content.get("expires_in", 3600)) - EARLY_S
        return str(self._token.value)

    def forget(self) -> None:
        """Logs in anew before the next request."""
        self._token, self._until = _Secret(""), 0.0

    async def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        self.forget()
        session, self._session = self._session, None
        if session is not None:
            await session.close()


_REFUSALS = {401: "the service does not know this API key", 422: "this API key has a format that no key has"}


class _Secret:
    """Something that no representation shows."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "(hidden)"

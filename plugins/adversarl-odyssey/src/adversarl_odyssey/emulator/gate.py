"""Who may ask for what: keys, access tokens and bodies of requests."""

from __future__ import annotations

import hmac
import json
from typing import Any

from aiohttp import web

from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.options import LONGEST_KEY, EmulatorOptions
from adversarl_odyssey.emulator.tokens import Signer

LONGEST_PROMPT = 10_000
"""A longer one would keep the thread of all worlds from their pictures while it is understood [character]."""
OWNER = "the account"
"""Whose everything is: there is but one key."""


class Gate:
    """Exchanges the one key for access tokens, and recognises those.

    Args:
        options: The key, and how long tokens are valid.
        signer: Signs the tokens.
        faults: Whether tokens expire early.
    """

    def __init__(self, options: EmulatorOptions, signer: Signer, faults: Faults) -> None:
        self._options, self._signer, self._faults = options, signer, faults

    def lifetime_s(self) -> float:
        """How long tokens that are made now are valid [s]."""
        early = self._faults.get("expire-token")
        return self._options.token_s if early is None else early

    async def token(self, request: web.Request) -> web.Response:
        """``POST /auth/token``."""
        key = (await body_of(request)).get("api_key")
        if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
            return web.json_response({"detail": "'api_key' must be a text"}, status=422)
        if not self._is_key(key):
            return web.json_response({"detail": "Invalid API key"}, status=401)
        token = self._signer.sign(self.lifetime_s(), use="access")
        return web.json_response({"access_token": token, "expires_in": int(self._options.token_s)})

    def _is_key(self, key: str) -> bool:
        given, right = (text.encode(errors="surrogatepass") for text in (key, self._options.key))
        return hmac.compare_digest(given, right)

    def check(self, request: web.Request, *, key: bool = False) -> None:
        """Lets requests with an access token pass, or with the key itself where `key` says so.

        Raises:
            web.HTTPUnauthorized: The request has none.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            claims = self._signer.read(token)
            if (claims is not None and claims.get("use") == "access") or (key and self._is_key(token)):
                return
        raise web.HTTPUnauthorized(text='{"detail": "Not authorized"}', content_type="application/json")

    def account(self, request: web.Request) -> str:
        """Whose a request is.

        Raises:
            web.HTTPUnauthorized: It has no valid access token.
        """
        self.check(request)
        return OWNER


def parse(text: str | bytes) -> Any:
    """What a text in JSON says.

    Raises:
        ValueError: It is none, or nested so deeply that nobody can have meant it.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object in a request.

    Raises:
        web.HTTPUnprocessableEntity: There is none.
    """
    try:
        body = parse(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        text = '{"detail": "The body must be a JSON object"}'
        raise web.HTTPUnprocessableEntity(text=text, content_type="application/json")
    return body

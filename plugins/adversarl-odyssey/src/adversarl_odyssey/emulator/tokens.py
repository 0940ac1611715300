"""Signed tokens: JSON Web Tokens with HMAC-SHA256 (RFC 7519, RFC 7515)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any


class Signer:
    """Makes and reads the tokens of one server; those of another one are worthless."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def sign(self, lifetime_s: float, **claims: Any) -> str:
        """A token with claims, valid for so long [s]."""
        now = time.time()
        body = _encode(json.dumps({**claims, "iat": now, "exp": now + lifetime_s}).encode())
        head = _encode(b'{"alg":"HS256","typ":"JWT"}')
        return f"{head}.{body}.{self._signature(f'{head}.{body}')}"

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token; None if it is forged, broken or too old."""
        try:
            signed, _, signature = token.rpartition(".")
            if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
                return None
            claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        except ValueError:
            return None
        return claims if claims["exp"] > time.time() else None

    def _signature(self, text: str) -> str:
        return _encode(hmac.new(self._secret, text.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""What can go wrong with a call, in words that say what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import anthropic

Kind = Literal["rate-limit", "overloaded", "server", "request", "key", "timeout", "connection", "malformed", "answer"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call brought nothing that can be used.

    Attributes:
        kind: What went wrong; ``key`` means that asking again is in vain, ``answer`` that the answer is no use.
        text: The same in English, with what to do where something can be done.
    """

    kind: Kind
    text: str


def plain(text: str) -> str:
    """A text in one line, without what a terminal would obey or could not show."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


_STATUS: dict[int, tuple[Kind, str]] = {
    401: ("key", "the service does not accept the key in ANTHROPIC_API_KEY"),
    402: ("key", "the account of the key in ANTHROPIC_API_KEY has no credit"),
    403: ("key", "the key in ANTHROPIC_API_KEY may not use this model"),
    404: ("key", "the service does not know the model. Look at the key 'model'"),
    429: ("rate-limit", "the rate limit is reached"),
    529: ("overloaded", "the service is overloaded"),
}


def reached(error: BaseException) -> bool:
    """Whether a request may have reached the service before this exception of the HTTP client."""
    return not type(error).__name__.startswith(("Connect", "Pool"))


def trouble_of(error: Exception, hide: Callable[[str], str]) -> Trouble:
    """What an exception of the SDK means.

    Args:
        error: The exception; it is not kept, because it holds the request with its headers.
        hide: Removes the key from a text.
    """
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error.status_code, hide(error.api_message or str(error)))
    if isinstance(error, TimeoutError):
        return Trouble("timeout", "no answer within deadline_s")
    if isinstance(error, anthropic.APITimeoutError):
        return Trouble("timeout", "no answer within timeout_s")
    if isinstance(error, anthropic.APIConnectionError):
        cause = error.__cause__ or error
        what = "the connection was lost" if reached(cause) else "the service cannot be reached"
        return Trouble("connection", hide(f"{what} ({type(cause).__name__}: {cause})"))
    if isinstance(error, json.JSONDecodeError | ValueError):
        return Trouble("malformed", hide(f"the service sent something else than an answer: {error}"))
    return Trouble("request", hide(f"{type(error).__name__}: {error}"))


def _of_status(status: int, text: str) -> Trouble:
    default: tuple[Kind, str] = ("server", "the service failed") if status >= 500 else ("request", "refused as invalid")
    kind, what = _STATUS.get(status, default)
    return Trouble(kind, f"{what} (HTTP {status}: {plain(text)[:300]})")

"""Every error of the service and its clients as one sentence and an action.

Classes are told apart by their names, so that the SDK and our own client are alike and neither is imported.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sdk import EMULATOR, KEY, hide

Kind = Literal["fatal", "transient", "rotate", "refused"]
LONGEST = 240
"""Longest quotation of the service."""
PORTAL = "Look at the account in Odyssey's portal."


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong.

    Attributes:
        kind: ``fatal``: trying again is in vain. ``transient``: try again, with a new client. ``rotate``: the stream
            is over, and a new one may begin at once. ``refused``: the words are, and a stream that runs goes on.
        sentence: What happened, in one sentence without its full stop; holds no key.
        action: What the user can do, in whole sentences.
        wait_s: How long the service asks to wait before the next attempt [s]; 0 if it does not say.
    """

    kind: Kind
    sentence: str
    action: str
    wait_s: float = 0.0


_KEY = Trouble(
    "fatal",
    f"the service does not accept the key in {KEY}",
    f"Copy the key again from Odyssey's portal, or {EMULATOR}.",
)
_TOKEN = Trouble("transient", "a token of the service expired or was refused", "It is asked for anew.")
_MONTH = Trouble(
    "fatal", "the hours of this month are used up", "Upgrade the plan, or resume the run when the next month has begun."
)
_SUSPENDED = Trouble("fatal", "the account is suspended", "Ask Odyssey's support; the run can be resumed afterwards.")
_CONCURRENT = Trouble(
    "transient",
    "as many streams run as the account may have",
    "End other streams, or lower num_envs or max_streams; forgotten sessions count for up to 15 minutes.",
    wait_s=5.0,
)
_DURATION = Trouble(
    "rotate", "the stream was as long as a stream may be", "Lower max_stream_s to renew streams earlier."
)
_RATE = Trouble("transient", "there were too many requests", "They are sent more slowly.", wait_s=2.0)
_BUSY = Trouble("transient", "no machine of the service is free", "Try later, or raise connect_timeout_s.", wait_s=1.0)
_DENIED = Trouble("transient", "the service denied the stream for now", "Try again later.", wait_s=1.0)
_LATE = Trouble("transient", "the service did not answer in time", "Look at the connection; raise connect_timeout_s.")

_CODES = {
    "MONTHLY_LIMIT_REACHED": _MONTH,
    "CONCURRENT_LIMIT_REACHED": _CONCURRENT,
    "CONCURRENT_LIMIT_EXCEEDED": _CONCURRENT,
    "STREAM_DURATION_EXCEEDED": _DURATION,
    "ACCOUNT_SUSPENDED": _SUSPENDED,
    "RATE_LIMITED": _RATE,
}
_CLASSES = {
    "MonthlyLimitReachedError": _MONTH,
    "ConcurrentLimitReachedError": _CONCURRENT,
    "StreamDurationExceededError": _DURATION,
    "AccountSuspendedError": _SUSPENDED,
    "RateLimitError": _RATE,
}
_REASONS = {
    "quota_exceeded": _MONTH,
    "concurrent_limit_exceeded": _CONCURRENT,
    "lease_denied": _DENIED,
    "session_timeout": _DURATION,
    "rate_limited": _RATE,
    "account_suspended": _SUSPENDED,
}


_MALFORMED = Trouble(
    "transient", "the service sent something that cannot be understood", "If it stays so, check api_url and the SDK."
)
_LOST = Trouble("transient", "the connection was lost", "It is opened again.")
_UNREACHED = Trouble("transient", "the service cannot be reached", "Check the network and api_url.")
_STATUS = re.compile(r"(?:: |HTTP )([45]\d\d)\b")
_QUEUE = re.compile(r"no streamers|waiting for a streamer|no machine became free|streamer.*not available", re.I)
_REFUSED_WORDS = re.compile(
    r"moderat|safety|unsafe|policy|inappropriate|not allowed|forbidden|privilege|prompt.{0,9}(reject|refuse|block)",
    re.I,
)
_ELSEWHERE = re.compile(r"(failed|no session): 40[45]")
_LOGIN = re.compile(r"API key|api_key|access denied|ession not found|token not available")
_OFTEN = re.compile(r"\b(rate|limit|many|queue)", re.I)
_NOT_UNDERSTOOD = re.compile(
    r"invalid (api|auth|session token) re|holds no access_token|no JSON object|literal|convert", re.I
)
_FILES = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_FULL = {errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.ENFILE}
_LOST_CLASSES = {"ConnectionClosed", "WebSocketException", "InvalidStateError"}
_CERTIFICATE_CLASSES = {"ClientSSLError", "ClientConnectorCertificateError"}
_BODY_CLASSES = {"JSONDecodeError", "UnicodeDecodeError", "ContentTypeError", "KeyError", "TypeError", "AttributeError"}


def trouble_of(error: Exception) -> Trouble:
    """What an exception of the SDK, of our own client or of their HTTP client means.

    Args:
        error: Any exception; what is not known counts as transient, since retries are limited.
    """
    names = _names(error)
    for name, trouble in _CLASSES.items():
        if name in names:
            return _patient(trouble, getattr(error, "details", None))
    if "OdysseyUsageError" in names:
        return _of_usage(error)
    if "OdysseyAuthError" in names or "OdysseyConnectionError" in names:
        return _of_connecting(error, refused="OdysseyAuthError" in names)
    if "OdysseyStreamError" in names:
        reason, colon, message = _text(error).partition(": ")
        return stream_trouble(reason, message) if colon and " " not in reason else _of_stream(_text(error))
    if isinstance(error, OdysseyError):
        return Trouble("fatal", error.sentence, error.action)
    return _of_http(error)


def stream_trouble(reason: str, message: str) -> Trouble:
    """What an error of a stream means that ``on_stream_error`` tells."""
    if reason in _REASONS:
        return _REASONS[reason]
    return _of_stream(_line(f"{reason}: {message}"))


def _of_stream(text: str) -> Trouble:
    if "denied" in text:
        return _DENIED
    if _REFUSED_WORDS.search(text):
        return Trouble(
            "refused", f"the service refuses the prompt ({text})", "Word the scene or the prompt differently."
        )
    return Trouble("transient", f"the stream failed ({text})", "It is started again.")


def _of_usage(error: BaseException) -> Trouble:
    """A limit that has no class of its own."""
    code = str(getattr(error, "code", ""))
    if code in _CODES:
        return _patient(_CODES[code], getattr(error, "details", None))
    text = _line(str(error.args[0]) if error.args else code)
    return Trouble("transient", f"a limit of the account is reached ({text})", PORTAL, wait_s=5.0)


def _patient(trouble: Trouble, details: object) -> Trouble:
    """The same with the pause that the service asks for."""
    wait_s = details.get("retry_after_seconds") if isinstance(details, Mapping) else None
    if isinstance(wait_s, int | float) and 0 < wait_s < 3600:
        return replace(trouble, wait_s=float(wait_s))
    return trouble


def _of_connecting(error: BaseException, *, refused: bool) -> Trouble:
    """What stopped ``connect``.

    The SDK chooses the class by looking for "401", "403" and "invalid" in the text, which a port may contain, and
    misses a 403 whose text has none of them; what it was caused by is surer.
    """
    cause = error.__cause__
    text = _text(error)
    if cause is None or type(cause) is ConnectionError:
        return _of_session(text, refused)
    if isinstance(cause, ValueError) and not _names(cause) & (_BODY_CLASSES | {"ClientError"}):
        return _of_refusal(text)
    return _of_http(cause)


def _of_session(text: str, refused: bool) -> Trouble:
    """What went wrong at the session or the signalling, told in words only."""
    status = _status(text)
    if status == 401:
        return _TOKEN
    if refused:
        return _of_refusal(text)
    if status == 503 or _QUEUE.search(text):
        return _BUSY
    if status == 429:
        return _RATE
    if _ELSEWHERE.search(text):
        return Trouble("fatal", f"nothing of Odyssey answers at the address ({text})", "Check api_url.")
    return Trouble("transient", f"the connection did not come about or was lost ({text})", "It is opened again.")


def _of_refusal(text: str) -> Trouble:
    """What the service answered to the key or to a token."""
    if _NOT_UNDERSTOOD.search(text):
        return _MALFORMED
    if "ession not found" in text or "token not available" in text:
        return _TOKEN
    if "api_key is" in text:
        return Trouble("fatal", f"{KEY} is not set", f"Export your key, or {EMULATOR}.")
    if re.search("API key", text, re.I):
        return replace(_KEY, sentence=f"{_KEY.sentence} ({text})")
    if _OFTEN.search(text):
        return _RATE
    return Trouble("fatal", f"the service refuses access ({text})", PORTAL)


def _of_http(error: BaseException) -> Trouble:
    """What an error outside the clients' own classes means."""
    names = _names(error)
    if isinstance(error, TimeoutError):
        return _LATE
    status = getattr(error, "status", None)
    if "ClientResponseError" in names and isinstance(status, int) and status >= 400:
        return _of_answer(f"{type(error).__name__}: {status}")
    if names & _BODY_CLASSES:
        return replace(_MALFORMED, sentence=f"{_MALFORMED.sentence} ({_described(error)})")
    if names & _CERTIFICATE_CLASSES:
        return Trouble("fatal", f"the service's certificate is not accepted ({_described(error)})", "Check api_url.")
    if "InvalidURL" in names:
        return Trouble("fatal", f"the address is none ({_text(error)})", "Check api_url.")
    if type(error) is ConnectionError:
        return _of_answer(_text(error))
    if names & _LOST_CLASSES:
        return _LOST
    if isinstance(error, _FILES) or (isinstance(error, OSError) and error.errno in _FULL):
        return Trouble("fatal", f"a file or this machine cannot be used ({_described(error)})", "Mend that first.")
    if isinstance(error, OSError) or "ClientError" in names:
        return replace(_UNREACHED, sentence=f"{_UNREACHED.sentence} ({_described(error)})")
    if isinstance(error, ValueError):
        return _of_value(_text(error))
    return Trouble("transient", f"the client failed ({_described(error)})", "If it stays so, report it.")


def _of_answer(text: str) -> Trouble:
    """What a status and a body mean that a method without a connection quotes."""
    status = _status(text)
    known = next((trouble for code, trouble in _CODES.items() if code in text), None)
    if known is not None:
        return known
    if status is None:
        return replace(_LOST, sentence=f"{_LOST.sentence} ({text})")
    if status == 401:
        return _TOKEN
    if status == 429:
        return _RATE
    if status == 503:
        return _BUSY
    if status >= 500 or status == 408:
        return Trouble("transient", f"the service has a fault ({text})", "Try again later.", wait_s=1.0)
    return Trouble("fatal", f"the service refuses the request ({text})", "Change what is asked for.")


def _of_value(text: str) -> Trouble:
    """What a `ValueError` of a method without a connection means."""
    if text.endswith("Not authorized"):
        return _TOKEN
    if _LOGIN.search(text) or _NOT_UNDERSTOOD.search(text):
        return _of_refusal(text)
    return Trouble("fatal", f"the service or its client refuses the request ({text})", "Change what is asked for.")


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(text: str) -> int | None:
    found = _STATUS.search(text)
    return int(found[1]) if found else None


def _text(error: BaseException) -> str:
    return _line(str(error)) or type(error).__name__


def _described(error: BaseException) -> str:
    return _line(f"{type(error).__name__}: {error}".removesuffix(": "))


def _line(text: str) -> str:
    """A text of others in one line of bounded length, without secrets."""
    line = " ".join("".join(char if char.isprintable() else " " for char in hide(text)).split()).rstrip(".")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"

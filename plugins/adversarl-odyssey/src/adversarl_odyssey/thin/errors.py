"""Errors of the client, with the names that the SDK's have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OdysseyError(Exception):
    """Base of the client's errors."""


class OdysseyAuthError(OdysseyError):
    """The service does not accept the key."""


class OdysseyConnectionError(OdysseyError):
    """There is no connection, or it was lost, or nobody was free."""


class OdysseyStreamError(OdysseyError):
    """A stream did not start, or did not obey."""


class OdysseyUsageError(OdysseyError):
    """A limit of the account is reached.

    Attributes:
        code: The service's name of it.
        action: What the service advises.
        action_url: Where to do that.
        details: Numbers that belong to it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        action: str,
        action_url: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.action, self.action_url = code, action, action_url
        self.details = dict(details or {})


class MonthlyLimitReachedError(OdysseyUsageError):
    """The hours of the month are used up."""


class ConcurrentLimitReachedError(OdysseyUsageError):
    """As many streams run as the account may have."""


class StreamDurationExceededError(OdysseyUsageError):
    """The stream was ended because it ran as long as a stream may."""


class AccountSuspendedError(OdysseyUsageError):
    """The account may not be used."""


class RateLimitError(OdysseyUsageError):
    """There were too many requests."""


_BY_CODE: dict[str, type[OdysseyUsageError]] = {
    "MONTHLY_LIMIT_REACHED": MonthlyLimitReachedError,
    "CONCURRENT_LIMIT_REACHED": ConcurrentLimitReachedError,
    "STREAM_DURATION_EXCEEDED": StreamDurationExceededError,
    "ACCOUNT_SUSPENDED": AccountSuspendedError,
    "RATE_LIMITED": RateLimitError,
}

_BY_REASON: dict[str, tuple[str, str, str]] = {
    "quota_exceeded": (
        "MONTHLY_LIMIT_REACHED",
        "The hours of this month are used up",
        "Upgrade the plan or wait for the next month",
    ),
    "concurrent_limit_exceeded": (
        "CONCURRENT_LIMIT_REACHED",
        "Too many streams at once",
        "End a stream to start another",
    ),
    "session_timeout": (
        "STREAM_DURATION_EXCEEDED",
        "The stream reached its longest duration",
        "Start another stream",
    ),
}


def usage_error(detail: object) -> OdysseyUsageError | None:
    """The error that the body of a 429 describes, if it describes one."""
    if not isinstance(detail, Mapping) or "message" not in detail or "action" not in detail:
        return None
    code = str(detail.get("error") or detail.get("code") or "UNKNOWN")
    details = detail.get("details")
    return _BY_CODE.get(code, OdysseyUsageError)(
        code,
        str(detail["message"]),
        str(detail["action"]),
        detail.get("action_url"),
        details if isinstance(details, Mapping) else None,
    )


def stream_error(reason: str, message: str) -> OdysseyStreamError | OdysseyUsageError:
    """The error that an ``interactive_stream_error`` describes."""
    if reason in _BY_REASON:
        code, text, action = _BY_REASON[reason]
        return _BY_CODE[code](code, text, action)
    if reason == "lease_denied":
        return OdysseyStreamError("The stream was denied; try again")
    return OdysseyStreamError(f"{reason}: {message}")

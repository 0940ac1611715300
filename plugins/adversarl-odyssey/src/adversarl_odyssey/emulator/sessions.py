"""Sessions: who has a streamer, who must wait, and what the account has used."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.options import EmulatorOptions

if TYPE_CHECKING:
    from adversarl_odyssey.emulator.signalling import Connection


class Refused(Exception):
    """A request for a session is refused.

    Args:
        status: HTTP status.
        body: What the client is told; JSON-ready.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status, self.body = status, body


@dataclass(slots=True)
class Session:
    """A streamer that is reserved for a client.

    Attributes:
        id: Its name.
        seen: When it last had a connection; at first, when it was requested [s, monotonic].
        connection: The client's connection, while there is one.
        linger_s: How long it outlives its connection; None is as long as a session that never had one.
    """

    id: str = field(default_factory=lambda: f"ses_{secrets.token_hex(8)}")
    seen: float = field(default_factory=time.monotonic)
    connection: Connection | None = None
    linger_s: float | None = None


class Sessions:
    """All sessions of the one account.

    Args:
        options: Its limits.
        faults: Which of them are reached by command.
        say: Told a line for people when something happens.
    """

    def __init__(self, options: EmulatorOptions, faults: Faults, say: Callable[[str], None]) -> None:
        self.options, self.faults, self.say = options, faults, say
        self.open: dict[str, Session] = {}
        self.used_s = 0.0
        """Seconds of streams that have ended."""
        self.served = 0
        """Sessions that were ever given out."""

    def request(self) -> Session:
        """A new session.

        Raises:
            Refused: The account may not have one (429), or there is no streamer (503).
        """
        self.sweep()
        if (code := self._forbidden()) is not None:
            raise Refused(429, {"detail": self._detail(code)})
        if self.faults.take("busy") or len(self.open) >= self.options.max_streams:
            raise Refused(503, {"detail": "No streamer is free; ask again in a second"})
        session = Session()
        self.open[session.id] = session
        self.served += 1
        self.say(f"{session.id}: requested ({len(self.open)} of {self.options.max_streams} streamers in use)")
        return session

    def _forbidden(self) -> str | None:
        limit = self.options.concurrent
        if self.faults.get("suspended"):
            return "ACCOUNT_SUSPENDED"
        if self.over_quota():
            return "MONTHLY_LIMIT_REACHED"
        if self.faults.get("concurrent") or (limit and len(self.open) >= limit):
            return "CONCURRENT_LIMIT_REACHED"
        return "RATE_LIMITED" if self.faults.take("rate-limit") else None

    def over_quota(self) -> bool:
        """Whether the hours of the month are used up."""
        hours = self.options.monthly_hours
        return bool(self.faults.get("quota")) or bool(hours and self.used_now_s() >= 3600 * hours)

    def used_now_s(self) -> float:
        """Seconds of streams, running ones included."""
        running = [s.connection.peer.stream_age() for s in self.open.values() if s.connection is not None]
        return self.used_s + sum(age for age in running if age is not None)

    def _detail(self, code: str) -> dict[str, Any]:
        used, limit = self.used_now_s() / 3600, self.options.monthly_hours
        message, action, details = {
            "ACCOUNT_SUSPENDED": (
                "Account suspended",
                "Contact support",
                {"reason": "The emulator was told to suspend it"},
            ),
            "MONTHLY_LIMIT_REACHED": (
                "Monthly usage limit reached",
                "Upgrade your plan or wait for quota reset",
                {"used_hours": round(used, 3), "limit_hours": limit or round(used, 3), "reset_date": "next month"},
            ),
            "CONCURRENT_LIMIT_REACHED": (
                "Too many concurrent streams",
                "End an existing stream to start a new one",
                {"active_count": len(self.open), "limit": self.options.concurrent or len(self.open)},
            ),
            "RATE_LIMITED": ("Too many requests", "Wait before you ask again", {"retry_after_seconds": 1}),
        }[code]
        return {"error": code, "message": message, "action": action, "details": details}

    def left(self, session: Session, *, politely: bool) -> None:
        """The connection of a session is gone; without a goodbye it may count a little longer."""
        session.connection, session.seen = None, time.monotonic()
        session.linger_s = 0.0 if politely else self.options.linger_s
        self.sweep()

    def sweep(self) -> None:
        """Ends sessions that have been without a connection for too long."""
        now = time.monotonic()
        for session in list(self.open.values()):
            patience = session.linger_s if session.linger_s is not None else self.options.claim_s or float("inf")
            if session.connection is None and now - session.seen >= patience:
                del self.open[session.id]
                self.say(f"{session.id}: {'never used, cleaned up' if session.linger_s is None else 'ended'}")

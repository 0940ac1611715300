"""What the routes of jobs and recordings share: who asks, pages of lists, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import web

Account = Callable[[web.Request], str]
"""Says whose a request is, or raises a `web.HTTPException` if nobody's who may ask."""
Thing = TypeVar("Thing")
DEFAULT, MOST = 20, 100
"""Things on a page."""


def refusal(kind: type[web.HTTPException], detail: object) -> web.HTTPException:
    """An answer in the service's style, ``{"detail": ...}``; to be raised."""
    return kind(text=json.dumps({"detail": detail}), content_type="application/json")


def number(request: web.Request, name: str, default: int, least: int, most: int | None = None) -> int:
    """A whole number in a query.

    Raises:
        web.HTTPUnprocessableEntity: It is none, or out of range.
    """
    text = request.query.get(name, str(default))
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else least - 1
    if value < least or (most is not None and value > most):
        wanted = f"between {least} and {most}" if most is not None else f"{least} or more"
        raise refusal(web.HTTPUnprocessableEntity, f"{name} must be a whole number, {wanted}, not '{text}'")
    return value


def page(request: web.Request, things: Sequence[Thing]) -> tuple[Sequence[Thing], dict[str, int]]:
    """The part of a list that a query asks for, and what the answer says about it."""
    limit, offset = number(request, "limit", DEFAULT, 1, MOST), number(request, "offset", 0, 0)
    return things[offset : offset + limit], {"total": len(things), "limit": limit, "offset": offset}

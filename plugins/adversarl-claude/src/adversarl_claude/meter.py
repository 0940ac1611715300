"""Tokens and money: what was used, what it cost, and what another call may cost at most."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from adversarl_claude.prices import Price

OVERHEAD_TOKENS = 1000
"""What the service adds to a request that has a tool; Anthropic states 290 to 810 tokens, depending on the model."""
BYTES_PER_TOKEN = 2
"""Fewest bytes of English or JSON per token that the bound on a request's tokens assumes; about 3 is usual."""
PATCH_PX = 28
"""Edge of the square that is one token of a picture, platform.claude.com/docs/en/build-with-claude/vision [px]."""
PER_PICTURE_TOKENS = 50
"""More than a picture costs besides its squares."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: input neither read from nor written to the cache, output, input read, and input written."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @classmethod
    def of(cls, response: Mapping[str, Any]) -> Usage:
        """From the ``usage`` of a response of the Messages API."""
        usage = response["usage"]
        read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
        return cls(usage["input_tokens"], usage["output_tokens"], read or 0, written or 0)

    def __add__(self, other: Usage) -> Usage:
        mine, theirs = asdict(self), asdict(other)
        return Usage(**{name: mine[name] + theirs[name] for name in mine})


def cost_usd(usage: Usage, price: Price) -> float:
    """What tokens cost [USD]."""
    read, written = price.read_factor * usage.cache_read, price.write_factor * usage.cache_write
    total: float = price.input * (usage.input + read + written) + price.output * usage.output
    return total / 1e6


def worst_case_usd(request: Mapping[str, Any], price: Price) -> float:
    """An upper bound on what a request costs [USD]: every input token as dear as can be, all output tokens used."""
    contents = [message["content"] for message in request["messages"] if message["role"] == "user"]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    pictures = [block["source"]["data"] for block in blocks if block["type"] == "image"]
    size = len(json.dumps(request, ensure_ascii=False).encode()) - sum(map(len, pictures))
    tokens = OVERHEAD_TOKENS + size // BYTES_PER_TOKEN + sum(map(_picture_tokens, pictures))
    dearest = max(1.0, price.write_factor, price.read_factor)
    return cost_usd(Usage(input=tokens, output=request["max_tokens"]), replace(price, input=dearest * price.input))


def _picture_tokens(png: str) -> int:
    """From the width and height in the header of a PNG in base64 (RFC 2083, section 4.1.1)."""
    header = b64decode(png[:44])
    width, height = (int.from_bytes(header[at : at + 4]) for at in (16, 20))
    return picture_tokens(width, height) + PER_PICTURE_TOKENS


def picture_tokens(width: int, height: int) -> int:
    """Tokens of a picture of so many pixels: the squares that cover it."""
    return -(-width // PATCH_PX) * -(-height // PATCH_PX)


class Meter:
    """Counts what calls used and cost.

    A call whose answer was lost on the way may have been billed; its worst case counts against the budget too.

    Args:
        price: What tokens cost.
        max_cost_usd: The budget [USD].
    """

    def __init__(self, price: Price, max_cost_usd: float) -> None:
        self.price, self.max_cost_usd = price, max_cost_usd
        self.usage = Usage()
        self.calls = 0
        self.errors = 0
        self.lost_usd = 0.0
        """Worst case of attempts that may have been billed without an answer [USD]."""
        self.interrupted_usd = 0.0
        """Worst case of calls that were on their way when earlier processes of the run died, by its record [USD]."""

    @property
    def cost_usd(self) -> float:
        """What all answers cost [USD]."""
        return cost_usd(self.usage, self.price)

    def attempts(self, request: Mapping[str, Any], more_usd: float, most: int) -> int:
        """How often a request may be sent without exceeding the budget.

        Args:
            request: The request.
            more_usd: What others may still cost [USD].
            most: Most attempts that are of interest.
        """
        left = self.max_cost_usd - self.cost_usd - self.lost_usd - self.interrupted_usd - more_usd
        each = worst_case_usd(request, self.price)
        if left < each:
            return 0
        return most if most * each <= left else int(left / each)

    def count(self, response: Mapping[str, Any]) -> None:
        """Takes note of an answer."""
        self.calls += 1
        self.usage += Usage.of(response)

    def fail(self) -> None:
        """Takes note of a call without an answer."""
        self.calls += 1
        self.errors += 1

    def lose(self, request: Mapping[str, Any], attempts: int) -> None:
        """Takes note of attempts that may have been billed without an answer."""
        self.lost_usd += attempts * worst_case_usd(request, self.price)

    def scalars(self, prefix: str = "") -> dict[str, float]:
        """Counts of calls, errors and tokens, and the cost [USD]; their names begin with the prefix."""
        tokens = {f"{prefix}{name}_tokens": value for name, value in asdict(self.usage).items()}
        return {
            f"{prefix}calls": self.calls,
            f"{prefix}errors": self.errors,
            f"{prefix}cost_usd": self.cost_usd,
            f"{prefix}lost_usd": self.lost_usd,
            **tokens,
        }

    def state_dict(self) -> dict[str, Any]:
        """The counts; JSON-ready."""
        return {"usage": asdict(self.usage), **{name: getattr(self, name) for name in _COUNTS}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.usage = Usage(**state["usage"])
        for name in _COUNTS:
            setattr(self, name, state[name])


_COUNTS = ("calls", "errors", "lost_usd")

"""What tokens cost: Anthropic's list prices by model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adversarl.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a model.

    Attributes:
        input: A million input tokens [USD].
        output: A million output tokens, thinking included [USD].
        read_factor: An input token read from the cache, in prices of an input token [1].
        write_factor: An input token written to the cache for five minutes, in prices of an input token [1].
    """

    input: float
    output: float
    read_factor: float = 0.1
    write_factor: float = 1.25


_FABLE, _OPUS, _SONNET = Price(10, 50), Price(5, 25), Price(3, 15)
PRICES: dict[str, Price] = {
    "claude-fable-5-2": Price(8, 40, read_factor=0.025),
    "claude-fable-5-1": Price(10, 50, read_factor=0.025),
    "claude-mythos-5-1": Price(10, 50, read_factor=0.025),
    "claude-fable-5": _FABLE,
    "claude-mythos-5": _FABLE,
    "claude-opus-5-5": Price(4, 20, read_factor=0.05),
    "claude-opus-5": _OPUS,
    "claude-opus-4-8": _OPUS,
    "claude-opus-4-7": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-opus-4-5": _OPUS,
    "claude-sonnet-5-5": Price(2, 10, read_factor=0.05),
    "claude-sonnet-5": Price(2, 10),
    "claude-sonnet-4-6": _SONNET,
    "claude-sonnet-4-5": _SONNET,
    "claude-haiku-5-5": Price(0.1, 0.5),
    "claude-haiku-4-5": Price(1, 5),
}
"""List prices of November 2026, platform.claude.com/docs/en/about-claude/pricing, for prompts up to 100 000 tokens."""

_DATE = re.compile(r"-20\d{6}$")


def price_of(model: str, given: Mapping[str, float]) -> Price:
    """The price of a model; a date at the end of its name does not matter.

    Args:
        model: Its name.
        given: Fields of `Price` that replace the list's.

    Raises:
        ValueError: It has no list price, and input and output are not both given.
    """
    known = PRICES.get(_DATE.sub("", model))
    if known is None:
        if not {"input", "output"} <= set(given):
            raise ValueError(
                f"the price of '{model}' is not known, so max_cost_usd could not be kept. "
                f"{did_you_mean(model, PRICES)} Or set usd_per_million_input and usd_per_million_output"
            )
        known = Price(given["input"], given["output"])
    return replace(known, **given)

"""What Claude sees in the pictures of failures, and what follows from several of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from adversarl.metrics import wilson
from adversarl.types import FailureKind
from adversarl_claude.effects import interval
from adversarl_claude.messages import Unusable
from adversarl_claude.troubles import plain

TOOL = "describe_failures"
DESCRIPTION = "Says for every picture how the episode failed."
UNCLEAR = "unclear"
"""Kind of a look whose confidence is below a half."""


class Look(BaseModel):
    """What one picture shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    picture: int = Field(ge=1, description="Number of the picture, from 1.")
    kind: str = Field(description="How the episode failed.")
    confidence: float = Field(ge=0, le=1, description="Probability that the kind is right [1].")
    shows: str = Field(description="What can be seen, in one sentence.")
    axes: list[str] = Field(description="Axes that look responsible; empty where none does.")

    @field_validator("shows")
    @classmethod
    def _in_one_line(cls, shows: str) -> str:
        return plain(shows)[:500]


class Looks(BaseModel):
    """The answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    looks: list[Look] = Field(description="One entry per picture.")


def read(answer: dict[str, Any], pictures: int, kinds: Collection[str], axes: Collection[str]) -> dict[int, Look]:
    """The looks of an answer, by picture from 0; axes that the world does not have are left out.

    Raises:
        Unusable: It does not follow the schema, or names a kind or a picture that was not asked for.
    """
    try:
        looks = Looks.model_validate(answer).looks
    except ValidationError as error:
        first = error.errors()[0]
        raise Unusable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    for look in looks:
        if look.kind not in kinds or look.picture > pictures:
            raise Unusable(f"picture {look.picture} of {pictures} is called '{look.kind}'")
    known = [look.model_copy(update={"axes": [axis for axis in look.axes if axis in axes]}) for look in looks]
    return {look.picture - 1: look for look in known}


def kind_of(look: Look) -> str:
    """The kind, or `UNCLEAR`."""
    return look.kind if look.confidence >= 0.5 else UNCLEAR


def kinds_of(looks: Sequence[Look]) -> tuple[FailureKind, ...]:
    """How often each kind was seen, most frequent first, with a 95 % interval and the latest example."""
    example = {kind_of(look): look.shows for look in looks}
    counts = Counter(kind_of(look) for look in looks)
    found = []
    for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        share = wilson(count, len(looks))
        sentence = f"{interval(share)} of the failures that Claude looked at are of the kind '{name}': {example[name]}"
        found.append(FailureKind(name, share, sentence))
    return tuple(found)

"""The plan that Claude answers with: its form, what of it the world understands, and drawing from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from adversarl.types import Grounding, Proposal
from adversarl_claude.messages import Unusable
from adversarl_claude.troubles import plain

TOOL = "propose_plan"
DESCRIPTION = (
    "Hands in the plan for the coming episodes of training. Each episode draws one proposal by weight, until the next "
    "plan replaces this one."
)
LONGEST_REASON = 300
"""Characters of a reason why a proposal cannot be used that are told."""
MOST_REFUSALS = 3
"""Refusals by the guard of solvability after which a proposal leaves the plan."""


class Item(BaseModel):
    """One proposal."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    prompt: str = Field(
        min_length=1, max_length=500, description="What the world should do, in the grammar of the instructions."
    )
    why: str = Field(
        min_length=1, max_length=1000, description="Why this is worth practising now, in one sentence with numbers."
    )
    weight: float = Field(gt=0, le=100, description="How often it is drawn, relative to the others [1].")
    onset_share: float = Field(
        ge=0, le=0.8, description="When it takes effect, in shares of the time limit; 0 is at the reset [1]."
    )
    duration_share: float = Field(
        gt=0, le=1, description="How long it stays in force, in shares of the time limit; 1 is until the end [1]."
    )
    expected_success: float = Field(ge=0, le=1, description="The success rate that you expect under it [1].")

    @field_validator("prompt", "why", mode="before")
    @classmethod
    def _in_one_line(cls, text: Any) -> Any:
        return plain(text) if isinstance(text, str) else text


class Plan(BaseModel):
    """The answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    proposals: list[Item] = Field(description="The proposals, different from each other.")


@dataclass(slots=True)
class Planned:
    """A proposal in use, and how often the guard refused it."""

    item: Item
    refused: int = 0

    def proposal(self, max_episode_steps: int) -> Proposal:
        """As the loop takes it."""
        item = self.item
        onset = min(round(item.onset_share * max_episode_steps), max_episode_steps - 1)
        whole = item.duration_share >= 1
        duration = None if whole else max(1, round(item.duration_share * max_episode_steps))
        why = f"Claude: {item.why} (expects {item.expected_success:.0%})"
        return Proposal(item.prompt, why, onset=onset, duration=duration)

    def state_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"item": self.item.model_dump()}


def read(
    answer: dict[str, Any], ground: Callable[[str], Grounding], most: int
) -> tuple[list[Planned], list[tuple[str, str]]]:
    """The proposals of an answer that can be used, and the others with reasons.

    Args:
        answer: Input of the tool.
        ground: How the world reads a prompt; it has to understand every word.
        most: Most proposals; those beyond are left out.

    Raises:
        Unusable: It holds no list of proposals.
    """
    listed = answer.get("proposals")
    if not isinstance(listed, list) or not listed:
        raise Unusable("'proposals' must be a list of at least one proposal")
    good, bad = list[Planned](), list[tuple[str, str]]()
    for raw in listed[:most]:
        try:
            item = Item.model_validate(raw)
            reason = _reason(ground(item.prompt))
        except ValidationError as error:
            reason = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        if reason:
            bad.append((_name(raw), reason[:LONGEST_REASON]))
        else:
            good.append(Planned(item))
    return good, bad


def _reason(grounding: Grounding) -> str:
    """Why a prompt cannot be used; empty if it can."""
    if grounding.complete:
        return ""
    words = ", ".join(f"'{word}'" for word in grounding.not_understood)
    return f"not understood: {words}" if words else "it asks for nothing that the world can do"


def _name(raw: Any) -> str:
    prompt = raw.get("prompt") if isinstance(raw, dict) else raw
    return plain(str(prompt))[:200]


def draw(plan: list[Planned], rng: np.random.Generator) -> Planned:
    """One proposal of a plan, by weight."""
    weights = np.array([planned.item.weight for planned in plan])
    return plan[int(rng.choice(len(plan), p=weights / weights.sum()))]


def planned_from(state: dict[str, Any]) -> Planned:
    """Brings `Planned.state_dict` back."""
    return Planned(Item.model_validate(state["item"]), state["refused"])

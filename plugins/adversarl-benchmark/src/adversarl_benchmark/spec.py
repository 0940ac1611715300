"""What a held-out suite's file says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adversarl.errors import AdversarlError

MIXED = "mixed"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ask(_Table):
    """One perturbation that a sentence asks for, at the cell's intensity."""

    axis: str
    target: str | None = None
    value: str | tuple[float, ...] | None = None


class Prompt(_Table):
    """A sentence and what it was grounded to when the suite was made: a suite does not change with the grammar."""

    text: str = Field(description="The sentence; {percent} stands for the intensity in percent.")
    asks: tuple[Ask, ...] = Field(min_length=1)

    def said(self, intensity: float) -> str:
        """The sentence at an intensity."""
        return self.text.format(percent=round(100 * intensity))


class Curve(_Table):
    """One or several curves of success over intensity."""

    name: str = ""
    each: tuple[str, ...] = Field((), description="Axes that vary alone; each is a curve with its name.")
    together: tuple[str, ...] = Field((), description="Axes that vary at once.")
    like: str = Field("", description="Name of another curve whose episodes are played in another world.")
    prompts: tuple[Prompt, ...] = Field((), description="Sentences with which the episodes take turns.")
    unseen: bool = Field(False, description="Whether training may not vary these axes at all.")
    world: dict[str, Any] = Field({}, description="Keys of [backend] that differ besides those of the suite.")

    @model_validator(mode="after")
    def _one_kind(self) -> Curve:
        given = [key for key in ("each", "together", "like", "prompts") if getattr(self, key)]
        if len(given) != 1:
            raise ValueError("give exactly one of each, together, like and prompts")
        if bool(self.each) == bool(self.name):
            raise ValueError("curves of `each` have the names of their axes, all others need a `name`")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its curves."""
        return self.each or (self.name,)

    @property
    def begins_at_0(self) -> bool:
        """Whether it plays intensity 0: once per world is enough."""
        return self.name == MIXED or bool(self.like)


class SuiteSpec(_Table):
    """A held-out suite."""

    name: str
    home: str
    summary: str
    seed: int
    intensities: tuple[float, ...] = Field(min_length=1)
    training: dict[str, Any] = Field({}, description="Keys of [backend] that every run must have.")
    world: dict[str, Any] = Field({}, description="Keys of [backend] of every cell.")
    curves: tuple[Curve, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _likes(self) -> SuiteSpec:
        named = {curve.name for curve in self.curves if curve.together}
        for curve in self.curves:
            if curve.like and curve.like not in named:
                raise ValueError(f"curve '{curve.name}' is like '{curve.like}', which is none of {sorted(named)}")
        return self

    def together(self, curve: Curve) -> tuple[str, ...]:
        """The axes that vary at once along a curve."""
        if curve.like:
            return next(one.together for one in self.curves if one.name == curve.like)
        return curve.together

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all curves, in order."""
        return tuple(label for curve in self.curves for label in curve.labels)

    @property
    def unseen_axes(self) -> frozenset[str]:
        """Axes that training may not vary."""
        return frozenset(axis for curve in self.curves if curve.unseen for axis in curve.each)

    @property
    def sentences(self) -> frozenset[str]:
        """Sentences that no curriculum may say, at every intensity."""
        prompts = [prompt for curve in self.curves for prompt in curve.prompts]
        return frozenset(prompt.said(intensity) for prompt in prompts for intensity in self.intensities)


def read_spec(path: Path) -> SuiteSpec:
    """Reads a suite's file.

    Raises:
        AdversarlError: It cannot be read, or something in it is wrong.
    """
    try:
        return SuiteSpec.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise AdversarlError(f"{path}: cannot be read: {error.strerror}. Name the TOML file of a suite") from None
    except tomllib.TOMLDecodeError as error:
        raise AdversarlError(f"{path.name}: not valid TOML: {error}") from None
    except ValidationError as error:
        lines = [f"{path.name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise AdversarlError("\n".join(lines)) from None

"""Held-out suites: what is asked of the world is data, and what training may not meet is written in the same file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from adversarl.errors import AdversarlError
from adversarl.interfaces.suite import Suite, SuiteOptions
from adversarl.seeding import TRAINING_SEEDS, generator
from adversarl.types import Axis, Cell, Perturbation
from adversarl_benchmark.spec import Curve, Prompt, SuiteSpec, read_spec

Drawn = tuple[Perturbation, ...]
TABLETOP = "tabletop_heldout_v1"


class HeldOutOptions(SuiteOptions):
    """Options of held-out suites."""

    episodes: int = Field(20, ge=1, description="Episodes per cell; the first ones are the same for any number.")
    curves: tuple[str, ...] = Field((), description="Names of the curves to play; empty means all.")
    intensities: tuple[float, ...] = Field((), description="Intensities to play in [0, 1]; empty means all.")


class HeldOutFileOptions(HeldOutOptions):
    """Options of `HeldOutFile`."""

    file: str = Field(description="TOML file of the suite; see the documentation of the benchmark.")


class HeldOut(Suite):
    """One grid of episodes for all runs and seeds, so that all comparisons are paired.

    Every episode has its own reset seed and its own seed of every axis, the same ones along a curve: only the
    intensity changes (common random numbers, Glasserman and Yao 1992). Intensity 0 is played once per world, as
    the first cell of ``mixed`` and of its like.
    """

    Options: ClassVar[type[SuiteOptions]] = HeldOutOptions
    options: HeldOutOptions

    @property
    def spec(self) -> SuiteSpec:
        """What the suite consists of."""
        raise NotImplementedError

    def cells(self, axes: Sequence[Axis], seed: int) -> list[Cell]:
        """The grid, whatever the seed.

        Raises:
            AdversarlError: The options name a curve that the suite does not have.
        """
        del axes, seed
        known = [label for curve in self.spec.curves for label in curve.labels]
        for name in self.options.curves:
            if name not in known:
                raise AdversarlError(f"{self.spec.name} has no curve '{name}'. It has: {', '.join(known)}")
        return [cell for curve in self.spec.curves for cell in self._cells(curve)]

    def _cells(self, curve: Curve) -> Iterator[Cell]:
        spec, episodes = self.spec, self.options.episodes
        resets = generator(spec.seed, "resets").integers(TRAINING_SEEDS, 2 * TRAINING_SEEDS, size=10_000)
        intensities = (0.0, *spec.intensities) if curve.begins_at_0 else spec.intensities
        wanted = self.options.intensities
        for label in curve.labels:
            if self.options.curves and label not in self.options.curves:
                continue
            for intensity in intensities:
                if not wanted or intensity in wanted:
                    drawn = tuple(self._episode(curve, label, index, intensity) for index in range(episodes))
                    seeds = tuple(int(resets[index % len(resets)]) for index in range(episodes))
                    yield Cell(label, intensity, seeds, drawn, {**spec.world, **curve.world})

    def _episode(self, curve: Curve, label: str, index: int, intensity: float) -> Drawn:
        if intensity == 0:
            return ()
        if curve.prompts:
            return _said(curve.prompts[index % len(curve.prompts)], intensity, self._seed(label, index))
        names = self.spec.together(curve) or (label,)
        return tuple(Perturbation(name, intensity, seed=self._seed(name, index)) for name in names)

    def _seed(self, name: str, index: int) -> int:
        return _seeds(self.spec.seed, name)[index % 10_000]


@lru_cache(maxsize=256)
def _seeds(seed: int, name: str) -> tuple[int, ...]:
    return tuple(generator(seed, name).integers(TRAINING_SEEDS, size=10_000).tolist())


def _said(prompt: Prompt, intensity: float, seed: int) -> Drawn:
    return tuple(Perturbation(ask.axis, intensity, ask.target, ask.value, seed) for ask in prompt.asks)


class TabletopHeldOut(HeldOut):
    """``tabletop-heldout-v1``: a table that training never saw."""

    home: ClassVar[str] = "mujoco"

    @property
    def spec(self) -> SuiteSpec:
        """From the package's file."""
        return _tabletop()


@lru_cache(maxsize=1)
def _tabletop() -> SuiteSpec:
    return read_spec(Path(str(files("adversarl_benchmark").joinpath("suites", f"{TABLETOP}.toml"))))


class HeldOutFile(HeldOut):
    """``held-out``: a suite of your own, from a file."""

    Options: ClassVar[type[SuiteOptions]] = HeldOutFileOptions
    options: HeldOutFileOptions

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._spec = read_spec(Path(self.options.file))

    @property
    def spec(self) -> SuiteSpec:
        """From the file of the options."""
        return self._spec

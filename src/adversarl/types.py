"""Frozen records that travel around the closed loop.

Nothing here imports numpy: the records are what plugins, logs and reports exchange, so each of them
is plain data that survives `dataclasses.asdict` and JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Group = Literal["visual", "geometry", "dynamics", "sensor"]
Value = tuple[float, ...] | str | None


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing a world can vary, with its unit and its range.

    Attributes:
        name: Identifier in kebab case, such as ``light-position``.
        group: What kind of thing varies.
        summary: One line for listings.
        unit: Unit of the parameter, such as ``m`` or ``K``.
        nominal: The parameter at intensity 0, as text with its unit.
        bound: The parameter at intensity 1 (the hardest), as text with its unit.
        source: Where the range comes from (paper, table, library default).
        phrase: The English imperative that asks for it, such as ``move the light``.
        targets: Things the axis can act on; the first one is the default. Empty if there is only one.
        mid_episode: Whether a change takes effect while an episode runs, or only at the next reset.
    """

    name: str
    group: Group
    summary: str
    unit: str
    nominal: str
    bound: str
    source: str
    phrase: str
    targets: tuple[str, ...] = ()
    mid_episode: bool = True


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One bounded, seeded, reversible change of the world.

    Attributes:
        axis: Name of an `Axis`.
        intensity: Magnitude in [0, 1]; 0 is nominal, 1 the hardest bound of the axis.
        target: What it acts on; None means the axis' default target.
        value: A fixed parameter (a direction, an RGB colour in [0, 1], a name); None draws it from `seed`.
        seed: Seed of whatever `value` leaves open.
        onset: Control steps after the reset at which it takes effect; 0 is at the reset.
        duration: Control steps it stays in force; None is until the episode ends.
    """

    axis: str
    intensity: float
    target: str | None = None
    value: Value = None
    seed: int = 0
    onset: int = 0
    duration: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.intensity <= 1.0:
            raise ValueError(f"intensity of '{self.axis}' must lie in [0, 1], not {self.intensity}")

    def seeded(self, seed: int) -> Perturbation:
        """The same perturbation with another seed for what its value leaves open."""
        return replace(self, seed=seed)


@dataclass(frozen=True, slots=True)
class Grounding:
    """What a world made of a prompt.

    Attributes:
        text: The prompt as given.
        perturbations: What it asks for, in order.
        understood: Pairs (words of the prompt, what they were taken for).
        not_understood: Words that were taken for nothing; never dropped silently.
        restore: Whether the prompt asks to return to nominal before anything else.
        confidence: How sure the world is of its reading, in [0, 1]; 1 where it did not guess.
    """

    text: str
    perturbations: tuple[Perturbation, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    not_understood: tuple[str, ...] = ()
    restore: bool = False
    confidence: float = 1.0

    @property
    def complete(self) -> bool:
        """Whether every word was understood and asks for something."""
        return not self.not_understood and bool(self.perturbations or self.restore)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a curriculum asks of the world for one episode, in natural language.

    Attributes:
        text: The prompt, grounded by the backend unless `perturbations` is given.
        why: Why the curriculum chose it; shown live and logged.
        perturbations: A change that needs no language (hand-coded randomization); `text` then describes it.
        onset: Control steps after the reset at which it takes effect.
        duration: Control steps it stays in force; None is until the episode ends.
        seed: Reset seed of the episode, to repeat one; None draws it. Only that of the first proposal counts.
        grounding: What the world once made of the text, to be repeated as it stands; replaces `perturbations`.
    """

    text: str
    why: str
    perturbations: tuple[Perturbation, ...] | None = None
    onset: int = 0
    duration: int | None = None
    seed: int | None = None
    grounding: Grounding | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reward detector said of an episode: its name, whether it was a success, and why, if it told."""

    detector: str
    success: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished episode.

    Attributes:
        index: Running number within the run, from 0.
        env: Index of the sub-environment.
        seed: Seed it was reset with; with the perturbations it repeats the episode.
        env_steps: Environment steps of the run when it ended, over all sub-environments.
        length: Its control steps.
        total_reward: Undiscounted sum of rewards.
        success: Whether the task was solved, as the reward's detector or the test of success sees it.
        truncated: Whether the time limit ended it.
        clean: Whether it belongs to the share that the curriculum leaves nominal.
        phase: ``warm_start`` or ``train``.
        perturbations: Everything that was in force at some time of the episode.
        prompts: The prompts behind them.
        state_success: Whether the simulator called it solved in any of its steps; None where there is no such truth.
        verdicts: What detectors said of it that are not the simulator.
    """

    index: int
    env: int
    seed: int
    env_steps: int
    length: int
    total_reward: float
    success: bool
    truncated: bool
    clean: bool = False
    phase: str = "train"
    perturbations: tuple[Perturbation, ...] = ()
    prompts: tuple[str, ...] = ()
    state_success: bool | None = None
    verdicts: tuple[Verdict, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion with its Wilson score interval at 95 %; see `adversarl.metrics.wilson`."""

    successes: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The proportion; nan when nothing was counted."""
        return self.successes / self.n if self.n else float("nan")

    def to_json(self) -> dict[str, Any]:
        """`{"value", "n", "low", "high"}`."""
        return {"value": self.value if self.n else None, "n": self.n, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One condition under which the policy fails more often than without it.

    Attributes:
        axis: The axis blamed.
        target: The axis' target, None for its default.
        intensity: Range (low, high) of intensities the evidence comes from.
        success: Success rate under the condition.
        effect: Success without the condition minus success under it, in [-1, 1].
        sentence: The same in English.
    """

    axis: str
    target: str | None
    intensity: tuple[float, float]
    success: Rate
    effect: float
    sentence: str


@dataclass(frozen=True, slots=True)
class FailureKind:
    """One way in which episodes fail, such as ``dropped``.

    Attributes:
        name: The category.
        share: Its share of the failed episodes looked at.
        sentence: The same in English.
    """

    name: str
    share: Rate
    sentence: str


@dataclass(frozen=True, slots=True)
class FailureReport:
    """What a failure classifier knows now.

    Attributes:
        episodes: Finished episodes it is based on.
        success: Success over its window of recent episodes.
        nominal: Success over the recent unperturbed episodes.
        modes: Failure modes, worst first.
        changed: Whether the rolling success changed significantly since the last report.
        kinds: Ways in which the episodes fail, most frequent first.
    """

    episodes: int
    success: Rate
    nominal: Rate
    modes: tuple[FailureMode, ...] = ()
    changed: bool = False
    kinds: tuple[FailureKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of an evaluation grid: an axis (or ``mixed``) at one intensity, with its episodes.

    Attributes:
        axis: Axis name, ``mixed`` or ``nominal``.
        intensity: Intensity in [0, 1].
        seeds: Reset seeds, one an episode.
        perturbations: For each episode what is in force.
        world: Keys of ``[backend]`` that differ from the recipe's in the world where it is played.
    """

    axis: str
    intensity: float
    seeds: tuple[int, ...]
    perturbations: tuple[tuple[Perturbation, ...], ...]
    world: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CellResult:
    """Outcome of a `Cell`: success per episode, in the order of its seeds."""

    axis: str
    intensity: float
    seeds: tuple[int, ...]
    success: tuple[bool, ...]
    total_reward: tuple[float, ...] = field(default=())

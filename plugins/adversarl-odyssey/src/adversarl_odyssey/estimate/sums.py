"""What a run will cost before it begins: hours of streams, dollars, and whether the account's limits allow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from adversarl.recipe import Recipe
from adversarl.types import Axis
from adversarl_odyssey.estimate.assumed import FRAME_RATE, HYBRID_SPEED, OPEN_S, PRICES
from adversarl_odyssey.estimate.trials import Trials, trials_of
from adversarl_odyssey.options import ServiceOptions

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Outline:
    """What an estimate has to know of a world, which is not opened for it.

    Attributes:
        kind: ``stream`` (a step waits for a picture), ``hybrid`` (it does not), ``videos`` or ``none``.
        axes: What it can vary.
        max_episode_steps: Time limit [control steps].
        num_envs: Environments, each with a stream of its own.
        missing_videos: How many videos have yet to be made.
        video_s: Length of each [s].
    """

    kind: str
    axes: tuple[Axis, ...]
    max_episode_steps: int
    num_envs: int
    missing_videos: int = 0
    video_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not known before a run.

    Attributes:
        hybrid_speed: See `HYBRID_SPEED`.
        speed_from: The run that it was measured in; empty where it was not.
        frame_rate: See `FRAME_RATE`.
        open_s: See `OPEN_S`.
        episode_share: Share of its time limit that an episode lasts on average, in (0, 1].
    """

    hybrid_speed: float = HYBRID_SPEED
    frame_rate: float = FRAME_RATE
    open_s: float = OPEN_S
    episode_share: float = 1.0
    speed_from: str = ""

    def wall_s(self, steps: int, outline: Outline) -> float:
        """How long all environments together take for so many steps [s]."""
        if outline.kind == "hybrid":
            return steps / self.hybrid_speed
        length = outline.max_episode_steps * self.episode_share
        return steps / outline.num_envs * (1 / self.frame_rate + self.open_s / length)


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a run.

    Attributes:
        name: Such as ``training``.
        env_steps: Environment steps.
        wall_s: How long it takes [s]; 0 where no stream decides that.
        stream_s: Seconds of all streams together [s].
    """

    name: str
    env_steps: int
    wall_s: float
    stream_s: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will need.

    Attributes:
        recipe: Name of the recipe's file.
        backend: Name of its world.
        phases: The parts of the run, in their order.
        price_usd_per_hour: The recipe's own price [USD].
        max_cost_usd: The recipe's ceiling [USD]; None where nothing costs.
        streams: Most streams at once.
        max_streams: Streams that the account may have at once; None where there are none.
        stops_in: The phase in which the ceiling ends the run, and the share of it that is done by then; None if it
            suffices.
        assumptions: What the numbers rest on, in sentences.
        warnings: What will not go well, in sentences.
    """

    recipe: str
    backend: str
    phases: tuple[Phase, ...]
    price_usd_per_hour: float
    max_cost_usd: float | None
    streams: int
    max_streams: int | None
    stops_in: tuple[str, float] | None
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def stream_hours(self) -> float:
        """Hours of all streams together [h]."""
        return sum(phase.stream_s for phase in self.phases) / HOUR

    @property
    def wall_hours(self) -> float:
        """Hours that the run takes [h]."""
        return sum(phase.wall_s for phase in self.phases) / HOUR

    @property
    def usd(self) -> float:
        """Cost at the recipe's price [USD]."""
        return self.stream_hours * self.price_usd_per_hour

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; times in hours, money in US dollars."""
        rows = [
            {
                "name": phase.name,
                "env_steps": phase.env_steps,
                "wall_hours": phase.wall_s / HOUR,
                "stream_hours": phase.stream_s / HOUR,
                "usd": phase.stream_s / HOUR * self.price_usd_per_hour,
            }
            for phase in self.phases
        ]
        low, high = PRICES
        own = asdict(self) | {"phases": rows, "assumptions": list(self.assumptions), "warnings": list(self.warnings)}
        stops = None if self.stops_in is None else {"phase": self.stops_in[0], "share_done": self.stops_in[1]}
        sums = {"wall_hours": self.wall_hours, "stream_hours": self.stream_hours, "usd": self.usd}
        return (
            own | sums | {"usd_low": self.stream_hours * low, "usd_high": self.stream_hours * high, "stops_in": stops}
        )


def estimate(recipe: Recipe, outline: Outline, assumed: Assumptions) -> Estimate:
    """Adds up what a run of a recipe needs; opens nothing."""
    options = recipe["backend"].options
    service = options if isinstance(options, ServiceOptions) and outline.kind != "none" else None
    live = outline.kind in ("stream", "hybrid")
    trials = trials_of(recipe, outline.max_episode_steps, assumed.episode_share)
    phases = tuple(_phases(recipe, outline, assumed, trials, service.idle_s if service else 0.0))
    price = service.price_usd_per_hour if service else 0.0
    ceiling = service.max_cost_usd if service else None
    aside = trials.width(outline.num_envs) if outline.kind == "stream" else 0
    streams = outline.num_envs + aside if live else 0
    limit = service.max_streams if service and live else None
    stops = None if ceiling is None else _stop(phases, price, ceiling)
    return Estimate(
        recipe.source,
        recipe["backend"].component.name,
        phases,
        price,
        ceiling,
        streams,
        limit,
        stops,
        tuple(_assumptions(recipe, outline, assumed, trials.sentences)) if service else (),
        tuple(_warnings(recipe, outline, streams, limit)),
    )


def _phases(recipe: Recipe, outline: Outline, assumed: Assumptions, trials: Trials, idle_s: float) -> Iterable[Phase]:
    """What `adversarl.training.Run` does, in its order; streams of training idle while it evaluates."""
    if outline.missing_videos:
        plural = "s" if outline.missing_videos > 1 else ""
        yield Phase(f"{outline.missing_videos} missing video{plural}", 0, 0.0, outline.missing_videos * outline.video_s)
    warm = int(getattr(recipe["learner"].options, "warm_start_steps", 0))
    tested = round(_evaluation_episodes(recipe, outline.axes) * outline.max_episode_steps * assumed.episode_share)
    if warm:
        yield _phase("warm start", warm, outline, assumed)
    yield _phase("evaluation before", tested, outline, assumed, idle_s if warm else 0.0)
    yield _phase("training", recipe.run.total_steps, outline, assumed)
    if trials.env_steps:
        yield _trial_phase(trials, outline, assumed)
    yield _phase("evaluation after", tested, outline, assumed, idle_s)


def _phase(name: str, steps: int, outline: Outline, assumed: Assumptions, idle_s: float = 0.0) -> Phase:
    """A part of a run, while which as many streams that nobody looks at stay open until they are ended as idle."""
    if outline.kind not in ("stream", "hybrid"):
        return Phase(name, steps, 0.0, 0.0)
    wall = assumed.wall_s(steps, outline)
    return Phase(name, steps, wall, (wall + min(wall, idle_s)) * outline.num_envs)


def _trial_phase(trials: Trials, outline: Outline, assumed: Assumptions) -> Phase:
    """Trials, while which the streams of training go on; hybrid worlds of trials have no streams of their own."""
    name = "trials aside"
    if outline.kind != "stream":
        return _phase(name, trials.env_steps, outline, assumed)
    wall = stream = 0.0
    for one in trials.asked:
        width = one.width(outline.num_envs)
        seconds = assumed.wall_s(round(one.env_steps), replace(outline, num_envs=width))
        wall, stream = wall + seconds, stream + seconds * (outline.num_envs + width)
    return Phase(name, trials.env_steps, wall, stream)


def _evaluation_episodes(recipe: Recipe, axes: Sequence[Axis]) -> int:
    return sum(len(cell.seeds) for cell in recipe["evaluation"].make().cells(axes, recipe.run.seed))


def _stop(phases: Sequence[Phase], price: float, ceiling: float) -> tuple[str, float] | None:
    """Where the money is spent: the phase, and the share of it that is done then."""
    left = ceiling
    for phase in phases:
        cost = phase.stream_s / HOUR * price
        if cost > left:
            return phase.name, left / cost
        left -= cost
    return None


def _assumptions(recipe: Recipe, outline: Outline, assumed: Assumptions, trials: Sequence[str]) -> Iterable[str]:
    low, high = PRICES
    yield f"An hour of one stream costs {low:g} to {high:g} USD (the vendor's material), billed by the second."
    if outline.kind == "stream":
        yield (
            f"A step waits for a new picture: {assumed.frame_rate:g} steps per second and stream. At every reset "
            f"opening the streams takes {assumed.open_s:g} s. What updates of the policy take is not counted."
        )
    elif outline.kind == "hybrid":
        yield (
            f"All environments together make {assumed.hybrid_speed:g} steps per second, updates of the policy "
            f"included; their streams run all the while. {_origin(assumed.speed_from)}"
        )
    elif outline.kind == "videos":
        text = f"A second of video costs as much as a second of a stream; each lasts {outline.video_s:g} s."
        yield f"{text} Training costs nothing."
    yield (
        f"An episode lasts {assumed.episode_share:.0%} of its limit of {outline.max_episode_steps} steps. "
        f"The suite '{recipe['evaluation'].component.name}' has {_evaluation_episodes(recipe, outline.axes)} episodes, "
        "played before and after training."
    )
    yield from trials if outline.kind != "videos" else ()


def _origin(run: str) -> str:
    if run:
        return f"So it was measured in {run}."
    return "This is assumed, not measured, and depends on the machine: a short run's folder as --speed measures it."


def _warnings(recipe: Recipe, outline: Outline, streams: int, limit: int | None) -> Iterable[str]:
    options = recipe["learner"].options
    taught = [key for key in ("warm_start_steps", "distillation") if getattr(options, key, 0)]
    if outline.kind == "stream" and taught:
        sets = " and ".join(f"learner.{key} = 0" for key in taught)
        yield f"A stream alone has no teacher, so that the run will not begin. Set {sets}."
    if limit is None or streams <= limit:
        return
    if outline.num_envs > limit:
        yield (
            f"{outline.num_envs} environments need as many streams at once; the account may have {limit}. "
            f"Set backend.num_envs = {limit}, or backend.max_streams to what your plan allows."
        )
    else:
        yield (
            f"While trials are played aside, {streams} streams run at once; the account may have {limit}. "
            f"Set backend.num_envs = {max(1, limit // 2)}, or backend.max_streams to what your plan allows."
        )

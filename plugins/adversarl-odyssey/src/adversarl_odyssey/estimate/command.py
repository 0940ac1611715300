"""The command ``adversarl odyssey estimate``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adversarl.cli.options import Json, PluginFiles, RecipeFile, Set, load_plugins
from adversarl.errors import RecipeError
from adversarl_odyssey.estimate.assumed import FRAME_RATE, HYBRID_SPEED, OPEN_S, PRICES

if TYPE_CHECKING:
    from adversarl_odyssey.estimate.sums import Assumptions, Estimate


def estimate(
    recipe: RecipeFile,
    overrides: Set = None,
    speed: Annotated[
        str,
        typer.Option(
            metavar="N|RUN",
            help="Steps per second of a hybrid world, all its environments together, or a run's folder.",
        ),
    ] = f"{HYBRID_SPEED:g}",
    frame_rate: Annotated[float, typer.Option(min=0.1, help="Pictures per second of a live stream.")] = FRAME_RATE,
    open_seconds: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds that opening a stream takes; odyssey does so at every reset."),
    ] = OPEN_S,
    episode_share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of its time limit that an episode lasts on average.")
    ] = 1.0,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Say how many stream hours and dollars a run will need; opens no stream and needs no key."""
    from adversarl.cli.output import print_json
    from adversarl.recipe import load_recipe
    from adversarl_odyssey.estimate.outline import outline_of
    from adversarl_odyssey.estimate.sums import estimate as add_up

    loaded = load_recipe(recipe, load_plugins(tuple(plugin or ())).registry, overrides or [])
    found = add_up(loaded, outline_of(loaded), _assumed(speed, frame_rate, open_seconds, episode_share))
    if json:
        print_json(found.to_json())
    else:
        _print(found)


def _assumed(speed: str, frame_rate: float, open_s: float, episode_share: float) -> Assumptions:
    from adversarl_odyssey.estimate.sums import Assumptions

    try:
        steps, run = float(speed), ""
    except ValueError:
        steps, run = _measured(Path(speed)), speed
    if not 0 < steps < math.inf:
        raise RecipeError("--speed", repr(speed), "write a number above 0, or a run's folder")
    return Assumptions(steps, frame_rate, open_s, episode_share, run)


def _measured(run: Path) -> float:
    """Steps per second at the end of a run's training, as its learner counted them."""
    from adversarl.runs import read_rows

    path = run / "metrics.jsonl"
    found = [row["time/fps"] for row in (read_rows(path) if path.exists() else ()) if "time/fps" in row]
    if not found:
        raise RecipeError("--speed", repr(str(run)), "this is neither a number nor a run's folder that says 'time/fps'")
    return float(found[-1])


def _print(found: Estimate) -> None:
    from adversarl.cli.output import console, table

    if found.max_cost_usd is None:
        steps = sum(phase.env_steps for phase in found.phases)
        text = f"{found.recipe}: backend '{found.backend}' costs nothing: no stream is opened in its {steps:,} steps."
        console.print(text, highlight=False, soft_wrap=True)
        return
    rows = [
        [phase.name, f"{phase.env_steps:,}" if phase.env_steps else "-", *_money(phase.wall_s, phase.stream_s, found)]
        for phase in found.phases
    ]
    rows.append(["all", "", *_money(3600 * found.wall_hours, 3600 * found.stream_hours, found)])
    price = f"USD ({found.price_usd_per_hour:g}/h)"
    columns = ["part", "env steps", "hours", "stream h", "USD (1 to 2/h)", price]
    console.print(table(f"{found.recipe} in {found.backend}", columns, rows))
    for sentence in found.assumptions:
        console.print(f"- {sentence}", markup=False, highlight=False, soft_wrap=True)
    for sentence, style in _verdict(found):
        console.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


def _money(wall_s: float, stream_s: float, found: Estimate) -> list[str]:
    hours = stream_s / 3600
    low, high = (f"{hours * price:.2f}" for price in PRICES)
    wall = f"{wall_s / 3600:.2f}" if wall_s else "-"
    return [wall, f"{hours:.2f}", f"{low} to {high}", f"{hours * found.price_usd_per_hour:.2f}"]


def _verdict(found: Estimate) -> list[tuple[str, str]]:
    """Whether limits and money suffice, with a style each."""
    verdict = [(sentence, "yellow") for sentence in found.warnings]
    if found.max_streams is not None and found.streams <= found.max_streams:
        verdict.append((f"{found.streams} streams are needed at once; the account may have {found.max_streams}.", ""))
    money = f"max_cost_usd = {found.max_cost_usd:g}"
    if found.stops_in is None:
        return [*verdict, (f"{money} suffices.", "green")]
    phase, share = found.stops_in
    advice = f"For all of it set backend.max_cost_usd = {_ceil(found.usd)}."
    return [*verdict, (f"{money} ends the run after {share:.0%} of: {phase}. {advice}", "yellow")]


def _ceil(usd: float) -> int:
    return int(-(-1.1 * usd // 1))

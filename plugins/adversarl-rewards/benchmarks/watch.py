"""How soon the watch catches detectors that are wrong on purpose, and how often it raises a false alarm.

Run it with ``python plugins/adversarl-rewards/benchmarks/watch.py --out docs/results/watch.json``; it takes minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl import hookimpl
from adversarl.assembly import make_loop
from adversarl.cli.output import console
from adversarl.loop import ClosedLoop
from adversarl.metrics import wilson
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.types import Episode
from adversarl.watch import HackingWatch, WatchOptions

BROKEN = Path(__file__).parents[3] / "docs" / "examples" / "broken_detectors.py"
RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
"""Shares of unsolved episodes that a simulated detector calls solved."""

WINDOWS, SEEDS, ENVS = 1000, 10, 8
CASES = (
    ("always-yes", "expert"),
    ("always-yes", "random"),
    ("color-only", "expert"),
    ("never-yes", "expert"),
)
"""Detectors and who plays; what never says yes shows only where episodes are solved."""

Act = Callable[[ClosedLoop, np.random.Generator], NDArray[np.float32]]


def expert(loop: ClosedLoop, rng: np.random.Generator) -> NDArray[np.float32]:
    """The world's teacher."""
    del rng
    return loop.teacher(range(loop.num_envs))


def random(loop: ClosedLoop, rng: np.random.Generator) -> NDArray[np.float32]:
    """Any action, as a policy that has learnt nothing."""
    return rng.uniform(-1, 1, loop.action_space.shape).astype(np.float32)


PLAYERS: dict[str, Act] = {"expert": expert, "random": random}


@dataclass
class Listener:
    """Watches as a run does, and counts the episodes until the first alarm."""

    watch: HackingWatch
    finished: int = 0
    alarm: str = ""
    episodes: int | None = None
    said: list[tuple[bool, bool]] = field(default_factory=list)

    @hookimpl
    def adversarl_episode_finished(self, episode: Episode) -> None:
        """Counts it."""
        self.finished += 1
        self.said.append((episode.success, bool(episode.state_success)))
        alarm = self.watch.observe(episode.success, bool(episode.state_success))
        if alarm and not self.alarm:
            self.alarm, self.episodes = alarm, self.finished


def recipe_of(plugins: Plugins, reward: dict[str, Any], backend: dict[str, Any], seed: int) -> Any:
    """A recipe with nothing but a world and a reward."""
    tables = {
        "run": {"seed": seed},
        "backend": backend,
        "reward": reward,
        "failure": {"use": "none"},
        "curriculum": {"use": "none"},
        "learner": {"use": "random-search"},
        "watch": {"on_alarm": "warn"},
    }
    return parse_recipe(tables, plugins.registry, "watch.py")


def play(recipe: Any, plugins: Plugins, player: Act, seed: int, until: Callable[[Listener], bool]) -> Listener:
    """Plays until something is so."""
    loop, rng = make_loop(recipe, plugins), np.random.default_rng(seed)
    listener = Listener(HackingWatch(recipe.watch, recipe["reward"].component.name))
    plugins.manager.register(listener)
    try:
        loop.connect(None)
        loop.reset()
        while not until(listener):
            loop.step(player(loop, rng))
    finally:
        plugins.manager.unregister(listener)
        loop.close()
    return listener


def caught(plugins: Plugins, detector: str, player: str, seed: int) -> Listener:
    """Plays `pick` with a detector that is wrong until it is caught, for two windows at most."""
    task = {"type": "pick", "success": {"time_limit": 2.0}}
    backend = {"use": "mujoco", "task": task, "num_envs": ENVS, "image_size": 32, "threads": 1}
    recipe = recipe_of(plugins, {"use": detector}, backend, seed)
    most = 2 * recipe.watch.window
    return play(recipe, plugins, PLAYERS[player], seed, lambda it: bool(it.alarm) or it.finished >= most)


def broken(seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Episodes until the alarm, for every case and seed."""
    plugins, rows = build_plugin_manager([BROKEN]), []
    for detector, player in CASES:
        found = [caught(plugins, detector, player, seed) for seed in seeds]
        rows.append({"detector": detector, "player": player, "episodes": [one.episodes for one in found]})
        console.print(rows[-1])
    return rows


def simulated(rate: float, windows: int = WINDOWS) -> dict[str, Any]:
    """Windows without a solved episode, of a detector that calls this share of them solved.

    The worst case: where some episodes are solved, there is less evidence in a window.
    """
    options = WatchOptions()
    rng, watch, until = np.random.default_rng(round(1000 * rate)), HackingWatch(options, "simulated"), []
    for said in rng.uniform(size=(windows, options.window)) < rate:
        found = [number for number, yes in enumerate(said, 1) if watch.observe(bool(yes), False)]
        until += found
    share = wilson(len(until), windows)
    median = float(np.median(until)) if until else None
    return {
        "rate": rate,
        "windows": windows,
        "alarms": len(until),
        "interval": [share.low, share.high],
        "median": median,
    }


def main() -> None:
    """Writes all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    rates = [simulated(rate) for rate in RATES]
    console.print(rates)
    figures = {
        "watch": WatchOptions().model_dump(mode="json"),
        "broken": broken(range(SEEDS)),
        "simulated": rates,
    }
    out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

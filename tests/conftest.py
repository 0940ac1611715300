"""Fixtures of the core's tests: a small recipe on the built-in world, the command line in this process, and a loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pluggy
import pytest

from adversarl import hookimpl, hooks
from adversarl.builtin import plugin as builtin_plugin
from adversarl.builtin.nothing import NoFailure
from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.state import StateReward
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.reward import RewardDetector
from adversarl.loop import STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.registry import Registrar, Registry
from adversarl.schedule import Entry
from adversarl.seeding import generator
from adversarl.testing.fakes import make_trials
from adversarl.types import Episode, FailureReport, Proposal

SMALL = """
[run]
total_steps = 1600
checkpoint_every = 400

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 20

[failure]
use = "none"
report_every = 10

[learner]
use = "random-search"
directions = 2

[evaluation]
suite = "robustness"
episodes = 4
intensities = [0.0, 1.0]
"""


@pytest.fixture
def small() -> str:
    """A recipe that runs in a second with the core alone."""
    return SMALL


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file into the test's folder."""

    def write(text: str, name: str = "bad.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def recipe_file(write: Callable[..., Path]) -> Path:
    """The small recipe as a file."""
    return write(SMALL, "small.toml")


@pytest.fixture
def registry() -> Registry:
    """The built-in components alone, whatever else is installed."""
    registry = Registry()
    builtin_plugin.adversarl_register(Registrar(registry.add, "adversarl", "0.1.0"))
    return registry


@pytest.fixture
def plugins() -> Plugins:
    """Everything that is installed."""
    return build_plugin_manager()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Path]]:
    """Installs a distribution for real: a module and its metadata with an entry point, on ``sys.path``."""
    site, modules = tmp_path / "site", []

    def install(name: str, source: str) -> Path:
        module = name.replace("-", "_")
        modules.append(module)
        metadata = site / f"{module}-1.2.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[adversarl]\n{name} = {module}\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def adversarl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """The command line in this process, on a terminal wide enough for every message."""
    from adversarl.cli import main
    from adversarl.cli.output import console

    monkeypatch.setenv("COLUMNS", "250")
    before, console.width = console.width, 250

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["adversarl", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), out, err)

    yield call
    console.width = before


class Scripted(CurriculumStrategy):
    """Asks for the same proposals before every episode, and remembers what it was shown."""

    def __init__(self, proposals: Sequence[Proposal], clean_share: float, world: World, rng: Any) -> None:
        super().__init__(CurriculumOptions(clean_share=clean_share), world, rng)
        self.proposals = proposals
        self.slots: list[Slot] = []
        self.seen: list[Episode] = []

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        self.slots.append(slot)
        return self.proposals

    def observe(self, episode: Episode) -> None:
        self.seen.append(episode)


@dataclass
class Recorder:
    """Keeps what the lifecycle hooks said."""

    episodes: list[Episode] = field(default_factory=list)
    reports: list[FailureReport] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    in_force: list[tuple[int, int | None, Entry]] = field(default_factory=list)
    refused: list[tuple[int, Entry, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)

    @hookimpl
    def adversarl_episode_finished(self, episode: Episode) -> None:
        self.episodes.append(episode)

    @hookimpl
    def adversarl_report(self, report: FailureReport) -> None:
        self.reports.append(report)

    @hookimpl
    def adversarl_prompt(self, proposal: Proposal) -> None:
        self.proposals.append(proposal)

    @hookimpl
    def adversarl_prompt_in_force(self, episode: int, step: int | None, entry: Entry) -> None:
        self.in_force.append((episode, step, entry))

    @hookimpl
    def adversarl_prompt_refused(self, episode: int, entry: Entry, player: str) -> None:
        self.refused.append((episode, entry, player))

    @hookimpl
    def adversarl_notice(self, source: str, text: str) -> None:
        self.notices.append((source, text))


@dataclass
class Bench:
    """A loop with its listener and its curriculum."""

    loop: ClosedLoop
    heard: Recorder
    curriculum: Scripted

    def play(self, steps: int, seed: int = 0) -> list[tuple[Any, ...]]:
        """Acts at random; returns what `step` returned."""
        rng = np.random.default_rng(seed)
        shape = self.loop.action_space.shape
        return [self.loop.step(rng.uniform(-1, 1, shape).astype(np.float32)) for _ in range(steps)]


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """Makes a closed loop on the point-mass world with scripted proposals."""

    def make(
        *proposals: Proposal,
        num_envs: int = 2,
        max_episode_steps: int = 10,
        clean_share: float = 0.0,
        seed: int = 0,
        report_every: int = 20,
        reward: RewardDetector | None = None,
        **others: Any,
    ) -> Bench:
        manager, heard = pluggy.PluginManager("adversarl"), Recorder()
        manager.add_hookspecs(hooks)
        manager.register(heard)
        options = PointMass.Options(num_envs=num_envs, image_size=16, max_episode_steps=max_episode_steps)
        world = PointMass(options).make(seed=seed)
        streams = {name: generator(seed, name) for name in STREAMS}
        about = World(world.axes, world.max_episode_steps, world.ground)
        curriculum = Scripted(proposals, clean_share, about, streams["curriculum"])
        failure = NoFailure(NoFailure.Options(report_every=report_every), world.axes)
        trials = make_trials(num_envs, seed=seed, image_size=16, max_episode_steps=max_episode_steps)
        parts = Parts(
            world, Detectors(reward or StateReward(StateReward.Options()), **others), failure, curriculum, trials
        )
        return Bench(ClosedLoop(parts, manager.hook, seed=seed, streams=streams), heard, curriculum)

    return make

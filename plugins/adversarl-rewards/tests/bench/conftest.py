"""Frames of the point mass, tiny detectors in a one-file plugin, and the command in this process."""

import json
import sys

import numpy as np
import pytest
from adversarl_rewards.bench import speed
from adversarl_rewards.bench.lineup import recipe_of
from adversarl_rewards.bench.run import Request, design_of

from adversarl.plugins import build_plugin_manager

TINY = '''
import zlib

import numpy as np

from adversarl import hookimpl
from adversarl.detection import FrameDetector, FrameOptions, Judgement
from adversarl.errors import AdversarlError
from adversarl.interfaces.reward import RewardDetector


class FileOptions(FrameOptions):
    file: str


class Yes(FrameDetector):
    def judge(self, frames, task):
        return Judgement(np.ones(len(frames)), np.full(len(frames), np.nan))


class Oracle(FrameDetector):
    """Knows the labels of a file of frames."""

    Options = FileOptions
    held_out_axes = ("brightness",)

    def __init__(self, options):
        super().__init__(options)
        with np.load(options.file) as found:
            rows = zip(found["frames"], found["success"], found["progress"], strict=True)
            self.known = {zlib.crc32(frame.tobytes()): (success, progress) for frame, success, progress in rows}

    def judge(self, frames, task):
        success, progress = np.array([self.known[zlib.crc32(frame.tobytes())] for frame in frames], float).T
        return Judgement(success, progress)


class Paid(FrameDetector):
    """A cent a frame, and no more than forty."""

    cost = 0.0

    def judge(self, frames, task):
        can = np.arange(len(frames)) < round(100 * (0.4 - self.cost))
        self.cost += 0.01 * can.sum()
        self.exhausted = "its budget is spent" if self.cost > 0.399 else ""
        return Judgement(np.where(can, 0.7, np.nan), np.where(can, 0.7, np.nan))

    def scalars(self):
        return {**super().scalars(), "cost_usd": self.cost}


class Blind(FrameDetector):
    def judge(self, frames, task):
        raise AdversarlError("it sees nothing at all")


class Closed(FrameDetector):
    def judge(self, frames, task):
        self.exhausted = "no key is set. Set one"
        return Judgement(np.full(len(frames), np.nan), np.full(len(frames), np.nan))


class Interrupted(FrameDetector):
    def judge(self, frames, task):
        if self.scalars()["frames"] >= 40:
            raise KeyboardInterrupt
        return Judgement(np.ones(len(frames)), np.ones(len(frames)))


class Compares(RewardDetector):
    def score(self, step):
        raise NotImplementedError


@hookimpl
def adversarl_register(add):
    for cls in (Yes, Oracle, Paid, Blind, Closed, Interrupted, Compares):
        add.reward(f"tiny-{cls.__name__.lower()}", f"{__name__}:{cls.__name__}", "For tests")
'''
SMALL = ("backend.image_size=16", "backend.num_envs=4")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A one-file plugin with tiny detectors."""
    path = tmp_path_factory.mktemp("plugin") / "tiny_detectors.py"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def tiny_plugins(tiny):
    return build_plugin_manager((tiny,))


@pytest.fixture
def quick(monkeypatch):
    """Times are taken once, and short."""
    monkeypatch.setattr(speed, "ROUNDS", 2)
    monkeypatch.setattr(speed, "SECONDS", 0.001)


@pytest.fixture(scope="session")
def small():
    """A request for frames of the point mass, few and small."""
    return Request(backend="point-mass", overrides=SMALL, episodes=2)


@pytest.fixture(scope="session")
def recipe(small, tiny_plugins):
    return recipe_of(None, small.backend, small.overrides, tiny_plugins)


@pytest.fixture(scope="session")
def world(recipe):
    with_world = recipe["backend"].make().make(seed=0)
    yield with_world
    with_world.close()


@pytest.fixture(scope="session")
def design(small, recipe, world):
    return design_of(small, recipe["backend"], world)


@pytest.fixture(scope="session")
def truth(design, world):
    """Labelled frames of that request."""
    return design.make(world, lambda done, total: None)


@pytest.fixture
def bench(tiny, truth, design, quick, monkeypatch, capsys, tmp_path):
    """``adversarl bench rewards`` on those frames: exit code, JSON or text, errors."""
    from adversarl_rewards.bench.frames import save

    from adversarl.cli import main
    from adversarl.cli.output import console

    frames = tmp_path / "frames.npz"
    save(frames, design, truth)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(console, "width", 200)

    def call(*arguments):
        sets = [word for one in SMALL for word in ("--set", one)]
        fixed = ["--backend", "point-mass", "--episodes", "2", "--frames", frames, "--plugin", tiny, *sets]
        monkeypatch.setattr(sys, "argv", ["adversarl", "bench", "rewards", *map(str, [*fixed, *arguments])])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), json.loads(out) if "--json" in arguments and out else out, err

    return call


@pytest.fixture
def frames_file(tmp_path):
    return tmp_path / "frames.npz"


@pytest.fixture
def order(truth):
    return np.arange(len(truth))

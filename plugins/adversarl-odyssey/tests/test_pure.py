"""Tests of the world that is nothing but a stream."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.goal import GoalImage, GoalImageOptions
from adversarl_odyssey.goal_pictures import SIZE, Goal
from adversarl_odyssey.pure import Odyssey
from adversarl_odyssey.pure_axes import chosen
from adversarl_odyssey.pure_options import OdysseyOptions
from adversarl_odyssey.pure_world import PureVectorEnv
from adversarl_odyssey.sources import Shown, Source
from numpy.typing import NDArray

from adversarl.detection import FrameDetector, FrameOptions, Judgement
from adversarl.errors import PerturbationError
from adversarl.types import Perturbation

SCENE = "A cube on a table."
SMALL = 32
RAISE = np.array([[0, 0, 1, 1]] * 2, np.float32)


class Theatre(Source):
    """A world of two squares that obeys "moves up" and "dark": the red one is the goal when it is at the top.

    Attributes:
        said: Everything that it was told, in order.
        renew: Environments whose stream is lost before the next picture.
        refuse: What the next picture raises.
    """

    def __init__(self, num_envs: int) -> None:
        self.said: list[tuple[str, int, str]] = []
        self.renew: set[int] = set()
        self.refuse: OdysseyError | None = None
        self.closed = False
        self._height, self._up, self._dark = ([0] * num_envs, [False] * num_envs, [False] * num_envs)
        self._number = 0

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        assert restart
        self.said.append(("begin", env, scene))
        self._height[env], self._up[env], self._dark[env] = 0, False, False

    def prompt(self, env: int, text: str) -> None:
        self.said.append(("prompt", env, text))
        self._dark[env] = "dark" in text.lower()

    def act(self, env: int, text: str) -> None:
        self.said.append(("act", env, text))
        self._up[env] = "moves up" in text

    def show(self, env: int, *, fresh: bool) -> Shown:
        if self.refuse is not None:
            raise self.refuse
        assert fresh
        self._number += 1
        self._height[env] = min(4, self._height[env] + self._up[env])
        renewed = env in self.renew
        if renewed:
            self.renew.remove(env)
            self._height[env] = 0
        picture = stage(self._height[env], SMALL)
        return Shown(picture // 2 if self._dark[env] else picture, self._number, 0.01, 0.1, 1, renewed)

    def close(self) -> None:
        self.closed = True


def stage(height: int, size: int) -> NDArray[np.uint8]:
    """The picture of a height in [0, 4]. Shape (size, size, 3)."""
    picture = np.full((SIZE, SIZE, 3), (40, 90, 60), np.uint8)
    picture[66 - 10 * height : 76 - 10 * height, 36:48] = (220, 30, 30)
    picture[64 - 10 * height : 66 - 10 * height, 30:54] = 240
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def options(**given: Any) -> OdysseyOptions:
    """Small ones."""
    return OdysseyOptions(
        **{"scene": SCENE, "image_size": SMALL, "max_episode_steps": 6, "action_frequency": 60, **given}
    )


@pytest.fixture
def make() -> Iterator[Callable[..., PureVectorEnv]]:
    """``make(**options)`` gives a world of two environments before a `Theatre`."""
    worlds = []

    def build(**given: Any) -> PureVectorEnv:
        chosen_options = options(**given)
        judge = GoalImage(GoalImageOptions(hold=1))
        judge.show_goals([Goal((stage(4, SIZE),), stage(0, SIZE))])
        worlds.append(
            PureVectorEnv(
                Theatre(2),
                judge,
                chosen_options,
                axes=chosen(chosen_options.axes),
                goal=lambda notice, paid: Path("none.mp4"),
                num_envs=2,
                seed=0,
            )
        )
        worlds[-1].connect(lambda text: None, Path("run"))
        return worlds[-1]

    yield build
    for world in worlds:
        world.close()


def said(world: PureVectorEnv, kind: str) -> list[tuple[int, str]]:
    """What a theatre was told of one kind."""
    assert isinstance(world.source, Theatre)
    return [(env, text) for one, env, text in world.source.said if one == kind]


def theatre(world: PureVectorEnv) -> Theatre:
    """The source of a world."""
    assert isinstance(world.source, Theatre)
    return world.source


def play(world: PureVectorEnv, steps: int) -> list[Any]:
    """Raises the cube; resets what ends."""
    found = []
    for _ in range(steps):
        found.append(world.step(RAISE))
        done = found[-1][2] | found[-1][3]
        if done.any():
            world.reset(options={"reset_mask": done})
    return found


def test_observations_are_pictures_and_what_the_robot_was_told(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    observation, info = world.reset(seed=[1, 2])
    assert world.observation_space.contains(observation)
    assert observation["proprio"].tolist() == [[0] * 4] * 2
    assert info["success"].tolist() == [False, False]
    observation, reward, terminated, truncated, info = world.step(RAISE)
    assert world.observation_space.contains(observation)
    assert observation["proprio"].tolist() == [[0, 0, 1, 1]] * 2
    assert reward.shape == terminated.shape == truncated.shape == (2,)
    names = ("frame_number", "frame_age_s", "frame_latency_s", "frames_dropped", "stream_renewed", "success")
    assert all(info[name].shape == (2,) for name in names)
    assert world.state().shape == (2, 0)
    assert world.frames([1], (20, 40)).shape == (1, 20, 40, 3)


def test_actions_become_sentences_that_are_said_once(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    world.reset(seed=[1, 2])
    world.step(RAISE)
    world.step(RAISE)
    assert said(world, "act") == [(env, "The robot arm moves up and closes its gripper.") for env in (0, 1)]


def test_the_goal_ends_an_episode_and_pays(make: Callable[..., PureVectorEnv]) -> None:
    world = make(max_episode_steps=50)
    world.reset(seed=[1, 2])
    total = np.zeros(2)
    for _ in range(10):
        _, reward, terminated, truncated, info = world.step(RAISE)
        total += reward
        if terminated.any():
            break
    assert terminated.all()
    assert info["success"].all()
    assert not truncated.any()
    assert (total > 2).all()


def test_an_episode_without_success_is_truncated_at_its_limit(make: Callable[..., PureVectorEnv]) -> None:
    world = make(max_episode_steps=3)
    world.reset(seed=[1, 2])
    ends = [world.step(np.zeros((2, 4)))[3].tolist() for _ in range(3)]
    assert ends == [[False] * 2, [False] * 2, [True] * 2]


def test_conditions_are_asked_for_in_words_at_a_reset(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    world.perturb([1], [world.ground("make it dark in here").perturbations])
    observation, _ = world.reset(seed=[1, 2])
    assert said(world, "begin") == [(0, SCENE), (1, SCENE)]
    assert said(world, "prompt") == [(1, f"{SCENE} Make it dark in here.")]
    assert observation["image"][1].mean() < 0.6 * observation["image"][0].mean()


def test_conditions_change_while_an_episode_runs_and_are_taken_back(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    world.reset(seed=[1, 2])
    world.perturb([0], [world.ground("dark and foggy").perturbations])
    world.step(RAISE)
    world.step(RAISE)
    world.restore([0])
    world.step(RAISE)
    assert said(world, "prompt") == [(0, f"{SCENE} Dark and foggy."), (0, SCENE)]


def test_a_renewed_stream_ends_the_episode_and_nothing_seen_in_it_counts(make: Callable[..., PureVectorEnv]) -> None:
    world = make(max_episode_steps=50)
    world.reset(seed=[1, 2])
    world.step(RAISE)
    theatre(world).renew = {1}
    _, reward, terminated, truncated, info = world.step(RAISE)
    assert truncated.tolist() == [False, True]
    assert not terminated.any()
    assert reward[1] == 0
    assert info["stream_renewed"].tolist() == [False, True]


def test_every_episode_that_begins_ends_once(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    world.reset(seed=[1, 2])
    for round_ in range(6):
        theatre(world).renew = {round_ % 2}
        play(world, 5)
    world.reset()
    counts = world.scalars()
    running = 2
    assert counts["odyssey/episodes_cut"] >= 6
    assert counts["odyssey/episodes_begun"] == (
        counts["odyssey/episodes_ended"] + counts["odyssey/episodes_dropped"] + running
    )
    assert counts["odyssey/episodes_begun"] == len(said(world, "begin"))


def test_a_rewound_environment_has_all_but_its_world_back(make: Callable[..., PureVectorEnv]) -> None:
    world, other = make(), make()
    world.perturb([0], [[Perturbation("fog", 0.5)]])
    world.reset(seed=[1, 2])
    before, *_ = world.step(RAISE)
    snapshots = pickle.loads(pickle.dumps(world.snapshot([0, 1])))
    other.judge = GoalImage(GoalImageOptions())  # as in a new process, which has asked for no goal yet
    after = other.rewind([0, 1], snapshots)
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert other.active([0, 1]) == world.active([0, 1])
    assert theatre(other).said == []
    _, reward, terminated, truncated, _ = other.step(RAISE)
    assert truncated.all()
    assert not terminated.any()
    assert reward.tolist() == [0, 0]
    assert theatre(other).said == []
    other.judge = world.judge
    here, there = (one.reset()[0] for one in (world, other))
    assert [life.seed for life in world._lives] == [life.seed for life in other._lives]
    assert np.array_equal(here["image"], there["image"])


def test_a_refusal_before_the_first_picture_is_the_callers(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    theatre(world).refuse = OdysseyError("the key is wrong", "Set another.")
    with pytest.raises(OdysseyError, match="the key is wrong"):
        world.reset()


def test_a_refusal_in_the_middle_of_a_run_stops_it_with_what_was_seen(make: Callable[..., PureVectorEnv]) -> None:
    world = make(max_episode_steps=50)
    world.reset(seed=[1, 2])
    world.step(RAISE)
    theatre(world).refuse = OdysseyError("no hours are left", "Buy some.")
    observation, _, terminated, truncated, _ = world.step(RAISE)
    told = len(theatre(world).said)
    assert world.exhausted == "Odyssey: no hours are left. Buy some"
    assert not (terminated | truncated).any()
    assert world.observation_space.contains(observation)
    world.reset()
    world.step(RAISE)
    assert len(theatre(world).said) == told


def test_axes_and_targets_that_words_do_not_have_are_refused(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    for bad in (Perturbation("gravity", 0.5), Perturbation("fog", 0.5, "key")):
        with pytest.raises(PerturbationError):
            world.perturb([0, 1], [[Perturbation("rain", 0.5)], [bad]])
    assert world.active([0, 1]) == [(), ()]


def test_closing_ends_the_streams(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    world.close()
    assert theatre(world).closed


def test_the_emulator_plays_an_episode_whose_goal_is_a_video_of_its_own(emulator: Any, tmp_path: Path) -> None:
    backend = Odyssey(OdysseyOptions(num_envs=1, client="thin", bank=str(tmp_path), image_size=64, max_episode_steps=8))
    notices: list[str] = []
    with closing(backend.make(seed=0)) as world:
        world.connect(notices.append, tmp_path)
        bright, _ = world.reset(seed=[1])
        assert '"seconds": 8.0, "usd": 0.004444, "why": "goal video"' in (tmp_path / "odyssey.jsonl").read_text()
        assert len(list(tmp_path.glob("*/video.mp4"))) == 1
        world.perturb([0], [world.ground("the room is very dark").perturbations])
        dark, _ = world.reset(seed=[1])
        assert dark["image"].mean() < 0.8 * bright["image"].mean()
        lengths = 0
        for _ in range(8):
            _, _, terminated, truncated, info = world.step(np.ones((1, 4), np.float32))
            lengths += 1
            assert info["frame_number"][0] > 0
            if (terminated | truncated)[0]:
                break
        assert lengths == 8 or terminated[0]
    assert any("video of the goal" in text for text in notices)
    assert emulator.stats()["streams"] == 0


def test_a_recording_plays_back_to_the_bit_without_a_service(emulator: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "goal.png"), stage(4, SIZE))
    keys = {"judge": {"goal": str(tmp_path / "goal.png")}, "client": "thin", "num_envs": 1, "max_episode_steps": 3}
    seen = []
    for key in ("record", "playback"):
        backend = Odyssey(OdysseyOptions(**keys, image_size=SMALL, **{key: str(tmp_path / "kept")}))
        with closing(backend.make(seed=0)) as world:
            world.perturb([0], [world.ground("dim the lights").perturbations])
            pictures = [world.reset(seed=[1])[0]["image"]]
            pictures += [world.step(np.ones((1, 4), np.float32))[0]["image"] for _ in range(3)]
            seen.append(np.stack(pictures))
        emulator.faults.switch("quota")
    assert np.array_equal(*seen)


class Bright(FrameDetector):
    """Calls a picture solved where its upper half holds much red; closed and exhausted on command."""

    closed = 0

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        assert task == "pick up the cube"
        solved = (frames[:, : SMALL // 2, :, 0] > 150).any(axis=(1, 2))
        return Judgement(solved.astype(float), solved.astype(float))

    def close(self) -> None:
        super().close()
        self.closed += 1


def test_any_detector_judges_and_is_asked_when_the_time_is_up_whatever_its_cadence(
    make: Callable[..., PureVectorEnv],
) -> None:
    world = make()
    world.judge = Bright(FrameOptions(hold=1, every=100))
    world.reset(seed=[1, 2])
    results = [world.step(RAISE * [[1], [0]]) for _ in range(6)]
    assert not any(success.any() for *_, success, _, _ in results[:-1])
    _, reward, success, late, _ = results[-1]
    assert success.tolist() == [True, False]
    assert late.tolist() == [False, True]
    assert reward[0] > 2
    assert world.scalars()["odyssey/judge_frames"] == 4


def test_a_judge_that_is_exhausted_stops_the_world_and_is_closed_with_it(make: Callable[..., PureVectorEnv]) -> None:
    world = make()
    judge = world.judge = Bright(FrameOptions(hold=1))
    world.reset(seed=[1, 2])
    judge.exhausted = "2 USD are spent"
    world.step(RAISE)
    assert world.exhausted == "2 USD are spent"
    world.close()
    assert judge.closed == 1

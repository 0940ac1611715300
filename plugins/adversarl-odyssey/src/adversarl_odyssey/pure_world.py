"""A vector environment whose worlds are streams: words go in, pictures come out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from adversarl.interfaces.backend import Indices, Notice, Observation, PerturbableVectorEnv, Seeds, reset_seeds
from adversarl.interfaces.reward import RewardDetector, Step
from adversarl.types import Axis, Grounding, Perturbation
from adversarl_odyssey import pure_axes
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.goal import GoalImage
from adversarl_odyssey.goal_pictures import ending
from adversarl_odyssey.pure_life import Life
from adversarl_odyssey.pure_options import OdysseyOptions
from adversarl_odyssey.sentences import ActionEncoder
from adversarl_odyssey.sources import Shown, Source, info_of
from adversarl_odyssey.wording import Wording

_log = logging.getLogger(__name__)
GoalVideo = Callable[[Notice, Callable[[float, str], None]], Path]


class PureVectorEnv(PerturbableVectorEnv):
    """Streams of a world model as environments.

    Action, Shape (num_envs, a): one number for each pair of `vocabulary`, said as a sentence and no more often than
    `action_frequency`. The observation's ``proprio`` is what the robot was last told, Shape (num_envs, a): a world
    model has no joints to read. There is no privileged state and no teacher. A seed makes what is drawn repeatable, not
    the pictures.

    A reset begins a new stream. Where a stream is renewed by itself, the world in it is another one: the episode ends
    there, truncated. A rewound environment has its conditions, counters and last picture back, but not its world: its
    episode ends, truncated, with the next step.

    ``info`` has, each of Shape (num_envs,): ``success``, ``frame_number``, ``frame_age_s``, ``frame_latency_s``,
    ``frames_dropped`` and ``stream_renewed``, see `Shown`.

    Args:
        source: Where the pictures come from; closed with this world.
        judge: What says how good a picture is.
        options: Keys of the backend.
        axes: Axes that curricula may vary.
        goal: Makes a video of the goal for a judge that has none; told how to tell the user.
        num_envs: Number of environments.
        seed: Root of the environments' own generators.
    """

    truth = False

    def __init__(
        self,
        source: Source,
        judge: RewardDetector,
        options: OdysseyOptions,
        *,
        axes: tuple[Axis, ...],
        goal: GoalVideo,
        num_envs: int,
        seed: int,
    ) -> None:
        self.source, self.judge, self.wording = source, judge, Wording(options.thing)
        self.num_envs, self.axes, self.task = num_envs, axes, options.task_text
        self.max_episode_steps, self._scene, self._goal = options.max_episode_steps, options.scene, goal
        self._settle_frames = options.settle_frames
        self._define_spaces(options.image_size, len(options.vocabulary))
        self._encoders = [
            ActionEncoder(options.vocabulary, options.dead_zone, options.action_frequency) for _ in range(num_envs)
        ]
        still, black = (
            np.zeros(len(options.vocabulary), np.float32),
            np.zeros((options.image_size,) * 2 + (3,), np.uint8),
        )
        streams = np.random.SeedSequence(seed).spawn(num_envs)
        self._lives = [Life(np.random.default_rng(stream), still, black) for stream in streams]
        self._asked = [""] * num_envs
        self._shown: list[Shown | None] = [None] * num_envs
        self._notice: Notice = _log.info
        self._in_run = False
        self._begun = self._ended = self._cut = self._dropped = 0

    def _define_spaces(self, size: int, actions: int) -> None:
        box = gymnasium.spaces.Box
        self.single_observation_space = gymnasium.spaces.Dict(
            image=box(0, 255, (size, size, 3), np.uint8), proprio=box(-np.inf, np.inf, (actions,), np.float32)
        )
        self.single_action_space = box(-1, 1, (actions,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Passes on how to tell the user something, and where the run lies."""
        self._notice, self._in_run = notice, folder is not None
        self.source.connect(notice, folder)
        self.judge.connect(notice, folder)
        self.exhausted = self.source.exhausted or self.judge.exhausted

    def scalars(self) -> dict[str, float]:
        """What source and judge measure, and what became of episodes: each that began ended, was dropped, or runs."""
        return {
            **self.source.scalars(),
            **{f"odyssey/judge_{name}": value for name, value in self.judge.scalars().items()},
            "odyssey/episodes_begun": self._begun,
            "odyssey/episodes_ended": self._ended,
            "odyssey/episodes_cut": self._cut,
            "odyssey/episodes_dropped": self._dropped,
        }

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins episodes, each in a stream of its own; see `PerturbableVectorEnv.reset`."""
        seeds = reset_seeds(seed, self.num_envs)
        mask = (options or {}).get("reset_mask")
        chosen = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask, bool)
        if isinstance(self.judge, GoalImage) and not self.judge.knows_goal:
            self.judge.show_goals([ending(self._goal(self._notice, self.source.paid))])
        envs = np.flatnonzero(chosen).tolist()
        for env in envs:
            self._begin(env, seeds[env])
        self._look(envs)
        for _ in range(self._settle_frames):
            self._look([env for env in envs if self._asked[env] != self._scene])
        self.judge.begin(self._images(), chosen, self.task)
        return self._observation(), {"success": np.zeros(self.num_envs, bool), **info_of(self._shown)}

    def _begin(self, env: int, seed: int | None) -> None:
        life = self._lives[env]
        self._dropped += life.running
        self._begun += 1
        life.seed = int(life.rng.integers(2**31)) if seed is None else seed
        life.steps, life.running, life.lost = 0, True, False
        self._encoders[env].reset()
        life.told = self._encoders[env].told
        if self.exhausted:
            return
        self.source.begin(env, self._scene, restart=True)
        self._asked[env] = self._scene
        self._ask(env)

    def _ask(self, env: int) -> None:
        """Asks for the conditions in force, where they are not those that were asked for last."""
        wanted = f"{self._scene} {self.wording.conditions(self._lives[env].active)}".rstrip()
        if wanted != self._asked[env]:
            self._asked[env] = wanted
            self.source.prompt(env, wanted)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Tells the robots what to do, and waits for pictures that are newer."""
        now = time.monotonic()
        present = [env for env, life in enumerate(self._lives) if not life.lost]
        for env in present if not self.exhausted else ():
            self._ask(env)
            sentence = self._encoders[env].say(np.asarray(actions)[env], now)
            if sentence is not None:
                self._lives[env].told = self._encoders[env].told
                self.source.act(env, sentence)
        self._look(present)
        return self._conclude(present)

    def _conclude(self, present: Sequence[int]) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Any]:
        """Judges the pictures; where a world is gone, nothing that is seen counts."""
        nothing = np.zeros(self.num_envs)
        ending = np.array([life.steps + 1 >= self.max_episode_steps for life in self._lives])
        score = self.judge.score(Step(self._images(), self.task, nothing, nothing.astype(bool), ending))
        self.exhausted = self.exhausted or self.judge.exhausted
        same = np.zeros(self.num_envs, bool)
        for env in present:
            shown = self._shown[env]
            same[env] = shown is not None and not shown.renewed
        success = score.success & same
        late = np.zeros(self.num_envs, bool)
        for env, life in enumerate(self._lives):
            life.steps += 1
            late[env] = (life.steps >= self.max_episode_steps or not same[env]) and not success[env]
            if life.running and (success[env] or late[env]):
                life.running, self._ended, self._cut = False, self._ended + 1, self._cut + int(not same[env])
        reward = np.where(same, score.reward, 0.0)
        return self._observation(), reward, success, late, {"success": success.copy(), **info_of(self._shown)}

    def _look(self, envs: Sequence[int]) -> None:
        """Waits for a picture of each of these environments."""
        if self.exhausted:
            return
        try:
            for env in envs:
                shown = self._shown[env] = self.source.show(env, fresh=True)
                self._lives[env].picture = shown.picture
        except OdysseyError as error:
            self._give_up(error)
        self.exhausted = self.exhausted or self.source.exhausted

    def _give_up(self, error: OdysseyError) -> None:
        """A run that has begun is saved and stopped; elsewhere the error is the caller's.

        Raises:
            OdysseyError: Nobody looks at `exhausted`, or no picture has been seen yet, as with a wrong key.
        """
        known = any(shown is not None for shown in self._shown)
        if not self._in_run or not (known or self.source.exhausted):
            raise error
        self.exhausted = self.source.exhausted or str(error).rstrip(".")
        self._notice(self.exhausted)

    def _images(self) -> NDArray[np.uint8]:
        return np.stack([life.picture for life in self._lives])

    def _observation(self) -> Observation:
        return {"image": self._images(), "proprio": np.stack([life.told for life in self._lives])}

    def ground(self, text: str) -> Grounding:
        """What a sentence asks for; never refuses one, and keeps its words for the world model."""
        grounding = pure_axes.ground(text)
        self.wording.remember(grounding)
        return grounding

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force, as words from the next step or reset on; see `PerturbableVectorEnv.perturb`."""
        for changes in perturbations:
            for perturbation in changes:
                pure_axes.check(perturbation)
        for env, changes in zip(indices, perturbations, strict=True):
            life = self._lives[env]
            life.active = tuple({(p.axis, p.target): p for p in (*life.active, *changes)}.values())

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back, as words from the next step or reset on."""
        for env in indices:
            self._lives[env].active = ()

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force in each of these environments."""
        return [self._lives[env].active for env in indices]

    def state(self) -> NDArray[np.float32]:
        """Nobody knows the state of a world model. Shape (num_envs, 0)."""
        return np.zeros((self.num_envs, 0), np.float32)

    def frames(self, indices: Indices, size: int | tuple[int, int], *, smooth: bool = True) -> NDArray[np.uint8]:
        """The last pictures, scaled. Shape (len(indices), height, width, 3)."""
        import cv2

        height, width = (size, size) if isinstance(size, int) else size
        method = cv2.INTER_AREA if smooth else cv2.INTER_NEAREST
        scaled = [cv2.resize(self._lives[env].picture, (width, height), interpolation=method) for env in indices]
        return np.array(scaled, np.uint8).reshape(-1, height, width, 3)

    def snapshot(self, indices: Indices) -> list[Life]:
        """Picklable copies of seeds, conditions, counters and last pictures; the world itself cannot be kept."""
        return [deepcopy(self._lives[env]) for env in indices]

    def rewind(self, indices: Indices, snapshots: Sequence[Life]) -> Observation:
        """Brings snapshots back; an episode that was running then ends, truncated, with its next step."""
        for env, life in zip(indices, snapshots, strict=True):
            self._dropped += self._lives[env].running
            self._begun += life.running
            self._lives[env] = deepcopy(life)
            self._lives[env].lost = True
            self._shown[env] = None
        return self._observation()

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the streams, and the judge."""
        del kwargs
        with closing(self.judge):
            self.source.close()

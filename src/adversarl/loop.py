"""The closed loop, as a `gymnasium.vector.VectorEnv` that any trainer can step.

The policy acts, a detector scores, a classifier explains failures, a curriculum answers with prompts, and the world
changes: at the reset, or mid-episode when a proposal has an onset.
"""

from __future__ import annotations

from contextlib import closing
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pluggy
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from adversarl.interfaces.backend import Indices, Observation, Seeds
from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.reward import Step
from adversarl.interfaces.trials import Services, Trace
from adversarl.metrics import wilson
from adversarl.parts import Parts
from adversarl.planning import Planning
from adversarl.rollouts import Recorder, critic_of
from adversarl.schedule import Entry, Schedule
from adversarl.scoring import Scoring
from adversarl.seeding import TRAINING_SEEDS, sequence
from adversarl.types import Episode, FailureReport

STREAMS = ("episodes", "clean", "grounding", "curriculum")
EMPTY = FailureReport(0, wilson(0, 0), wilson(0, 0))


class ClosedLoop(gymnasium.vector.VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """The closed loop around a world.

    Autoreset is gymnasium's `AutoresetMode.SAME_STEP`: where an episode ends, the returned observation is the first
    of the next one and ``info["final_obs"]`` (a dict of arrays, rows valid where ``info["_final_obs"]``) the last of
    the old one, ``info["final_state"]`` its privileged state. ``info["success"]`` is the detector's verdict.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # type: ignore[misc]

    def __init__(
        self, parts: Parts, hook: pluggy.HookRelay, *, seed: int, streams: dict[str, np.random.Generator]
    ) -> None:
        """Wires the parts together.

        Args:
            parts: The components.
            hook: Whose lifecycle hooks are called.
            seed: Root seed of the loop's generators, until `reset` is given another.
            streams: One generator for each of `STREAMS`; the curriculum holds the one of its name.
        """
        self.parts, self.world, self.hook = parts, parts.world, hook
        self.num_envs = self.world.num_envs
        self.observation_space, self.action_space = self.world.observation_space, self.world.action_space
        self.single_observation_space = self.world.single_observation_space
        self.single_action_space = self.world.single_action_space
        self.max_episode_steps = self.world.max_episode_steps
        self.axes = self.world.axes
        self.streams = streams
        self.scoring = Scoring(parts.detectors, self.world)
        self._planning = Planning(self.world, parts.curriculum, parts.trials, hook, streams["grounding"])
        self._recorder: Recorder | None = None
        self._observation: Observation = {}
        self.phase = "train"
        self.report = EMPTY
        self.env_steps = self.episodes = 0
        self._trial_steps = 0
        self._unreported = 0
        n = self.num_envs
        self._length, self._total = np.zeros(n, dtype=np.int64), np.zeros(n)
        self._seeds, self._index = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self._clean = np.zeros(n, dtype=bool)
        self._schedules = [Schedule() for _ in range(n)]
        self._next_change = np.zeros(n, dtype=np.int64)
        self._reseed(seed)

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts new episodes everywhere; a seed fixes everything that follows, for the same actions.

        Unfinished episodes are dropped: they are neither counted nor shown to the classifier.
        """
        del options
        if seed is not None:
            self._reseed(seed if isinstance(seed, int) else [-1 if s is None else s for s in seed])
        if self._recorder is not None:
            self._recorder.forget(range(self.num_envs))
        self._observation, info = self._begin(np.ones(self.num_envs, dtype=bool))
        return self._observation, info

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Acts in every environment for one control step; changes worlds whose time has come first."""
        self._change_worlds()
        recorder = self._recorder if self.phase == "train" else None
        if recorder is not None:
            recorder.before(self._observation, self.world.state())
        observation, reward, terminated, truncated, info = self.world.step(actions)
        self._length += 1
        late = self._length >= self.max_episode_steps
        seen = Step(observation["image"], self.world.task, reward, info["success"], truncated | late)
        score, terminated, truncated = self.scoring.step(seen, terminated)
        info["success"] = score.success
        if recorder is not None:
            recorder.after(observation, self.world.state(), score.reward)
        self.env_steps += self.num_envs
        self._total += score.reward
        done = terminated | truncated
        if done.any():
            info |= {"final_obs": observation, "_final_obs": done, "final_state": self.world.state()}
            info |= {"final_info": {"success": score.success.copy()}, "_final_info": done}
            self._end(done, score.success, truncated, observation["image"])
            observation, _ = self._begin(done)
        self._observation = observation
        return observation, score.reward, terminated, truncated, info

    def scalars(self) -> dict[str, float]:
        """What the parts have to say."""
        parts = (self.world, self.scoring, self.parts.failure, self.parts.curriculum, self._planning.guard)
        return {name: value for part in parts for name, value in part.scalars().items()}

    @property
    def trial_env_steps(self) -> int:
        """Environment steps of episodes that were played aside: by the guard, and to explain failures."""
        return self._trial_steps + self.parts.trials.env_steps

    def state(self) -> NDArray[np.float32]:
        """Privileged state, see `PerturbableVectorEnv.state`. Shape (num_envs, s)."""
        return self.world.state()

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """The expert's actions, see `PerturbableVectorEnv.teacher`. Shape (len(indices), a)."""
        return self.world.teacher(indices)

    @property
    def exhausted(self) -> str:
        """Why the loop must not go on, such as a budget that is spent; empty while it may."""
        return self.world.exhausted or self.scoring.exhausted

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the world and all that was opened beside it, whatever of it fails to close."""
        del kwargs
        parts = self.parts
        with closing(self.world), closing(parts.trials), closing(parts.curriculum), closing(parts.failure):
            self.scoring.close()

    def connect(self, learner: Learner | None, folder: Path | None = None) -> None:
        """Gives the parts what they may use: the policy, and the run folder."""
        failure, curriculum, trials = self.parts.failure, self.parts.curriculum, self.parts.trials
        trials.learner, trials.like = learner, self.world
        self.world.connect(partial(self._notice, "backend"), folder)
        self.scoring.connect(partial(self._notice, "reward"), folder)
        for kind, part in (("failure", failure), ("curriculum", curriculum)):
            part.connect(Services(trials, folder, partial(self._notice, kind)))
        critic = critic_of(learner) if learner is not None and curriculum.values else None
        self._recorder = Recorder(self.num_envs, critic) if failure.traces or curriculum.traces else None

    def _notice(self, source: str, text: str) -> None:
        self.hook.adversarl_notice(source=source, text=text)

    def _reseed(self, seed: int | list[int]) -> None:
        root = [seed] if isinstance(seed, int) else [s + 1 for s in seed]
        for name, stream in self.streams.items():
            fresh = np.random.default_rng(np.random.SeedSequence([*root, *sequence(0, name).entropy[1:]]))  # type: ignore[index]
            stream.bit_generator.state = fresh.bit_generator.state

    def _begin(self, mask: NDArray[np.bool_]) -> tuple[Observation, dict[str, Any]]:
        """Asks the curriculum for the next episodes, puts their worlds in place and resets into them."""
        starting = np.flatnonzero(mask)
        self._length[mask], self._total[mask] = 0, 0.0
        for env in starting:
            self._index[env] = self.episodes
            self.episodes += 1
            self._seeds[env] = self.streams["episodes"].integers(TRAINING_SEEDS)
            self._clean[env] = self.streams["clean"].random() < self.parts.curriculum.options.clean_share
            self._schedules[env] = Schedule()
        if self.phase == "train":
            self._plan(starting[~self._clean[starting]])
        self._put_in_force(starting)
        seeds = [int(seed) if chosen else None for seed, chosen in zip(self._seeds, mask, strict=True)]
        observation, info = self.world.reset(seed=seeds, options={"reset_mask": mask})
        self.scoring.begin(observation["image"], mask)
        return observation, info

    def _plan(self, envs: NDArray[np.intp]) -> None:
        slots = [Slot(int(env), int(self._index[env]), self.env_steps) for env in envs]
        plans = self._planning.plan(slots, self._seeds[envs].tolist(), self.report)
        for env, (schedule, seed) in zip(envs, plans, strict=True):
            self._schedules[env], self._seeds[env] = schedule, seed

    def _change_worlds(self) -> None:
        due = self._next_change <= self._length
        if due.any():
            self._put_in_force(np.flatnonzero(due))

    def _put_in_force(self, envs: NDArray[np.intp]) -> None:
        now = [self._schedules[env].at(int(self._length[env])) for env in envs]
        self.world.restore(envs)
        self.world.perturb(envs, now)
        for env in envs:
            step = int(self._length[env])
            self._next_change[env] = self._schedules[env].next_change(step)
            for entry in self._schedules[env].newly_effective(step):
                self._log_prompt(int(env), entry)

    def _log_prompt(self, env: int, entry: Entry) -> None:
        self.hook.adversarl_prompt_in_force(
            env=env, episode=int(self._index[env]), env_steps=self.env_steps, step=entry.took_effect, entry=entry
        )

    def _end(
        self,
        done: NDArray[np.bool_],
        success: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        frames: NDArray[np.uint8],
    ) -> None:
        """Records finished episodes and shows them to the classifier and the curriculum."""
        for env in np.flatnonzero(done):
            for entry in self._schedules[env].entries:
                if entry.took_effect is None:
                    self._log_prompt(int(env), entry)
            episode = self._record(int(env), bool(success[env]), bool(truncated[env]))
            self.hook.adversarl_episode_finished(episode=episode)
            if self.phase == "train":
                trace = None if self._recorder is None else self._recorder.finish(int(env), frames[env])
                self._learn_from(episode, trace)

    def _record(self, env: int, success: bool, truncated: bool) -> Episode:
        schedule = self._schedules[env]
        truth, verdicts = self.scoring.finish(env, success)
        return Episode(
            index=int(self._index[env]),
            env=env,
            seed=int(self._seeds[env]),
            env_steps=self.env_steps,
            length=int(self._length[env]),
            total_reward=float(self._total[env]),
            success=success,
            truncated=truncated,
            clean=bool(self._clean[env]),
            phase=self.phase,
            perturbations=schedule.experienced(int(self._length[env])),
            prompts=tuple(e.proposal.text for e in schedule.entries if e.took_effect is not None),
            state_success=truth,
            verdicts=verdicts,
        )

    def _learn_from(self, episode: Episode, trace: Trace | None) -> None:
        for part in (self.parts.failure, self.parts.curriculum):
            if trace is not None and part.traces:
                part.watch(episode, trace)
            part.observe(episode)
        self._unreported += 1
        if self._unreported >= self.parts.failure.options.report_every:
            self._unreported = 0
            self.report = self.parts.failure.report()
            self.hook.adversarl_report(env_steps=self.env_steps, report=self.report)

    _PLAIN = ("phase", "report", "env_steps", "episodes", "_unreported", "_schedules")
    _ARRAYS = ("_length", "_total", "_seeds", "_index", "_clean", "_next_change")

    def snapshot(self) -> dict[str, Any]:
        """All that decides the loop's future: worlds, schedules, counters, generators, component states."""
        return {
            "plain": deepcopy({name: getattr(self, name) for name in self._PLAIN}),
            "trial_env_steps": self.trial_env_steps,
            "arrays": {name: getattr(self, name).copy() for name in self._ARRAYS},
            "streams": {name: stream.bit_generator.state for name, stream in self.streams.items()},
            "components": [deepcopy(part.state_dict()) for part in self._stateful()],
            "recorder": None if self._recorder is None else self._recorder.state_dict(),
            "worlds": self.world.snapshot(range(self.num_envs)),
        }

    def rewind(self, snapshot: dict[str, Any]) -> Observation:
        """Brings a snapshot back; returns the observation at its time."""
        for name, value in deepcopy(snapshot["plain"]).items():
            setattr(self, name, value)
        self._trial_steps = snapshot["trial_env_steps"] - self.parts.trials.env_steps
        for name, array in snapshot["arrays"].items():
            getattr(self, name)[:] = array
        for name, state in snapshot["streams"].items():
            self.streams[name].bit_generator.state = state
        for part, state in zip(self._stateful(), snapshot["components"], strict=True):
            part.load_state_dict(deepcopy(state))
        if self._recorder is not None:
            self._recorder.load_state_dict(snapshot["recorder"])
        self._observation = self.world.rewind(range(self.num_envs), snapshot["worlds"])
        return self._observation

    def _stateful(self) -> tuple[Any, ...]:
        return self.scoring, self.parts.failure, self.parts.curriculum, self._planning.guard

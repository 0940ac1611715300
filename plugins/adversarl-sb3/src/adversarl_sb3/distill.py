"""Learning from the teacher: the imitation loss, and DAgger as a warm start."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch as th
from torch import Tensor

from adversarl.interfaces.learner import OnProgress
from adversarl_sb3.checkpoint import Arrays
from adversarl_sb3.labelled import LabelledFrames
from adversarl_sb3.policy import AsymmetricPolicy
from adversarl_sb3.vecenv import LoopVecEnv


def imitation_loss(mean: Tensor, label: Tensor) -> Tensor:
    """Mean squared distance between the policy's mean action and the teacher's label. Shapes (n, a).

    The mean is free to leave [-1, 1] outwards where the label is at that bound: actions are clipped there, so that a
    saturated label (an open gripper is exactly 1) costs nothing once it is reached.
    """
    beyond = ((label >= 1) & (mean > 1)) | ((label <= -1) & (mean < -1))
    return ((mean - label) ** 2).masked_fill(beyond, 0.0).mean()


def descend(loss: Tensor, optimizer: th.optim.Optimizer, max_norm: float | None = None) -> None:
    """One gradient step; gradients are scaled down to `max_norm` if it is given."""
    optimizer.zero_grad()
    th.autograd.backward(loss)
    if max_norm is not None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        th.nn.utils.clip_grad_norm_(parameters, max_norm)
    optimizer.step()


@dataclass(frozen=True, slots=True)
class WarmStart:
    """How long and how hard to imitate before reinforcement learning begins.

    Attributes:
        frames: Labelled environment steps, over all sub-environments.
        passes: How often a frame is trained on, on average.
        batch_size: Frames a gradient step.
        learning_rate: Initial step size of Adam, annealed to 5 % by a half cosine.
        mixing: Share of `frames` over which the teacher's part in acting fades from 1 to 0.
        round_steps: Control steps of all environments between two rounds of training.
    """

    frames: int
    passes: float
    batch_size: int
    learning_rate: float
    mixing: float
    round_steps: int = 32


class Dagger:
    """Data-set aggregation: the student acts, more and more; the teacher labels every state it visits.

    Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online
    Learning", AISTATS 2011. Each round ends at a point where a checkpoint may be taken.
    """

    def __init__(
        self,
        plan: WarmStart,
        venv: LoopVecEnv,
        policy: AsymmetricPolicy,
        data: LabelledFrames,
        rng: np.random.Generator,
    ) -> None:
        self.plan, self.venv, self.policy, self.data, self.rng = plan, venv, policy, data, rng
        # The optimiser of reinforcement learning goes on with these moments: fresh ones would begin with steps as
        # large as the learning rate in every weight, which a policy as precise as this one does not survive.
        self.optimizer = policy.optimizer
        self.frames = 0
        self.updates = 0
        self.successes: deque[bool] = deque(maxlen=100)
        self.observation: Arrays | None = None

    @property
    def finished(self) -> bool:
        """Whether all frames have been seen."""
        return self.frames >= self.plan.frames

    def counters(self) -> dict[str, Any]:
        """What a checkpoint needs beside the data, the optimiser and the last observation; JSON-ready."""
        return {"frames": self.frames, "updates": self.updates, "successes": list(self.successes)}

    def load_counters(self, counters: dict[str, Any]) -> None:
        """Brings `counters` back."""
        self.frames, self.updates = counters["frames"], counters["updates"]
        self.successes.extend(counters["successes"])

    def run(self, on_progress: OnProgress) -> None:
        """Goes on until finished or told to stop."""
        if self.observation is None and not self.finished:
            self.observation = self.venv.reset()
        while not self.finished:
            begun, before = time.perf_counter(), self.frames
            self._collect()
            loss = self._train(self.frames - before)
            scalars = {
                "warm_start/loss": loss,
                "warm_start/frames": float(self.frames),
                "warm_start/teacher_share": self.teacher_share,
                "time/fps": (self.frames - before) / (time.perf_counter() - begun),
            }
            if self.successes:
                scalars["rollout/success_rate"] = float(np.mean(self.successes))
            if not on_progress(scalars):
                return

    @property
    def teacher_share(self) -> float:
        """Probability that the teacher acts in a given environment and step."""
        return max(0.0, 1.0 - self.frames / max(1.0, self.plan.mixing * self.plan.frames))

    def _collect(self) -> None:
        self.policy.set_training_mode(False)
        seen: list[Arrays] = []
        for _ in range(self.plan.round_steps):
            assert self.observation is not None
            seen.append(self.observation)
            actions = self._student(seen[-1])
            taught = self.rng.random(self.venv.num_envs) < self.teacher_share
            actions[taught] = seen[-1]["teacher"][taught]
            stepped: Any = self.venv.step(actions)
            self.observation, _, done, infos = stepped
            self.successes.extend(bool(infos[index]["is_success"]) for index in np.flatnonzero(done))
            self.frames += self.venv.num_envs
            if self.finished:
                break
        batch = {key: np.concatenate([observation[key] for observation in seen]) for key in seen[0]}
        self.data.add(batch)
        self.policy.observe({key: th.as_tensor(batch[key], device=self.policy.device) for key in ("state", "proprio")})

    def _student(self, observation: Arrays) -> Any:
        with th.inference_mode():
            tensors = {key: th.as_tensor(observation[key], device=self.policy.device) for key in ("image", "proprio")}
            return self.policy.action_mean(tensors).clamp(-1, 1).float().cpu().numpy()

    def _train(self, new_frames: int) -> float:
        self.policy.set_training_mode(True)
        progress = min(1.0, self.frames / self.plan.frames)
        rate = self.plan.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = []
        for _ in range(max(1, round(self.plan.passes * new_frames / self.plan.batch_size))):
            batch = self.data.sample(self.plan.batch_size)
            loss = imitation_loss(self.policy.action_mean(batch), batch["teacher"])
            descend(loss, self.optimizer)
            losses.append(loss.item())
        self.updates += len(losses)
        return float(np.mean(losses))

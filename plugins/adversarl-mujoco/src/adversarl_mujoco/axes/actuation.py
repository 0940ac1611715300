"""Actuation: what stands between an action and the forces it causes, and forces that nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.physics import Indices
from adversarl_mujoco.axes.stage import Array, Stage
from adversarl_mujoco.effects import Effect
from adversarl_mujoco.timing import CONTROL_FREQUENCY

NOISE = {"uncorrelated": 0.25, "correlated": 0.075, "multiplicative": 0.075}
"""Standard deviations at intensity 1, as shares of the largest action; Dactyl's at 0.2."""
DELAY_STEPS, BACKLASH_S, FULL_SPEED_RAD, PUSH, JITTER = 2, 0.3, 0.06, 5.0, (1250.0, 10000.0)
PUSH_RATE, PUSH_DECAY, PUSH_PERIOD_S = (0.001, 0.1), 0.99, 0.08
_DACTYL = "Dactyl (arXiv:1808.00177)"


def steps_of_delay(rng: np.random.Generator, mean: float, count: int) -> list[int]:
    """Whole steps with this mean: the next lower or the next higher number for each of `count` things."""
    return [int(mean) + int(draw < mean % 1) for draw in rng.random(count)]


class NoisyAction(Effect):
    """Noise on the action: a new draw each step, one per episode, and a factor per step.

    Args:
        new: Standard deviation of what is drawn each step [1].
        kept: Of what is drawn once an episode [1].
        factor: Of the factor's distance from 1, drawn each step [1].
    """

    def __init__(self, new: float, kept: float, factor: float) -> None:
        self._new, self._kept, self._factor = new, kept, factor
        self._offset: list[float] = []

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """The first action tells how many numbers there are."""
        self._rng, self._offset = rng, []

    def action(self, action: Sequence[float]) -> Sequence[float]:
        """(1 + factor n1) a + kept n2 + new n3, clipped to [-1, 1]."""
        self._offset = self._offset or (self._kept * self._rng.standard_normal(len(action))).tolist()
        noise = self._rng.standard_normal((2, len(action))).tolist()
        parts = zip(action, self._offset, *noise, strict=True)
        return [min(max((1 + self._factor * n) * a + o + self._new * m, -1.0), 1.0) for a, o, n, m in parts]


class ActionNoise(WorldAxis):
    """Noise on the actions; all three kinds unless one is named."""

    spec = Axis(
        name="action-noise",
        group="dynamics",
        summary="The robot does not quite do what it is told.",
        unit="standard deviation, share of the largest action",
        nominal="0",
        bound=", ".join(f"{kind} {size:g}" for kind, size in NOISE.items()),
        source=f"{_DACTYL}: 5 %, 1.5 % and 1.5 %, at a fifth of the intensity",
        phrase="add noise to the actions",
    )
    names = tuple(NOISE)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Noise in proportion to the intensity."""
        if perturbation.intensity:
            kinds = NOISE if perturbation.value is None else (perturbation.value,)
            sizes = [size * perturbation.intensity * (kind in kinds) for kind, size in NOISE.items()]
            stage.effects[perturbation] = NoisyAction(*sizes)


class LateTargets(Effect):
    """Every actuator gets its targets some control steps late.

    Args:
        mean: Mean delay [control steps]; which actuator gets the larger whole number is drawn once an episode.
        motors: The actuators.
    """

    def __init__(self, mean: float, motors: Indices) -> None:
        self._mean, self._motors = mean, motors.tolist()

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing is under way but what the actuators hold now."""
        delays = steps_of_delay(rng, self._mean, len(self._motors))
        held = data.ctrl[self._motors].tolist()
        self._queues = [[target] * delay for target, delay in zip(held, delays, strict=True)]

    def control(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Exchanges the newest targets for the oldest ones."""
        targets = data.ctrl[self._motors].tolist()
        for queue, target in zip(self._queues, targets, strict=True):
            queue.append(target)
        data.ctrl[self._motors] = [queue.pop(0) for queue in self._queues]


class ActionDelay(WorldAxis):
    """Actuators that react late, each by its own whole number of steps."""

    spec = Axis(
        name="action-delay",
        group="dynamics",
        summary="Targets reach the actuators late.",
        unit="control steps of 50 ms",
        nominal="0",
        bound=f"{DELAY_STEPS}; in between every actuator draws the next lower or higher number each episode",
        source=f"{_DACTYL}: one step with p = 0.5, which is intensity {0.5 / DELAY_STEPS:g}",
        phrase="delay the actions",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """A mean delay of intensity times `DELAY_STEPS`."""
        if perturbation.intensity:
            physics = stage.physics
            motors = np.concatenate([physics.motors, physics.grippers])
            stage.effects[perturbation] = LateTargets(DELAY_STEPS * perturbation.intensity, motors)


class Slack(Effect):
    """Backlash: a motor that turns back first crosses the slack of its gear (Dactyl, unmodelled effects).

    With the wanted step as a share a of full speed, slack s in [-1, 1] and time constant 1 / delta ::

        s' = clip(s + a delta dt, -1, 1)
        alpha = 1 - clip(|sgn(a) - s| / (|s' - s| + 1e-12), 0, 1)

    and the joint moves alpha of the way asked for.

    Args:
        time: How long it takes to cross the slack at full speed [s].
        motors: The arms' actuators.
        addresses: Where their joints' angles are in ``qpos``.
    """

    def __init__(self, time: float, motors: Indices, addresses: Indices) -> None:
        self._gain = 2 / (time * CONTROL_FREQUENCY)
        self._motors, self._addresses = motors, addresses

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """The slack is anywhere."""
        self._slack: Array = rng.uniform(-1, 1, len(self._motors))

    def control(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Shortens the way to the target where the gear is not engaged."""
        angles = data.qpos[self._addresses]
        way = data.ctrl[self._motors] - angles
        wanted = np.clip(way / FULL_SPEED_RAD, -1, 1)
        after = np.clip(self._slack + self._gain * wanted, -1, 1)
        missing = np.abs(np.sign(wanted) - self._slack) / (np.abs(after - self._slack) + 1e-12)
        self._slack = after
        data.ctrl[self._motors] = angles + (1 - np.clip(missing, 0, 1)) * way


class Backlash(WorldAxis):
    """Gears with slack."""

    spec = Axis(
        name="backlash",
        group="dynamics",
        summary="A joint that turns back first crosses the slack of its gear.",
        unit="s to cross the slack at full speed",
        nominal="0 s",
        bound=f"{BACKLASH_S} s",
        source=f"the model is that of {_DACTYL}; the size is ours",
        phrase="add backlash to the motors",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Slack in proportion to the intensity."""
        if perturbation.intensity:
            time, physics = BACKLASH_S * perturbation.intensity, stage.physics
            stage.effects[perturbation] = Slack(time, physics.motors, physics.addresses)


class Pushed(Effect):
    """A force on a body that is drawn anew now and then and fades.

    Args:
        body: The body.
        size: Standard deviation of the force along each axis, per mass [m/s^2].
    """

    def __init__(self, body: int, size: float) -> None:
        self._body, self._size = body, size

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Draws how often it pushes, log-uniform in `PUSH_RATE` per `PUSH_PERIOD_S`."""
        low, high = (math.log(rate) for rate in PUSH_RATE)
        period = 1 / CONTROL_FREQUENCY / PUSH_PERIOD_S
        self._chance, self._decay = period * math.exp(rng.uniform(low, high)), PUSH_DECAY**period
        self._rng, self._force = rng, np.zeros(3)

    def control(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Lets the force fade, or draws another."""
        self._force *= self._decay
        if self._rng.random() < self._chance:
            self._force = self._size * float(model.body_subtreemass[self._body]) * self._rng.standard_normal(3)
        data.xfrc_applied[self._body, :3] = self._force

    def release(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Ends the force."""
        data.xfrc_applied[self._body] = 0.0


class Pushes(WorldAxis):
    """Forces on the task's object."""

    spec = Axis(
        name="pushes",
        group="dynamics",
        summary="The object is pushed at random.",
        unit="m/s^2, standard deviation of the force along each axis per mass",
        nominal="0 m/s^2",
        bound=f"{PUSH:g} m/s^2; 0.1 % to 10 % per 80 ms drawn each episode; 1 % of a force fades per 80 ms",
        source=f"{_DACTYL}: 1 m/s^2, which friction on the table absorbs; the bound is ours",
        phrase="push the object at random",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Forces in proportion to the intensity, on the task's target or else the first thing that can move."""
        bodies = [handle.body for handle in stage.objects.values() if handle.movable]
        if perturbation.intensity and bodies:
            stage.effects[perturbation] = Pushed(bodies[0], PUSH * perturbation.intensity)


class UnevenTime(Effect):
    """Control steps that last longer, each by its own draw.

    Args:
        nominal: Nominal timestep of the physics [s].
        size: Factor of what is added.
    """

    def __init__(self, nominal: float, size: float) -> None:
        self._nominal = self._now = nominal
        self._size = size

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Draws the rate of the exponential distribution."""
        self._rng, self._mean = rng, self._size / rng.uniform(*JITTER)
        self._now = self._nominal
        self.install(model, data)

    def install(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Sets the timestep of the running control step; contacts depend on it."""
        model.opt.timestep = self._now

    def release(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Sets the nominal timestep."""
        model.opt.timestep = self._nominal

    def control(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Draws the timestep of the coming one."""
        self._now = self._nominal + self._rng.exponential(self._mean)
        model.opt.timestep = self._now


class TimingJitter(WorldAxis):
    """Control steps of uneven length."""

    spec = Axis(
        name="timing-jitter",
        group="dynamics",
        summary="Control steps last unevenly longer.",
        unit="s added to each physics substep of 5 ms",
        nominal="0 s",
        bound="an exponential draw per control step, its rate uniform in [1250, 10000] 1/s each episode",
        source=f"{_DACTYL}, whose substeps last 8 ms",
        phrase="jitter the control timing",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Adds intensity times the draw."""
        if perturbation.intensity:
            stage.effects[perturbation] = UnevenTime(stage.physics.timestep, perturbation.intensity)


ACTUATION_AXES: tuple[WorldAxis, ...] = (ActionNoise(), ActionDelay(), Backlash(), Pushes(), TimingJitter())

"""A simulated world with pictures from elsewhere behind it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import AdversarlError
from adversarl.interfaces.backend import Indices, Notice, Observation, PerturbableVectorEnv, Seeds
from adversarl.interfaces.trials import Trace
from adversarl.types import Grounding, Perturbation
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sources import Shown, Source, info_of
from adversarl_odyssey.wording import Wording, settle

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Moment:
    """All that decides the future of one environment, but for what a live stream will show.

    Attributes:
        inner: The snapshot of the world inside.
        shown: What is behind it.
        asked: What the source was asked for last.
        position: See `Source.position`.
        words: See `Wording.state_dict`; shared by the moments of one snapshot.
    """

    inner: Any
    shown: Shown | None
    asked: str
    position: Any
    words: dict[str, Any]


class ComposedVectorEnv(PerturbableVectorEnv):
    """A simulated world before pictures from a `Source`.

    Physics, reward, teacher, state and foreground are those of the world inside, to the bit. What perturbations put in
    force there is asked of the source in words too, and a step or reset waits until its picture follows them; else it
    takes the latest one. Whatever happens to the source, episodes go on.

    ``info`` has, each of Shape (num_envs,): ``frame_number``, ``frame_age_s``, ``frame_latency_s``, ``frames_dropped``
    and ``stream_renewed``, see `Shown`.

    Args:
        inner: The world inside; closed with this one.
        source: Where the pictures come from; closed with this one. Nothing is asked of it while nobody looks.
        wording: Words for perturbations.
        scene: The description of the nominal world.
        table: Whether the pictures take the place of the table top too.
        settle: How many pictures are let pass after a change, as those on their way still show the world before it.
        first: Shape (height, width) of rendered pictures of the scene that streams begin with [pixel]; None for none.

    Raises:
        AdversarlError: The world inside cannot put pictures behind its scene.
    """

    def __init__(
        self,
        inner: PerturbableVectorEnv,
        source: Source,
        wording: Wording,
        scene: str,
        *,
        table: bool = False,
        settle: int = 0,
        first: tuple[int, int] | None = None,
    ) -> None:
        self.inner, self.source, self.wording, self.scene = inner, source, wording, scene
        self._table, self._settle, self._first = table, settle, first
        self.num_envs, self.max_episode_steps, self.task = inner.num_envs, inner.max_episode_steps, inner.task
        self.axes, self.presets, self.failure_kinds = inner.axes, inner.presets, inner.failure_kinds
        self.single_observation_space = inner.single_observation_space
        self.single_action_space = inner.single_action_space
        self.observation_space, self.action_space = inner.observation_space, inner.action_space
        n = self.num_envs
        self._starting, self._changed = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
        self._asked = [scene] * n
        self._shown: list[Shown | None] = [None] * n
        self._notice: Notice | None = None
        self._in_run = self._begun = self._broken = False
        _demand_backdrops(inner)

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Passes on how to tell the user something, and where the run lies."""
        self._notice, self._in_run = notice, folder is not None
        self.inner.connect(notice, folder)
        self.source.connect(notice, folder)
        self.exhausted = self.inner.exhausted or self.source.exhausted

    def scalars(self) -> dict[str, float]:
        """What both the world inside and the source measure."""
        return {**self.inner.scalars(), **self.source.scalars()}

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes; see `PerturbableVectorEnv.reset`."""
        mask = (options or {}).get("reset_mask")
        envs = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        self._starting[envs] = True
        if self._first is not None and self.pictures and any(self._shown[env] is None for env in envs):
            return self._reset_first(envs, seed, options)
        self._look(envs)
        self.inner.pictures = self.pictures
        observation, info = self.inner.reset(seed=seed, options=options)
        return observation, info | info_of(self._shown)

    def _reset_first(
        self, envs: NDArray[np.intp], seed: Seeds, options: dict[str, Any] | None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes whose streams begin with pictures of them; only the second drawing has something behind."""
        self.inner.pictures = False
        _, info = self.inner.reset(seed=seed, options=options)
        for env in envs:
            if self._shown[env] is None and self._first is not None:
                self.source.start_from(int(env), self.inner.frames([env], self._first)[0])
        self._look(envs)
        self.inner.pictures = True
        observation = self.inner.rewind(envs, self.inner.snapshot(envs))
        return observation, info | info_of(self._shown)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Acts in the world inside, with the latest pictures behind it."""
        self._look(np.arange(self.num_envs))
        self.inner.pictures = self.pictures
        observation, reward, terminated, truncated, info = self.inner.step(actions)
        return observation, reward, terminated, truncated, info | info_of(self._shown)

    def _look(self, envs: NDArray[np.intp]) -> None:
        """Asks for what has changed, waits for all pictures and puts them behind the scene."""
        if not self.pictures or self._broken or not len(envs) or (self.exhausted and not self._begun):
            return
        indices = envs.tolist()
        try:
            waits = [self._ask(env) for env in indices]
            for left in range(max(1, *waits), 0, -1):
                for env, wait in zip(indices, waits, strict=True):
                    if wait >= left or left == 1:
                        self._shown[env] = self.source.show(env, fresh=wait > 0)
        except OdysseyError as error:
            self._give_up(error)
        finally:
            self.inner.backdrops(indices, [_picture(self._shown[env]) for env in indices], table=self._table)
        self.exhausted = self.exhausted or self.source.exhausted

    def _ask(self, env: int) -> int:
        """Asks for what has changed in an environment; returns for how many pictures newer than that to wait."""
        before, began = self._asked[env], bool(self._starting[env])
        if began:
            self._starting[env], self._begun = False, True
            self._asked[env] = self.scene
            self.source.begin(env, self.scene, restart=False)
        if not (began or self._changed[env]):
            return 0
        self._changed[env] = False
        wanted = f"{self.scene} {self.wording.conditions(self.inner.active([env])[0])}".rstrip()
        if wanted != self._asked[env]:
            self._asked[env] = wanted
            self.source.prompt(env, wanted)
        return 1 + self._settle if wanted != before else int(self._shown[env] is None)

    def _give_up(self, error: OdysseyError) -> None:
        """A run that has begun is saved and stopped, its last pictures standing; elsewhere the error is the caller's.

        Raises:
            OdysseyError: Nobody looks at `exhausted`, or no picture has been seen yet, as with a wrong key.
        """
        known = any(shown is not None for shown in self._shown)
        reason = self.source.exhausted
        if not self._in_run or not (known or reason):
            raise error
        self._broken, self.exhausted = True, reason or str(error).rstrip(".")
        if self._notice is not None:
            self._notice(self.exhausted)

    def ground(self, text: str) -> Grounding:
        """Turns a prompt into perturbations of the world inside, and keeps its words for the source."""
        grounding = self.inner.ground(text)
        self.wording.remember(grounding)
        return grounding

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force in the world inside, from the next step or reset on behind it too."""
        self.inner.perturb(indices, [[settle(one) for one in changes] for changes in perturbations])
        self._changed[np.asarray(indices, dtype=np.intp)] = True

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back."""
        self.inner.restore(indices)
        self._changed[np.asarray(indices, dtype=np.intp)] = True

    def reserved(self, perturbation: Perturbation) -> bool:
        """Whether the world inside reserves it for tests."""
        return self.inner.reserved(perturbation)

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force in each of these environments."""
        return self.inner.active(indices)

    def state(self) -> NDArray[np.float32]:
        """Privileged state of the world inside. Shape (num_envs, s)."""
        return self.inner.state()

    def potential(self) -> NDArray[np.float64]:
        """How near the world inside is to success. Shape (num_envs,)."""
        return self.inner.potential()

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """The scripted expert's actions. Shape (len(indices), a)."""
        return self.inner.teacher(indices)

    def failure_kind(self, trace: Trace) -> str:
        """How a failed episode went wrong, by the world inside."""
        return self.inner.failure_kind(trace)

    def frames(self, indices: Indices, size: int | tuple[int, int], *, smooth: bool = True) -> NDArray[np.uint8]:
        """Pictures of the current states, with what is behind them; see `PerturbableVectorEnv.frames`."""
        return self.inner.frames(indices, size, smooth=smooth)

    def backdrops(self, indices: Indices, pictures: Sequence[Picture | None], *, table: bool = False) -> None:
        """Refused: what is behind this world comes from its source.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("what is behind this world comes from its source")

    def snapshot(self, indices: Indices) -> list[Moment]:
        """Picklable copies of all that decides the future, but for what a live stream will show."""
        words = self.wording.state_dict()
        return [
            Moment(inner, self._shown[env], self._asked[env], self.source.position(int(env)), words)
            for env, inner in zip(indices, self.inner.snapshot(indices), strict=True)
        ]

    def rewind(self, indices: Indices, snapshots: Sequence[Moment]) -> Observation:
        """Brings snapshots back, to the picture behind them; a live stream is led back there by words alone."""
        if snapshots and not self.wording.state_dict()["texts"]:
            self.wording.load_state_dict(snapshots[0].words)
        for env, moment in zip(indices, snapshots, strict=True):
            self._shown[env], self._asked[env], self._starting[env] = moment.shown, moment.asked, True
            self.source.seek(int(env), moment.position)
        self.inner.backdrops(indices, [_picture(moment.shown) for moment in snapshots], table=self._table)
        self.inner.pictures = self.pictures
        return self.inner.rewind(indices, [moment.inner for moment in snapshots])

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the source, streams first, and the world inside, whatever of it fails to close."""
        del kwargs
        with closing(self.inner), closing(self.source):
            pass


def _picture(shown: Shown | None) -> Picture | None:
    """What to put behind; None, the world's own background, where a source has nothing to show yet."""
    return None if shown is None or shown.number < 0 else shown.picture


def _demand_backdrops(inner: PerturbableVectorEnv) -> None:
    try:
        inner.backdrops([], [])
    except NotImplementedError:
        name, advice = type(inner).__name__, "Name one in [backend] world that can, such as 'mujoco'"
        raise AdversarlError(f"{name} cannot put pictures behind its scene. {advice}") from None

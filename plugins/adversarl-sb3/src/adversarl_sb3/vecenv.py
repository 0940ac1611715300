"""The closed loop as a Stable-Baselines3 `VecEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

Array = NDArray[Any]


GLANCE = 12
"""Edge of the coarse picture that a critic sees where a world has no state [pixel]."""


def privileged(state: Array, image: Array) -> NDArray[np.float32]:
    """What the critic sees: the state, or where a world has none, a coarse picture.

    Args:
        state: Privileged states. Shape (n, s).
        image: The pictures that belong to them, uint8. Shape (n, H, W, c).

    Returns:
        Shape (n, s), or (n, `GLANCE`**2 * c) in [0, 1] where s is 0.
    """
    if state.shape[1]:
        return np.array(state, np.float32)
    n, height, width, channels = image.shape
    rows, columns = np.arange(GLANCE) * height // GLANCE, np.arange(GLANCE) * width // GLANCE
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float32), rows, axis=1), columns, axis=2)
    areas = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))[:, :, None]
    return np.asarray((sums / (255 * areas)).reshape(n, GLANCE**2 * channels), np.float32)


class LoopVecEnv(VecEnv):
    """Presents a same-step-autoreset `gymnasium.vector.VectorEnv` to Stable-Baselines3.

    Two keys join the observation: ``state``, what `privileged` gives the critic, Shape (num_envs, s), and, if
    `labels` is set, ``teacher``, the scripted expert's action in that very state, Shape (num_envs, a). As part of the
    observation they travel through SB3's rollout and replay buffers untouched. The actor looks at neither.

    Images stay (H, W, 3): permuted to (3, H, W) inside the network they already have the channels-last layout that
    convolutions are fastest in, so SB3's `VecTransposeImage` is not used.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any], *, labels: bool = False) -> None:
        # VecEnv knows neither `state` nor `teacher`.
        loop: Any = env
        self.loop = loop
        single: Any = env.single_observation_space
        self.labels = labels
        keys = dict(single.spaces)
        width = loop.state().shape[1] or GLANCE**2 * single["image"].shape[-1]
        keys["state"] = spaces.Box(-np.inf, np.inf, (width,), np.float32)
        if labels:
            keys["teacher"] = env.single_action_space
        super().__init__(env.num_envs, spaces.Dict(keys), env.single_action_space)
        self._actions: Array = np.zeros((self.num_envs, *env.single_action_space.shape), np.float32)  # type: ignore[misc]
        self.returns = np.zeros(self.num_envs)
        """Undiscounted reward of each running episode so far. Shape (num_envs,)."""
        self.lengths = np.zeros(self.num_envs, np.int64)
        """Control steps of each running episode so far. Shape (num_envs,)."""

    def reset(self) -> dict[str, Array]:
        """Starts new episodes everywhere."""
        observation, _ = self.loop.reset()
        self.returns[:] = 0
        self.lengths[:] = 0
        return self._augment(observation)

    def step_async(self, actions: Array) -> None:
        """Notes the actions. Shape (num_envs, a)."""
        self._actions = actions

    def step_wait(self) -> tuple[dict[str, Array], Array, Array, list[dict[str, Any]]]:
        """Steps; finished environments have been reset already, as SB3 expects."""
        observation, reward, terminated, truncated, info = self.loop.step(self._actions)
        done = terminated | truncated
        self.returns += reward
        self.lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(done):
            infos[index] = self._episode_end(info, int(index))
            # SB3 bootstraps the value at a time limit alone (its issue #633).
            infos[index]["TimeLimit.truncated"] = bool(truncated[index] and not terminated[index])
        self.returns[done] = 0
        self.lengths[done] = 0
        return self._augment(observation), np.asarray(reward, np.float32), done, infos

    def _augment(self, observation: dict[str, Array]) -> dict[str, Array]:
        # SB3 keeps the last observation across the next step; a world may reuse its arrays.
        augmented = {key: np.array(value) for key, value in observation.items()}
        augmented["state"] = privileged(self.loop.state(), augmented["image"])
        if self.labels:
            augmented["teacher"] = np.array(self.loop.teacher(range(self.num_envs)), np.float32)
        return augmented

    def _episode_end(self, info: dict[str, Any], index: int) -> dict[str, Any]:
        final = {key: np.asarray(value[index]) for key, value in info["final_obs"].items() if not key.startswith("_")}
        final["state"] = privileged(info["final_state"][index : index + 1], final["image"][None])[0]
        if self.labels:
            final["teacher"] = np.zeros(self.action_space.shape, np.float32)  # type: ignore[arg-type]
        return {
            "terminal_observation": final,
            "is_success": bool(info["success"][index]),
            "episode": {"r": float(self.returns[index]), "l": int(self.lengths[index])},
        }

    def close(self) -> None:
        """Leaves the environment alone: it belongs to the run."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The loop's attribute, the same for all indices."""
        return [getattr(self.loop, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not possible: sub-environments are no objects of their own."""
        raise NotImplementedError("sub-environments of the closed loop have no attributes of their own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Not possible: sub-environments are no objects of their own."""
        raise NotImplementedError("sub-environments of the closed loop have no methods of their own")

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Any = None
    ) -> list[bool]:
        """No sub-environment is wrapped."""
        return [False] * len(list(self._get_indices(indices)))

    def get_images(self) -> Sequence[Array | None]:
        """Nothing to show: `adversarl` renders itself."""
        return [None] * self.num_envs

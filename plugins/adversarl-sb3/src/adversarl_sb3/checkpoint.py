"""Plain files of a checkpoint: arrays, counters and generators; nothing that needs unpickling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm

Arrays = dict[str, NDArray[Any]]


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes named arrays; not compressed, since images are the bulk and time matters more than space."""
    np.savez(path, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> Arrays:
    """Reads `save_arrays`."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def save_generators(path: Path, rng: np.random.Generator) -> None:
    """Writes the states of the learner's generator and of torch's, from which Stable-Baselines3 samples actions."""
    states = {"torch": th.get_rng_state(), "numpy": json.dumps(rng.bit_generator.state)}
    if th.cuda.is_available():
        states["cuda"] = th.cuda.get_rng_state()
    th.save(states, path)


def load_generators(path: Path, rng: np.random.Generator) -> None:
    """Brings `save_generators` back, in place."""
    states = th.load(path, weights_only=True)
    th.set_rng_state(states["torch"])
    rng.bit_generator.state = json.loads(states["numpy"])
    if "cuda" in states and th.cuda.is_available():
        th.cuda.set_rng_state(states["cuda"])


def save_modules(path: Path, algorithm: BaseAlgorithm) -> None:
    """Writes what SB3 names as the algorithm's torch state: networks, targets, optimisers, coefficients."""
    names, tensors = algorithm._get_torch_save_params()
    modules = {name: _resolve(algorithm, name).state_dict() for name in names}
    th.save({"modules": modules, "tensors": {name: _resolve(algorithm, name) for name in tensors}}, path)


def load_modules(path: Path, algorithm: BaseAlgorithm) -> None:
    """Brings `save_modules` back."""
    stored = th.load(path, map_location=algorithm.device, weights_only=True)
    for name, state in stored["modules"].items():
        _resolve(algorithm, name).load_state_dict(state)
    for name, value in stored["tensors"].items():
        _resolve(algorithm, name).data = value.data


def _resolve(root: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        root = getattr(root, name)
    return root


COUNTERS = (
    "num_timesteps",
    "_total_timesteps",
    "_episode_num",
    "_n_updates",
    "_current_progress_remaining",
)


def save_counters(path: Path, algorithm: BaseAlgorithm, extra: Mapping[str, Any]) -> None:
    """Writes the algorithm's counters and its rolling statistics of episodes, and what the learner adds."""
    counters = {name: getattr(algorithm, name) for name in COUNTERS}
    episodes = {"info": list(algorithm.ep_info_buffer or ()), "success": list(algorithm.ep_success_buffer or ())}
    path.write_text(json.dumps({"counters": counters, "episodes": episodes, "extra": dict(extra)}), encoding="utf-8")


def load_counters(path: Path, algorithm: BaseAlgorithm) -> dict[str, Any]:
    """Brings `save_counters` back; returns what the learner added."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    for name, value in stored["counters"].items():
        setattr(algorithm, name, value)
    assert algorithm.ep_info_buffer is not None
    assert algorithm.ep_success_buffer is not None
    algorithm.ep_info_buffer.extend(stored["episodes"]["info"])
    algorithm.ep_success_buffer.extend(stored["episodes"]["success"])
    return dict(stored["extra"])

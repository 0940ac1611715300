"""How well a policy fares whose actions pass through sentences: the physics world's expert, nominal, the truth counted.

Run it with ``python plugins/adversarl-odyssey/benchmarks/sentences.py``; it prints a line for each way of speaking.
"""

from __future__ import annotations

import argparse
from collections import deque

import numpy as np
from adversarl_odyssey.sentences import VOCABULARY, ActionEncoder, decode
from numpy.typing import NDArray

from adversarl.cli.output import console
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.plugins import build_plugin_manager

ENVS = 16
STEP_S = 1 / 20


class Interpreter:
    """What robots do that are told in words, some control steps late."""

    def __init__(self, dead_zone: float, frequency: float, late: int) -> None:
        self._encoders = [ActionEncoder(VOCABULARY, dead_zone, frequency) for _ in range(ENVS)]
        self._heard = np.zeros((ENVS, len(VOCABULARY)), np.float32)
        self._waiting = deque([self._heard] * late, maxlen=late + 1)
        self._step = 0

    def __call__(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is done while these actions are wanted. Shape (ENVS, a)."""
        heard = self._heard.copy()
        for env, encoder in enumerate(self._encoders):
            sentence = encoder.say(actions[env], self._step * STEP_S * 1.001)
            if sentence is not None:
                heard[env] = decode(sentence)
        self._step, self._heard = self._step + 1, heard
        self._waiting.append(heard)
        return self._waiting[0]


def play(world: PerturbableVectorEnv, gain: float, interpreter: Interpreter | None, seed: int) -> NDArray[np.bool_]:
    """An episode in each environment; whether it was solved. Shape (ENVS,)."""
    world.reset(seed=[seed + env for env in range(ENVS)])
    solved, running = np.zeros(ENVS, bool), np.ones(ENVS, bool)
    while running.any():
        wanted = world.teacher(range(ENVS)) * np.array([gain, gain, gain, 1], np.float32)
        _, _, terminated, truncated, _ = world.step(wanted if interpreter is None else interpreter(wanted))
        solved |= running & terminated
        running &= ~(terminated | truncated)
    return solved


def main() -> None:
    """Prints how often the expert succeeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=4, help=f"Blocks of {ENVS} episodes for each line.")
    blocks = parser.parse_args().blocks
    backend = build_plugin_manager().registry.get("backend", "mujoco").load()
    world = backend(backend.Options(num_envs=ENVS, image_size=16)).make(seed=0)
    world.pictures = False
    bare = np.concatenate([play(world, 1.0, None, 1000 * block) for block in range(blocks)])
    console.print(f"numbers instead of words: success {bare.mean():.2f} of {bare.size}")
    for late in (0, 2):
        for frequency in (20.0, 10.0, 5.0):
            for gain in (1.0, 0.5):
                made = [Interpreter(0.1, frequency, late) for _ in range(blocks)]
                found = np.concatenate([play(world, gain, one, 1000 * block) for block, one in enumerate(made)])
                how = f"{frequency:g} Hz, {late * STEP_S * 1000:g} ms late, gain {gain:g}"
                console.print(f"{how}: success {found.mean():.2f} of {found.size}")
    world.close()


if __name__ == "__main__":
    main()

"""Pictures from a bank: the same episode seed and the same conditions give the same pictures, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarl.seeding import generator
from adversarl_odyssey.bank.films import pictures, to_and_fro
from adversarl_odyssey.bank.store import Bank
from adversarl_odyssey.bank.words import complete
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sources import Shown, Source

if TYPE_CHECKING:
    from adversarl_odyssey.batch import BatchOptions

STARTS = 2**20
"""Places at which an episode may begin in a video; taken modulo its length."""


@dataclass(slots=True)
class Reel:
    """What one environment sees.

    Attributes:
        rng: Draws where episodes begin that have no seed of their own.
        prompt: Which video.
        start: Where in it the episode began [control steps].
        step: Control steps since then.
    """

    rng: np.random.Generator
    prompt: str = ""
    start: int = 0
    step: int = 0


class BankSource(Source):
    """Videos of a bank as a source of pictures.

    Its world calls, besides what `Source` says::

        source.rewound(env, seed)  # an episode begins
        source.advance()           # a step begins

    Args:
        bank: Where the videos are.
        num_envs: Environments.
        size: Edge of the pictures [pixel].
        seed: Root of the environments' own generators, for episodes without a seed.
        options: What to do about starts, missing videos and memory.
    """

    def __init__(self, bank: Bank, num_envs: int, size: int, seed: int, options: BatchOptions) -> None:
        self._bank, self._size, self._options = bank, size, options
        self._nominal = complete(options.scene, "")
        self._reels = [Reel(generator(seed, "videos", env)) for env in range(num_envs)]
        self._ordinals: dict[Path, int] = {}
        self._missing: set[str] = set()
        self._substituted = 0

    def rewound(self, env: int, seed: int | None) -> None:
        """An episode of an environment begins; its seed says where in the video."""
        reel = self._reels[env]
        if seed is not None:
            reel.rng = generator(seed, "videos")
        drawn = int(reel.rng.integers(STARTS))
        reel.start = drawn if self._options.start == "seed" else self._options.start
        reel.step = 0

    def advance(self) -> None:
        """Time goes on by one control step in all environments."""
        for reel in self._reels:
            reel.step += 1

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """Shows the video of a world."""
        del restart
        self.prompt(env, scene)

    def prompt(self, env: int, text: str) -> None:
        """Goes on, at the same time, in the video of another world; the text describes it completely."""
        self._reels[env].prompt = complete(text, "")

    def position(self, env: int) -> Any:
        """Video, place in it, and generator of an environment."""
        reel = self._reels[env]
        return reel.prompt, reel.start, reel.step, reel.rng.bit_generator.state

    def seek(self, env: int, position: Any) -> None:
        """Goes back to a `position`."""
        reel = self._reels[env]
        reel.prompt, reel.start, reel.step, state = position
        reel.rng = np.random.default_rng()
        reel.rng.bit_generator.state = state

    def show(self, env: int, *, fresh: bool) -> Shown:
        """The picture of this control step.

        Raises:
            OdysseyError: The bank lacks the video.
        """
        del fresh
        reel = self._reels[env]
        video = self._video(reel.prompt)
        frames = pictures(video, self._size, self._options.memory_mb * 2**20)
        place = to_and_fro(reel.start + reel.step, len(frames))
        return Shown(frames[place], number=self._ordinals.setdefault(video, len(self._ordinals)) * STARTS + place)

    def _video(self, prompt: str) -> Path:
        found = self._find(prompt)
        if found is not None:
            return found
        self._substituted += 1
        self._missing.add(prompt)
        stand_in = self._find(self._nominal) if self._options.missing != "error" else None
        if stand_in is None:
            raise self._lacks(prompt)
        return stand_in

    def _find(self, prompt: str) -> Path | None:
        return self._bank.find(prompt, portrait=self._options.portrait)

    def _lacks(self, prompt: str) -> OdysseyError:
        conditions = prompt.removeprefix(self._nominal).strip()
        command = f"adversarl odyssey bank RECIPE --out {self._bank.folder}"
        problem = f'the bank {self._bank.folder} has no video of "{conditions or prompt}"'
        more = f' --prompt "{conditions}"' if conditions else ""
        return OdysseyError(problem, f"Make it with: {command}{more}. Or set backend.missing to fewer or nominal")

    def scalars(self) -> dict[str, float]:
        """How often the nominal video stood in for another one, and for how many prompts."""
        return {"odyssey/substituted": self._substituted, "odyssey/missing_prompts": len(self._missing)}

    def close(self) -> None:
        """There is nothing to end."""

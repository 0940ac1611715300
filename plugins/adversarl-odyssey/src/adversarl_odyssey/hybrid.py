"""The backend ``odyssey-hybrid``: simulated physics before a live stream of the world model."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from adversarl.interfaces.backend import Backend, BackendOptions
from adversarl_odyssey.album import Shared, album_of
from adversarl_odyssey.composed import ComposedVectorEnv
from adversarl_odyssey.inner import InnerOptions, make_inner, thing_of
from adversarl_odyssey.opening import open_source
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sources import Source
from adversarl_odyssey.wording import SIMULATED, Wording

WIDE = (704, 1280)
"""Height and width of the streams of the service [pixel]."""


class HybridOptions(ServiceOptions, InnerOptions):
    """Keys of ``[backend]`` with ``use = "odyssey-hybrid"``, beside those of the backend inside."""

    scene: str = Field(
        "An empty wooden table in a workshop in daylight, seen from the front, with a grey floor and a plain wall. "
        "Nobody is there, and nothing moves.",
        min_length=1,
        description="The prompt that every stream starts with; the robot and the things stand before it.",
    )
    around: Literal["behind", "table"] = Field(
        "behind",
        description="What streams show: all that is behind the table (behind), or the table top as well (table).",
    )
    settle_frames: int = Field(
        2,
        ge=0,
        le=100,
        description="Pictures that are let pass after a change of the world, as those on their way still show the old "
        "one; `adversarl bench odyssey` measures how long changes take.",
    )
    seed_image: bool = Field(
        False,
        description="Whether streams begin with a rendered picture of the scene, where the service can do that. The "
        'robot and the things are in it, so with around = "table" they may be seen twice.',
    )


class Hybrid(Backend):
    """A simulator's physics, reward and foreground before what a world model shows.

    A world model hallucinates contact, hence the simulator; it invents rooms and light that no simulator has, hence the
    stream. Every environment of the world in training has a stream of its own, and so has every one of the world that
    evaluates. Worlds of trials, such as a guard's, have none and look at the others' pictures, see
    `adversarl_odyssey.album.Shared`.
    """

    Options: ClassVar[type[BackendOptions]] = HybridOptions
    options: HybridOptions

    @property
    def live(self) -> bool:
        """Whether pictures come from the service, and not from a recording."""
        return self.options.playback is None

    def make(self, *, seed: int, num_envs: int | None = None) -> ComposedVectorEnv:
        """Makes the environments; see `adversarl.interfaces.Backend.make`.

        Raises:
            AdversarlError: The world inside cannot be made, or puts no pictures behind its scene.
        """
        options = self.options
        inner = make_inner(options, seed=seed, num_envs=num_envs)
        try:
            size = inner.single_observation_space["image"].shape[0]  # type: ignore[index]
            service = options.model_dump_json(include=set(ServiceOptions.model_fields) - {"num_envs"})
            source = Shared(lambda: self.open(inner.num_envs, size), album_of(service))
            first = (WIDE[::-1] if options.portrait else WIDE) if options.seed_image else None
            table, settle = options.around == "table", options.settle_frames
            words = Wording(thing_of(inner.task), SIMULATED)
            return ComposedVectorEnv(inner, source, words, options.scene, table=table, settle=settle, first=first)
        except BaseException:
            inner.close()
            raise

    def open(self, num_envs: int, size: int) -> Source:
        """Where the pictures come from.

        Args:
            num_envs: Number of environments.
            size: Edge of the pictures [pixel].
        """
        return open_source(self.options, num_envs, size)

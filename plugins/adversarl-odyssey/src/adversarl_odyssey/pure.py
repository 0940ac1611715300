"""The backend ``odyssey``: a live stream of the world model is the whole world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from adversarl.interfaces.backend import Backend, BackendOptions, Notice
from adversarl_odyssey.opening import open_source
from adversarl_odyssey.pure_axes import chosen
from adversarl_odyssey.pure_options import OdysseyOptions, judge_of
from adversarl_odyssey.pure_world import PureVectorEnv


class Odyssey(Backend):
    """Pictures from a stream, actions as sentences, rewards from a detector that looks at the pictures."""

    Options: ClassVar[type[BackendOptions]] = OdysseyOptions
    options: OdysseyOptions

    @property
    def live(self) -> bool:
        """Whether pictures come from the service, and not from a recording."""
        return self.options.playback is None

    def make(self, *, seed: int, num_envs: int | None = None) -> PureVectorEnv:
        """Makes the environments; nothing is connected before the first reset.

        Raises:
            OdysseyError: No key, no client, more environments than streams, or a goal that cannot be read.
        """
        options, count = self.options, num_envs or self.options.num_envs
        judge = judge_of(options)
        source = open_source(options, count, options.image_size)
        return PureVectorEnv(
            source, judge, options, axes=chosen(options.axes), goal=self._goal, num_envs=count, seed=seed
        )

    def _goal(self, notice: Notice, paid: Callable[[float, str], None]) -> Path:
        """The video of the solved task."""
        from adversarl_odyssey.goal_pictures import goal_video

        return goal_video(self.options, notice, paid)

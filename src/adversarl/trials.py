"""Trials in a world beside the one in training: what if, asked of the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adversarl.errors import NoPlayer
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.trials import Outcome, Player, Trial, Trials
from adversarl.rollouts import Act, Recorder, Rollouts

FEW = 4
"""Environments of the world for a few trials, such as those of a guard."""


class SideTrials(Trials):
    """Plays trials in a second world, which is made when the first one is asked for.

    Args:
        make_world: Makes it with ``num_envs`` environments.
        num_envs: Environments of the world that plays many trials; few are played in a smaller one.
        make_antagonist: Loads the policy of another run; None where none was named.
    """

    def __init__(
        self,
        make_world: Callable[[int], PerturbableVectorEnv],
        num_envs: int,
        make_antagonist: Callable[[], Learner] | None = None,
    ) -> None:
        self._make_world, self._num_envs, self.make_antagonist = make_world, num_envs, make_antagonist
        self.learner: Learner | None = None
        """The policy in training; the run sets it."""
        self.like: PerturbableVectorEnv | None = None
        """The world in training; the loop sets it."""
        self._antagonist: Learner | None = None
        self.env_steps = 0
        self._worlds: dict[int, PerturbableVectorEnv] = {}

    @property
    def world(self) -> PerturbableVectorEnv:  # type: ignore[override]
        """The world in training, or else a side world of one environment."""
        return self._world(1) if self.like is None else self.like

    def _world(self, num_envs: int) -> PerturbableVectorEnv:
        if num_envs not in self._worlds:
            self._worlds[num_envs] = self._make_world(num_envs)
        return self._worlds[num_envs]

    def load_antagonist(self) -> None:
        """Loads the other run's policy, if one was named; before the learner, whose random numbers it may disturb."""
        if self.make_antagonist is not None:
            self._antagonist = self.make_antagonist()

    def play(
        self, trials: Sequence[Trial], player: Player = "policy", *, trace: bool = False, values: bool = False
    ) -> list[Outcome]:
        """Plays episodes; see `Trials.play`."""
        if not trials:
            return []
        world = self._world(self._width(len(trials)))
        world.pictures = trace or values or (player != "teacher" and self._learner(player).pictures)
        act = self._act(player, world)
        critic = self._learner("policy").values if values else None
        recorder = Recorder(world.num_envs, critic) if trace or values else None
        rollouts = Rollouts(world, act, recorder)
        outcomes = rollouts.play(trials)
        self.env_steps += rollouts.env_steps
        return outcomes

    def _width(self, trials: int) -> int:
        """Environments of the world for so many trials: idle ones cost time, and so does playing one by one."""
        return next((n for n in (1, FEW) if trials <= n < self._num_envs), self._num_envs)

    def _act(self, player: Player, world: PerturbableVectorEnv) -> Act:
        if player == "teacher":
            return lambda observation: world.teacher(range(world.num_envs))
        return self._learner(player).act

    def _learner(self, player: Player) -> Learner:
        if player == "antagonist":
            if self._antagonist is None:
                raise NoPlayer("antagonist", "Set curriculum.antagonist to the folder of a run")
            return self._antagonist
        if self.learner is None:
            raise NoPlayer("policy", "Only a run knows its policy: use adversarl run, or call loop.connect(learner)")
        return self.learner

    def close(self) -> None:
        """Closes the worlds that were made."""
        while self._worlds:
            self._worlds.popitem()[1].close()

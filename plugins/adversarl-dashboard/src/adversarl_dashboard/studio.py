"""Worlds to look at: one environment each, drawn by a thread of its own.

A GL context belongs to the thread that made it, and Streamlit runs every script in another one, so a `Studio` makes,
resets, draws and closes its world in a single thread that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from adversarl.errors import AdversarlError

if TYPE_CHECKING:
    from adversarl.interfaces.backend import PerturbableVectorEnv
    from adversarl.interfaces.learner import Learner
    from adversarl.plugins import Plugins

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """Today's policy of a run: the learner of its latest checkpoint, and that checkpoint's environment steps."""

    learner: Learner
    env_steps: int


class Studio:
    """A world that anybody may ask for pictures, one after the other.

    It is used so::

        studio = Studio({"use": "point-mass"}, plugins)
        picture = studio.submit(lambda world: picture(world, (), seed=0)).result()
        studio.close()

    Nothing is imported or made before the first job. Futures raise `AdversarlError` where there is no such backend, its
    keys are wrong, or it shows a service's pictures, which may cost.

    Args:
        backend: The table ``[backend]`` of a recipe.
        plugins: What is installed.
    """

    def __init__(self, backend: Mapping[str, Any], plugins: Plugins) -> None:
        self._backend, self._plugins = backend, plugins
        self._world: PerturbableVectorEnv | None = None
        self._policies: dict[Path, Policy] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="studio")

    def submit(self, job: Callable[[PerturbableVectorEnv], T]) -> Future[T]:
        """Does a job in the world's thread, after those that were asked for before."""
        return self._thread.submit(lambda: job(self._made()))

    def _made(self) -> PerturbableVectorEnv:
        if self._world is None:
            from adversarl.recipe import choose

            choice = choose("backend", {**self._backend, "num_envs": 1}, self._plugins.registry, "dashboard")
            backend = choice.make()
            if backend.live:
                raise AdversarlError(
                    f"backend '{choice.component.name}' shows live streams of a service, which may cost: "
                    "nothing of it is drawn here. adversarl prompt TEXT --render FILE shows a prompt"
                )
            world: PerturbableVectorEnv = backend.make(seed=0, num_envs=1)
            world.reset(seed=0)
            self._world = world
        return self._world

    def policy(self, folder: Path) -> Future[Policy]:
        """The policy of a run's latest checkpoint; kept until there is a newer one.

        It runs code that the checkpoint brings along, as ``adversarl evaluate`` does.
        """
        return self._thread.submit(self._policy, folder)

    def _policy(self, folder: Path) -> Policy:
        from adversarl.assembly import checkpoint_of

        checkpoint = checkpoint_of(folder)
        if checkpoint not in self._policies:
            self._policies = {checkpoint: load_policy_of(folder, checkpoint, self._plugins)}
        return self._policies[checkpoint]

    def close(self) -> None:
        """Closes the world, when what was asked for is done."""
        if self._world is not None:
            self._thread.submit(self._world.close)
        self._thread.shutdown(wait=False)


def load_policy_of(folder: Path, checkpoint: Path, plugins: Plugins) -> Policy:
    """The policy of a checkpoint, without the run's curriculum, detectors and trackers, which may cost or write.

    Raises:
        AdversarlError: The recipe or the checkpoint cannot be used.
    """
    from adversarl.assembly import load_policy, make_loop
    from adversarl.recipe import parse_recipe, read_toml

    tables = read_toml(folder / "recipe.toml")
    tables |= {"reward": {"use": "state"}, "failure": {"use": "none"}, "curriculum": {"use": "none"}}
    tables |= {"watch": {}, "tracking": {"use": []}}
    loop = make_loop(parse_recipe(tables, plugins.registry, f"{folder.name}/recipe.toml"), plugins)
    try:
        return Policy(load_policy(folder, loop, plugins), int(checkpoint.name.removeprefix("step-")))
    finally:
        loop.close()

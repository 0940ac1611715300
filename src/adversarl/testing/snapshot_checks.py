"""Checks of a backend's snapshots: exact resume, counterfactual re-runs and replays rest on them."""

from __future__ import annotations

import pickle

from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl.testing.kit import conformance, demand
from adversarl.testing.traces import ENVS, SEEDS, Frame, actions_for, follow, look, play, same, world_of
from adversarl.types import Perturbation


def _perturb_all(world: PerturbableVectorEnv) -> None:
    perturbations = [Perturbation(axis.name, 0.6, seed=i) for i, axis in enumerate(world.axes)]
    world.perturb(range(world.num_envs), [perturbations] * world.num_envs)


@conformance("backend")
def a_rewound_world_has_the_same_future(cls: type[Backend], options: BackendOptions) -> None:
    """Rewinding brings back the observation and all that follows, perturbations and generators included."""
    with world_of(cls, options) as world:
        now = play(world, 4, {2: _perturb_all})[-1]
        snapshots = world.snapshot(range(ENVS))
        future = follow(world, 6)
        after = look(world, world.reset()[0])
        world.restore(range(ENVS))
        play(world, 3, seeds=(77, 78))
        then = look(world, world.rewind(range(ENVS), snapshots), now.reward)
        demand(now.same(then), "rewind() returned another observation or state", _COPY)
        demand(same(future, follow(world, 6)), "the future after rewind() differs", _COPY)
        demand(after.same(look(world, world.reset()[0])), "the next reset after rewind() differs", _COPY)


_COPY = "Copy physics, solver warm start, counters, generators, perturbations and buffers"


@conformance("backend")
def snapshots_travel(cls: type[Backend], options: BackendOptions) -> None:
    """A pickled snapshot goes on in another environment index of another world."""
    with world_of(cls, options) as world:
        play(world, 4, {2: _perturb_all})
        parcel = pickle.dumps(world.snapshot([0]))
        future = follow(world, 5)
    with world_of(cls, options, seed=5) as other:
        other.reset(seed=list(SEEDS))
        other.rewind([1], pickle.loads(parcel))
        elsewhere = follow(other, 5)
    for here, there in zip(future, elsewhere, strict=True):
        equal = all(
            (getattr(here, name)[0] == getattr(there, name)[1]).all()
            for name in ("image", "proprio", "state", "reward")
        )
        demand(equal, "a snapshot of environment 0 went on differently in environment 1 of another world", _COPY)


@conformance("backend")
def looking_back_changes_nothing(cls: type[Backend], options: BackendOptions) -> None:
    """Taking a snapshot has no effect, and rewinding one environment leaves the other alone."""
    with world_of(cls, options) as world:
        undisturbed = play(world, 6)
        play(world, 3)
        old = world.snapshot([0])
        rest = _go_on(world, 3, 6)
        demand(same(undisturbed[4:], rest), "snapshot() changed the episode", "Copy, do not move")
        before = look(world, world.rewind([0], old), undisturbed[3].reward)
        demand(before.same(undisturbed[3], 0), "rewind() of environment 0 did not bring it back", _COPY)
        kept = all(
            (getattr(before, n)[1] == getattr(undisturbed[6], n)[1]).all() for n in ("image", "proprio", "state")
        )
        demand(kept, "rewind() of environment 0 changed environment 1", "Touch the given indices alone")


def _go_on(world: PerturbableVectorEnv, start: int, end: int) -> list[Frame]:
    """Plays the fixed actions from `start` to `end`."""
    return [look(world, *world.step(action)[:2]) for action in actions_for(world, end)[start:]]

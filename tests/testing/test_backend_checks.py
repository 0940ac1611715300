from dataclasses import replace
from itertools import count
from typing import ClassVar

import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode

from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.point_mass_axes import AXES
from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.testing import ConformanceError, check_backend, checks_for


class WideActions(PointMassWorld):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.single_action_space = Box(-2, 2, (2,))


class NoSuccess(PointMassWorld):
    def step(self, actions):
        return *super().step(actions)[:4], {}


class DoubleState(PointMassWorld):
    def state(self):
        return super().state().astype(np.float64)


class ResetsItself(PointMassWorld):
    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}


class DeafToSeeds(PointMassWorld):
    def reset(self, *, seed=None, options=None):
        return super().reset(options=options)


class OneEpisode(PointMassWorld):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=[7, 8], options=options)


class ResetsEverything(PointMassWorld):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)


class SeededByTheClock(PointMassWorld):
    def __init__(self, num_envs, *, seed, **kwargs):
        super().__init__(num_envs, seed=None, **kwargs)


class SharedReward(PointMassWorld):
    def step(self, actions):
        observation, reward, *rest = super().step(actions)
        return observation, reward - reward.mean(), *rest


class TerminatesAtTheLimit(PointMassWorld):
    def step(self, actions):
        observation, reward, terminated, truncated, info = super().step(actions)
        return observation, reward, terminated | truncated, np.zeros_like(truncated), info


class StrongTeacher(PointMassWorld):
    def teacher(self, indices):
        return 3 * super().teacher(indices)


class NamelessUnit(PointMassWorld):
    axes = tuple(replace(axis, unit="") for axis in AXES)


class DeafToPercentages(PointMassWorld):
    def ground(self, text):
        grounding = super().ground(text)
        return replace(grounding, perturbations=tuple(replace(p, intensity=0.5) for p in grounding.perturbations))


class DropsWords(PointMassWorld):
    def ground(self, text):
        return replace(super().ground(text), not_understood=())


class NeverNormal(PointMassWorld):
    def ground(self, text):
        return replace(super().ground(text), restore=False)


class ForgetsAtReset(PointMassWorld):
    def reset(self, *, seed=None, options=None):
        result = super().reset(seed=seed, options=options)
        self.restore(range(self.num_envs))
        return result


class ToleratesAnything(PointMassWorld):
    def perturb(self, indices, perturbations):
        known = [[p for p in wanted if p.axis != "zworble" and p.target != "zworble"] for wanted in perturbations]
        super().perturb(indices, known)


class IgnoresMass(PointMassWorld):
    def perturb(self, indices, perturbations):
        super().perturb(indices, [[p for p in wanted if p.axis != "mass"] for wanted in perturbations])


class WaitsForTheReset(PointMassWorld):
    def _take_effect(self):
        pass


class PerturbsEverywhere(PointMassWorld):
    def perturb(self, indices, perturbations):
        super().perturb(range(self.num_envs), [perturbations[0]] * self.num_envs)


class NeverQuiteNominal(PointMassWorld):
    def perturb(self, indices, perturbations):
        floor = [[replace(p, intensity=max(p.intensity, 0.2)) for p in wanted] for wanted in perturbations]
        super().perturb(indices, floor)


class LeavesTheLightDim(PointMassWorld):
    def restore(self, indices):
        for i in indices:
            self._active[i] = tuple(p for p in self._active[i] if p.axis == "brightness")


class RestoresAtTheReset(PointMassWorld):
    def _take_effect(self):
        if all(self._active):
            super()._take_effect()


class DrawsAnew(PointMassWorld):
    numbers = count()

    def perturb(self, indices, perturbations):
        super().perturb(indices, [[p.seeded(next(self.numbers)) for p in wanted] for wanted in perturbations])


class ForgetsGenerators(PointMassWorld):
    def rewind(self, indices, snapshots):
        generators = list(self._generators)
        super().rewind(indices, snapshots)
        self._generators = generators
        return self._observe()


class RemembersTheIndex(PointMassWorld):
    def snapshot(self, indices):
        return list(zip(indices, super().snapshot(indices), strict=True))

    def rewind(self, indices, snapshots):
        return super().rewind([i for i, _ in snapshots], [snapshot for _, snapshot in snapshots])


class RewindsEverything(PointMassWorld):
    def rewind(self, indices, snapshots):
        return super().rewind(range(self.num_envs), (list(snapshots) * self.num_envs)[: self.num_envs])


class PaintsNothing(PointMassWorld):
    def backdrops(self, indices, pictures, *, table=False):
        pass


class NeverEndsOnceSolved(PointMassWorld):
    """Ends episodes once, and hangs about afterwards."""

    done = np.zeros(1, dtype=bool)

    def reset(self, *, seed=None, options=None):
        self.done = np.zeros(self.num_envs, dtype=bool)
        return super().reset(seed=seed, options=options)

    def step(self, actions):
        observation, reward, terminated, truncated, info = super().step(actions)
        once = ~self.done
        self.done |= terminated
        return observation, reward, terminated & once, truncated & once, info


class FarIsBetter(PointMassWorld):
    def potential(self):
        return -super().potential()


class Unpicklable(PointMass):
    def __init__(self, options):
        super().__init__(options)
        self.secret = lambda: None


WRONG = {
    "spaces_are_declared": WideActions,
    "steps_return_what_the_spaces_promise": NoSuccess,
    "state_is_a_finite_table": DoubleState,
    "autoreset_is_disabled": ResetsItself,
    "the_same_seed_gives_the_same_episode": DeafToSeeds,
    "another_seed_gives_another_episode": OneEpisode,
    "the_reset_mask_is_respected": ResetsEverything,
    "two_worlds_run_alike": SeededByTheClock,
    "neighbours_do_not_matter": SharedReward,
    "the_time_limit_truncates": TerminatesAtTheLimit,
    "the_teacher_stays_in_bounds": StrongTeacher,
    "axes_are_described": NamelessUnit,
    "prompts_ground_to_their_axis": DeafToPercentages,
    "nonsense_is_reported": DropsWords,
    "back_to_normal_is_understood": NeverNormal,
    "active_tells_what_is_in_force": ForgetsAtReset,
    "impossible_perturbations_are_refused": ToleratesAnything,
    "every_axis_has_an_effect": IgnoresMass,
    "changes_show_mid_episode": WaitsForTheReset,
    "perturbing_one_environment_leaves_the_others_alone": PerturbsEverywhere,
    "intensity_zero_is_nominal": NeverQuiteNominal,
    "restoring_is_exact": LeavesTheLightDim,
    "restoring_mid_episode_is_exact": RestoresAtTheReset,
    "perturbations_repeat": DrawsAnew,
    "a_rewound_world_has_the_same_future": ForgetsGenerators,
    "snapshots_travel": RemembersTheIndex,
    "looking_back_changes_nothing": RewindsEverything,
    "backdrops_show_and_go": PaintsNothing,
    "a_solved_world_goes_on": NeverEndsOnceSolved,
    "potential_grows_towards_success": FarIsBetter,
}


def backend_of(world):
    class Wrong(PointMass):
        def make(self, *, seed, num_envs=None):
            return world(num_envs or self.options.num_envs, seed=seed)

    return Wrong


def name_of(check):
    return check.__name__


@pytest.mark.parametrize("check", checks_for("backend"), ids=name_of)
def test_each_check_passes_on_the_point_mass(check):
    check(PointMass)


@pytest.mark.parametrize("check", checks_for("backend"), ids=name_of)
def test_each_check_fails_on_a_backend_that_breaks_its_promise(check):
    wrong = Unpicklable if check.__name__ == "the_backend_can_be_pickled" else backend_of(WRONG[check.__name__])
    with pytest.raises(ConformanceError) as caught:
        check(wrong)
    assert caught.value.check == check.__name__
    if wrong is not Unpicklable:
        assert not caught.value.what.startswith("raised"), "the check should find the fault, not stumble over it"


def test_all_checks_run_one_after_the_other_and_stop_at_the_first_fault():
    check_backend(PointMass)
    with pytest.raises(ConformanceError, match="autoreset_is_disabled"):
        check_backend(backend_of(ResetsItself))


def test_an_error_says_which_promise_what_was_found_and_how_to_mend_it():
    check = next(check for check in checks_for("backend") if check.__name__ == "axes_are_described")
    with pytest.raises(ConformanceError) as caught:
        check(backend_of(NamelessUnit))
    assert str(caught.value) == (
        "axes_are_described: axis 'background-color' has no unit. Fill it in: listings and prompts use it"
    )

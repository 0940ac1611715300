import json
from copy import deepcopy

import numpy as np
import pytest
from adversarl_curricula.progressive import Progressive
from pydantic import ValidationError

from adversarl.errors import GroundingError, PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.loop import EMPTY
from adversarl.testing import checks_for
from adversarl.types import Episode

STAGES = [
    {"name": "calm", "strength": 0.0, "until_success": 0.8, "window": 10, "until_episodes": 30},
    {"name": "breeze", "strength": 0.2, "until_success": 0.6, "window": 10},
    {"name": "storm", "strength": 0.9, "until_steps": 400},
    {"name": "all", "strength": "mixed"},
]


class Run:
    """Plays episodes of 20 steps, one after the other in four environments."""

    def __init__(self, world, seed=0, **options):
        self.curriculum = Progressive(
            Progressive.Options.model_validate({"stages": STAGES} | options), world, np.random.default_rng(seed)
        )
        self.index = 0

    def play(self, success=True, *, clean=False):
        slot = Slot(self.index % 4, self.index, 20 * self.index)
        proposals = () if clean else tuple(self.curriculum.propose(slot, EMPTY))
        self.index += 1
        self.curriculum.observe(
            Episode(slot.episode, slot.env, 0, 20 * self.index, 20, 1.0, success, not success, clean=clean)
        )
        return proposals

    def stages(self, outcomes):
        """The stage before each episode."""
        seen = []
        for success in outcomes:
            seen.append(self.curriculum.current.name)
            self.play(success)
        return seen


@pytest.fixture
def run(world):
    return lambda **options: Run(world, **options)


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check):
    check(Progressive)


def test_success_over_a_full_window_ends_a_stage(run):
    play = run()
    assert play.stages([False] * 3 + [True] * 8 + [False]) == ["calm"] * 11 + ["breeze"]
    assert play.stages([True] * 9 + [False]) == ["breeze"] * 9 + ["storm"]


def test_a_budget_of_episodes_ends_a_stage_that_never_succeeds(run):
    assert run().stages([False] * 31) == ["calm"] * 30 + ["breeze"]


def test_without_a_budget_a_stage_lasts_until_it_succeeds(run):
    play = run()
    assert play.stages([False] * 30 + [False] * 200)[30:] == ["breeze"] * 200


def test_a_budget_of_steps_counts_from_the_beginning_of_the_stage(run):
    play = run()
    play.stages([True] * 20)
    assert play.stages([True] * 21) == ["storm"] * 20 + ["all"]


def test_stages_come_in_order_and_the_last_one_stays(run):
    play, seen = run(), []
    for name in play.stages([True] * 300):
        if not seen or seen[-1] != name:
            seen.append(name)
    assert seen == ["calm", "breeze", "storm", "all"]


def test_the_evidence_of_a_stage_is_its_own(run):
    play = run()
    slots = [Slot(env, 100 + env, 0) for env in range(4)]
    for slot in slots:
        play.curriculum.propose(slot, EMPTY)
    play.index = 4
    for _ in range(10):
        play.index += 4 - play.index % 4
        play.play()
    assert play.curriculum.current.name == "breeze"
    for slot in slots[1:]:
        play.curriculum.observe(Episode(slot.episode, slot.env, 0, 900, 20, 1.0, True, False))
    assert play.curriculum.state_dict()["outcomes"] == []


def test_clean_episodes_and_those_the_guard_left_nominal_count_for_no_stage(run):
    play = run()
    for _ in range(40):
        play.play(clean=True)
        slot = Slot(0, 1000, 0)
        play.curriculum.propose(slot, EMPTY)
        play.curriculum.refuse(slot)
        play.curriculum.observe(Episode(1000, 0, 0, 0, 20, 1.0, True, False))
    assert play.curriculum.current.name == "calm"
    assert play.curriculum.state_dict()["episodes"] == 0


def intensities(proposed):
    return np.array([[p.intensity for p in proposal.perturbations] for (proposal,) in proposed])


def test_a_stage_randomizes_every_axis_up_to_its_strength(run, world):
    play = run()
    assert [play.play() for _ in range(10)] == [()] * 10
    drawn = intensities([play.play(success=False) for _ in range(600)])
    assert drawn.shape == (600, len(world.axes))
    assert 0.19 < drawn.max() <= 0.2
    np.testing.assert_allclose(drawn.mean(axis=0), 0.1, atol=0.01)


def test_a_mixed_stage_draws_from_all_earlier_strengths(run):
    play = run()
    play.stages([True] * 40)
    drawn = [play.play() for _ in range(900)]
    highest = intensities([proposed for proposed in drawn if proposed]).max(axis=1)
    shares = [np.mean([not proposed for proposed in drawn]), np.mean(highest <= 0.2) * len(highest) / 900]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.05)
    assert highest.max() <= 0.9


def test_the_real_share_of_episodes_shows_the_real_scene(run, world):
    prompts = [f"{axis.phrase} at 40 %" for axis in world.axes[:2]]
    stages = [{"name": "only", "strength": 0.5, "real_share": 0.3}]
    play = run(stages=stages, real_prompts=prompts)
    drawn = [play.play() for _ in range(1000)]
    real = [proposed for proposed in drawn if proposed[0].perturbations is None]
    assert 0.25 < len(real) / 1000 < 0.35
    assert {tuple(p.text for p in proposed) for proposed in real} == {tuple(prompts)}


def test_without_prompts_the_real_scene_is_nominal(run):
    play = run(stages=[{"name": "only", "strength": 0.5, "real_share": 1.0}])
    assert [play.play() for _ in range(20)] == [()] * 20


def test_reasons_say_which_stage_and_why(run):
    play = run()
    play.stages([False, *[True] * 9])
    reasons = [play.play()[0].why for _ in range(2)]
    where = f"{len(play.curriculum.world.axes)} axes up to 20 %: stage 2 of 4, breeze, "
    because = "reached because 9 of the last 10 episodes of stage calm succeeded"
    evidence = ("none of its episodes has finished", "1 of its last 1 succeeded")
    assert reasons == [f"{where}{because}; {seen}" for seen in evidence]


def test_scalars_follow_the_stage(run):
    play = run()
    assert play.curriculum.scalars() == {"curriculum/stage": 0.0}
    play.stages([True] * 10 + [False] * 8 + [True] * 2)
    assert play.curriculum.scalars() == {"curriculum/stage": 1.0, "curriculum/stage_success": 0.2}


@pytest.mark.parametrize("at", [5, 12, 25, 60])
def test_a_resumed_run_is_identical(run, at):
    here, there = run(), run(seed=9)
    outcomes = np.random.default_rng(3).random(200) < 0.8
    here.stages(outcomes[:at])
    there.curriculum.load_state_dict(json.loads(json.dumps(here.curriculum.state_dict())))
    there.curriculum.rng.bit_generator.state = deepcopy(here.curriculum.rng.bit_generator.state)
    there.index = here.index
    for success in outcomes[at:]:
        assert here.play(success) == there.play(success)
    assert here.curriculum.state_dict() == there.curriculum.state_dict()


def test_default_stages_go_from_nominal_to_mixed(world):
    curriculum = Progressive(Progressive.Options.model_validate({}), world, np.random.default_rng(0))
    assert [stage.name for stage in curriculum.options.stages] == ["nominal", "mild", "strong", "mixed"]
    seen = set()
    for index in range(2200):
        seen.add(curriculum.current.name)
        curriculum.propose(Slot(0, index, index), EMPTY)
        curriculum.observe(Episode(index, 0, 0, index, 20, 0.0, False, True))
    assert seen == {"nominal", "mild", "strong", "mixed"}


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"name": "a", "strength": 0.1}, {"name": "b", "strength": 1.0}], r"'a' never ends\. Set until_success"),
        ([{"name": "a", "strength": "mixed"}], r"'a' is mixed, but there is no stage before it"),
        ([{"name": "a", "strength": 0.1, "until_steps": 5}, {"name": "a", "strength": 1}], "two stages are named 'a'"),
        ([{"name": "a", "strength": 1.5}], r"must lie in \[0, 1\] or be \"mixed\", not 1\.5"),
        ([], "at least 1 item"),
    ],
)
def test_stages_that_make_no_sense_are_refused(stages, message):
    with pytest.raises(ValidationError, match=message):
        Progressive.Options.model_validate({"stages": stages})


def test_a_real_prompt_that_is_not_understood_is_refused(run):
    with pytest.raises(GroundingError, match="sing a song"):
        run(real_prompts=["sing a song"])


def test_an_unknown_axis_names_the_nearest(run):
    with pytest.raises(PerturbationError, match=r"no axis 'brightnes'\. Did you mean 'brightness'"):
        run(axes=["brightnes"])

import re
from collections import Counter

import numpy as np
import pytest
from adversarl_curricula.random_prompts import RandomPrompts
from adversarl_curricula.rules import Rules
from pydantic import ValidationError

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import Slot, World
from adversarl.loop import EMPTY
from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.types import Episode, FailureMode, FailureReport

CLAUSE = re.compile(r" at (\d+) %")


def percents(proposal):
    return [int(number) for number in CLAUSE.findall(proposal.text)]


def make(world, seed=0, **options):
    return RandomPrompts(RandomPrompts.Options.model_validate(options), world, np.random.default_rng(seed))


def propose(curriculum, count, report=EMPTY, success=True):
    proposed = []
    for index in range(count):
        proposed.append(curriculum.propose(Slot(0, index, 20 * index), report))
        curriculum.observe(Episode(index, 0, index, 20 * index, 20, 1.0, success, not success))
    return proposed


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check):
    check(RandomPrompts)


def test_intensities_are_uniform_multiples_of_five_percent(world):
    drawn = [percents(p)[0] for (p,) in propose(make(world, mid_episode_share=0.0), 4000)]
    counts = Counter(drawn)
    assert sorted(counts) == list(range(5, 101, 5))
    chi2 = sum((n - 200) ** 2 / 200 for n in counts.values())
    assert chi2 < 43.8, "the 0.999 quantile of chi-squared with 19 degrees of freedom"


def test_axes_alone_are_drawn_uniformly(world):
    drawn = propose(make(world, mid_episode_share=0.0, together_share=0.0, alone_share=1.0), 3000)
    counts = Counter(p.text.partition(" at ")[0] for (p,) in drawn)
    expected = 3000 / len(world.axes)
    assert set(counts) == {axis.phrase for axis in world.axes}
    assert all(abs(n - expected) < 4 * expected**0.5 for n in counts.values())


def test_outcomes_and_reports_do_not_change_what_is_drawn(world):
    axis = world.axes[0].name
    mode = FailureMode(axis, None, (0.5, 1.0), wilson(20, 60), 0.6, "it fails")
    report = FailureReport(200, wilson(100, 200), wilson(45, 50), (mode,))
    quiet = {"mid_episode_share": 0.0}
    assert propose(make(world, **quiet), 300, report, success=False) == propose(make(world, **quiet), 300)


def kinds(proposals, axes):
    """Shares of episodes with all axes, one axis and a few; those that change and those that end again."""
    last = [p[-1] for p in proposals]
    counts = np.array([len(percents(p)) for p in last])
    held = np.array([p.onset == 0 for p in last])
    counts = np.where(held, counts, 0)
    return [
        np.mean(counts == axes),
        np.mean(counts == 1),
        np.mean((counts > 1) & (counts < axes)),
        np.mean(~held),
        np.mean([p.duration is not None for p in last]),
    ]


def test_kinds_of_episodes_and_changes_are_as_frequent_as_in_rules(world):
    n = len(world.axes)
    rules = Rules(Rules.Options.model_validate({}), world, np.random.default_rng(1))
    ours, theirs = kinds(propose(make(world), 4000), n), kinds(propose(rules, 4000), n)
    np.testing.assert_allclose(ours, theirs, atol=0.03)
    assert min(theirs) > 0.05


def test_onsets_follow_the_time_that_success_takes(world):
    curriculum = make(world, mid_episode_share=1.0, together_share=1.0, alone_share=0.0)
    late = propose(curriculum, 500, success=False)
    propose(curriculum, 300)
    early = propose(curriculum, 500)
    assert max(p[-1].onset for p in early) < 15 < max(p[-1].onset for p in late)


def test_the_reason_says_that_nobody_chose(world):
    (proposal,) = propose(make(world, mid_episode_share=0.0, together_share=0.0, alone_share=1.0), 1)[0]
    axis = next(a for a in world.axes if proposal.text.startswith(a.phrase))
    assert proposal.why == f"{axis.name}: drawn uniformly at random, whatever the policy does"


def test_a_world_with_one_axis_is_enough(world):
    one = World(world.axes[:1], world.max_episode_steps, world.ground)
    assert all(len(percents(p[-1])) == 1 for p in propose(make(one), 200))


def test_an_unknown_axis_names_the_nearest(world):
    with pytest.raises(PerturbationError, match=r"no axis 'brightnes'\. Did you mean 'brightness'"):
        make(world, axes=["brightnes"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"together_share": 0.9, "alone_share": 0.2}, r"must not exceed 1\. Lower one of them"),
        ({"raise_at": 0.5}, "Extra inputs"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        RandomPrompts.Options.model_validate(options)

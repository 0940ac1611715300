import json

import numpy as np
import pytest
from adversarl_failures.statistics import Statistics
from pydantic import ValidationError

from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.types import Axis, Perturbation

KINDS = ("independent", "one at a time", "mixed")


def blind_to(axis):
    """Fails most episodes in which the axis exceeds 40 %, whatever else is in force."""
    return lambda met: 0.15 if met.get(axis, 0.0) > 0.4 else 0.9


@pytest.mark.parametrize("check", checks_for("failure"))
def test_the_promises_of_a_failure_classifier_are_kept(check):
    check(Statistics)


@pytest.mark.parametrize("kind", KINDS)
def test_the_axis_that_a_policy_is_blind_to_is_named_first(kit, kind):
    for seed, axis in enumerate(kit.axes):
        report = kit.report(kit.played(800, kit.curricula[kind], blind_to(axis.name), seed))
        assert report.modes[0].axis == axis.name
        assert report.modes[0].success.high < report.nominal.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("skill", [0.3, 0.9])
def test_where_no_condition_matters_hardly_a_report_blames_one(kit, kind, skill):
    blamed = [bool(kit.report(kit.played(800, kit.curricula[kind], lambda _: skill, s)).modes) for s in range(40)]
    assert sum(blamed) <= 6  # 99 % quantile of Binomial(40, 0.05)


def test_two_culprits_are_both_named(kit):
    def skill(met):
        return blind_to("hue")(met) * blind_to("occluder")(met)

    modes = kit.report(kit.played(800, kit.curricula["mixed"], skill)).modes
    assert {mode.axis for mode in modes[:2]} == {"hue", "occluder"}


def test_a_companion_of_the_culprit_is_not_blamed(kit):
    def draw(rng):
        met = {"hue": 0.6} if rng.random() < 0.5 else {}
        if rng.random() < (0.8 if met else 0.2):
            met["light"] = 0.6
        return met or {"shadow": 0.6}

    modes = kit.report(kit.played(800, draw, blind_to("hue"))).modes
    assert [mode.axis for mode in modes] == ["hue"]


def test_of_two_axes_that_always_come_together_one_is_blamed_and_the_other_mentioned(kit):
    def draw(rng):
        met = kit.curricula["one at a time"](rng)
        if "light" in met or "hue" in met:
            met = dict.fromkeys(("hue", "light"), *met.values())
        return met

    for seed in range(3):
        (mode,) = kit.report(kit.played(800, draw, blind_to("light"), seed)).modes
        (other,) = {"hue", "light"} - {mode.axis}
        assert mode.sentence.endswith(f"; {other} came with it and may be the cause instead")


def test_what_stood_for_two_culprits_is_dropped_once_both_are_found(kit):
    def draw(rng):
        met = {name: 0.6 for name in ("hue", "light", "tint") if rng.random() < 0.3}
        if "hue" in met or "light" in met:
            met["shadow"] = 0.6
        return met if rng.random() < 0.9 else {"shadow": 0.6}

    for seed in range(3):
        episodes = kit.played(800, draw, lambda met: blind_to("hue")(met) * blind_to("light")(met), seed)
        assert {mode.axis for mode in kit.report(episodes).modes} == {"hue", "light"}


def test_the_effect_is_the_axis_own_where_another_one_does_harm_too(kit):
    def draw(rng):
        met = {"hue": 0.6} if rng.random() < 0.5 else {"tint": 0.6}
        if rng.random() < (0.7 if "hue" in met else 0.3):
            met["light"] = 0.6
        return met

    def skill(met):
        return 0.9 - 0.4 * ("hue" in met) - 0.3 * ("light" in met)

    effects = {mode.axis: mode.effect for mode in kit.report(kit.played(2000, draw, skill), window=2000).modes}
    assert effects == {"hue": pytest.approx(0.4, abs=0.06), "light": pytest.approx(0.3, abs=0.06)}


def test_axes_that_share_one_intensity_are_not_blamed_where_the_rest_of_the_world_never_changes(kit):
    def draw(rng):
        return dict.fromkeys((axis.name for axis in kit.axes[:4]), float(rng.uniform(0.01, 1)))

    assert kit.report(kit.played(800, draw, blind_to(kit.axes[0].name))).modes == ()


def test_axes_that_always_share_one_intensity_are_not_blamed(kit):
    def draw(rng):
        return dict.fromkeys((axis.name for axis in kit.axes), float(rng.uniform(0.01, 1)))

    assert kit.report(kit.played(800, draw, blind_to("hue"))).modes == ()


def test_a_mode_says_what_it_found_in_numbers(kit):
    episodes = [kit.episode(i, i % 10 > 0, clean=True) for i in range(100)]
    hard = kit.perturbations({"hue": 0.6})
    episodes += [kit.episode(i, i % 5 == 0, perturbations=hard) for i in range(100, 200)]
    order = np.random.default_rng(0).permutation(200)
    (mode,) = kit.report([episodes[i] for i in order]).modes
    assert mode.intensity == (0.6, 0.6)
    assert mode.success == wilson(20, 100)
    assert mode.effect == pytest.approx(0.7, abs=0.02)
    assert mode.sentence == (
        "success with hue is 20 % [13, 29] (n=100), 69 points [59, 79] below like episodes without it"
    )


def test_rare_evidence_blames_nothing(kit):
    clean = [kit.episode(i, True, clean=True) for i in range(200)]
    hard = [kit.episode(i, False, perturbations=kit.perturbations({"hue": 0.6})) for i in range(200, 204)]
    assert kit.report(clean + hard).modes == ()


def test_targets_are_told_apart_and_the_default_one_has_no_name(kit):
    axis = Axis("light", "visual", "light", "1", "0", "1", "test", "dim the light", ("key", "fill"))
    classifier = Statistics(Statistics.Options.model_validate({}), [axis])
    for index in range(300):
        target = ("key", None, "fill")[index % 3]
        met = () if index % 5 == 0 else (Perturbation("light", 0.5, target),)
        classifier.observe(kit.episode(index, not met or target != "fill", clean=not met, perturbations=met))
    assert [(mode.axis, mode.target) for mode in classifier.report().modes] == [("light", "fill")]
    assert {(c.axis, c.target) for c in classifier.conditions()} == {("light", None), ("light", "fill")}


def test_old_failures_leave_the_window(kit):
    before = kit.played(800, kit.curricula["one at a time"], blind_to("hue"))
    after = kit.played(400, kit.curricula["one at a time"], lambda _: 0.9, 1)
    assert kit.report(before, window=400).modes[0].axis == "hue"
    assert kit.report(before + after, window=400).modes == ()


def test_nominal_success_comes_from_clean_episodes_alone(kit):
    episodes = [kit.episode(i, i % 4 == 0, clean=i % 2 == 0) for i in range(80)]
    report = kit.report(episodes)
    assert report.nominal == wilson(20, 40)
    assert report.success == wilson(20, 80)


def test_rolling_success_forgets(kit):
    episodes = [kit.episode(i, i >= 200) for i in range(300)]
    report = kit.report(episodes, rolling=150)
    assert report.episodes == 300
    assert report.success == wilson(100, 150)


def test_episodes_of_the_warm_start_do_not_count(kit):
    assert kit.report([kit.episode(i, True, phase="warm_start") for i in range(50)]).episodes == 0


def test_success_per_condition_and_bin_has_intervals(kit):
    met = kit.perturbations({"hue": 0.3, "light": 0.8})
    episodes = [kit.episode(i, i % 2 == 0, perturbations=met) for i in range(40)]
    found = {c.axis: (c.low, c.high, c.success) for c in kit.classifier(episodes).conditions()}
    assert found == {"hue": (0.25, 0.5, wilson(20, 40)), "light": (0.75, 1.0, wilson(20, 40))}


def test_a_resumed_classifier_reports_what_the_uninterrupted_one_does(kit):
    episodes = kit.played(900, kit.curricula["mixed"], blind_to("hue"))
    first = kit.classifier(episodes[:700])
    first.report()
    second = kit.classifier([])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.state_dict() == first.state_dict()
    for one in episodes[700:]:
        first.observe(one)
        second.observe(one)
    assert second.report() == first.report()
    assert second.conditions() == first.conditions()


@pytest.mark.parametrize("keys", [{"window": 90, "rolling": 90}, {"window": 150, "rolling": 200}])
def test_a_window_too_small_for_what_is_looked_for_in_it_is_refused(keys):
    with pytest.raises(ValidationError, match="window must hold rolling, and change_episodes twice"):
        Statistics.Options(**keys)

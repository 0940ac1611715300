import json
import math
import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from adversarl_curricula.adr import Adr, Boundary
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.loop import EMPTY
from adversarl.testing import checks_for
from adversarl.testing.fakes import about, make_episodes, make_world

WORLD = about(make_world())
RESULTS = st.lists(st.booleans(), min_size=1, max_size=120)


@st.composite
def tables(draw):
    buffer = draw(st.integers(1, 6))
    # Rates that a buffer can have exactly, and others.
    rate = st.integers(0, buffer).map(lambda successes: successes / buffer) | st.floats(0.01, 0.99)
    narrow, widen = sorted(draw(st.lists(rate, min_size=2, max_size=2, unique=True)))
    least, start = sorted(draw(st.lists(st.floats(0.01, 1), min_size=2, max_size=2)))
    return {
        "buffer": buffer,
        "step": draw(st.floats(0.01, 1)),
        "widen_at": widen,
        "narrow_at": narrow,
        "start": start,
        "min_width": least,
        "boundary_share": draw(st.floats(0.05, 1)),
    }


def make(seed=0, **options):
    return Adr(Adr.Options.model_validate(options), WORLD, np.random.default_rng(seed))


def episode(env, success):
    return replace(make_episodes(2, WORLD.axes)[1], env=env, success=success, clean=False)


def play(adr, results):
    """Plays one episode for each result; returns what was proposed and all boundaries before and after."""
    played = []
    for index, success in enumerate(results):
        before = {name: one.high for name, one in adr.boundaries.items()}
        counts = {name: len(one.results) for name, one in adr.boundaries.items()}
        (proposal,) = adr.propose(Slot(index % 3, index, 20 * index), EMPTY)
        adr.observe(episode(index % 3, success))
        played.append((proposal, before, {name: one.high for name, one in adr.boundaries.items()}, counts))
    return played


@given(tables(), RESULTS)
@settings(deadline=None, max_examples=60)
def test_a_boundary_stays_between_the_least_width_and_one(table, results):
    boundary = Boundary(Adr.Options.model_validate(table))
    for success in results:
        boundary.observe(success)
        assert table["min_width"] <= boundary.high <= 1
        assert len(boundary.results) < table["buffer"]


@given(tables(), RESULTS)
@settings(deadline=None, max_examples=60)
def test_a_full_buffer_widens_or_narrows_by_the_step_or_neither_and_is_cleared(table, results):
    boundary = Boundary(Adr.Options.model_validate(table))
    held = []
    for success in results:
        before = boundary.high
        held.append(success)
        boundary.observe(success)
        if len(held) < table["buffer"]:
            assert boundary.high == before
            assert boundary.results == held
            continue
        mean = sum(held) / len(held)
        expected = before
        if mean >= table["widen_at"]:
            expected = min(1, before + table["step"])
        elif mean <= table["narrow_at"]:
            expected = max(table["min_width"], before - table["step"])
        assert boundary.high == expected
        assert boundary.results == []
        held = []


@given(tables(), st.integers(0, 2**31))
@settings(deadline=None, max_examples=25)
def test_ranges_only_grow_on_success_and_only_shrink_on_failure(table, seed):
    for success in (True, False):
        adr = make(seed, **table)
        for _, before, after, _ in play(adr, [success] * 80):
            assert all((after[name] >= before[name]) if success else (after[name] <= before[name]) for name in before)


@given(tables(), RESULTS, st.integers(0, 2**31))
@settings(deadline=None, max_examples=40)
def test_samples_lie_in_their_ranges_and_one_episode_moves_one_boundary_at_most(table, results, seed):
    adr = make(seed, **table)
    for proposal, before, after, counts in play(adr, results):
        assert [p.axis for p in proposal.perturbations] == list(before)
        assert all(0 <= p.intensity <= before[p.axis] for p in proposal.perturbations)
        moved = [name for name in before if after[name] != before[name]]
        assert len(moved) <= 1
        assert all(counts[name] == table["buffer"] - 1 for name in moved)


def test_half_of_the_episodes_have_one_axis_exactly_at_its_boundary():
    adr = make(start=0.37)
    pinned = [
        [p.axis for p in proposal.perturbations if p.intensity == 0.37]
        for proposal in (adr.propose(Slot(0, index, 0), EMPTY)[0] for index in range(4000))
    ]
    assert {len(axes) for axes in pinned} == {0, 1}
    share = sum(map(len, pinned)) / len(pinned)
    assert share == pytest.approx(0.5, abs=0.03)
    counts = np.unique([axis for axes in pinned for axis in axes], return_counts=True)[1]
    np.testing.assert_allclose(counts / counts.sum(), 1 / len(WORLD.axes), atol=0.03)


def test_only_episodes_at_a_boundary_count_and_no_clean_ones():
    adr = make(buffer=1000, boundary_share=0.5)
    expected = 0
    for index in range(400):
        (proposal,) = adr.propose(Slot(0, index, 0), EMPTY)
        clean = index % 4 == 0
        expected += "at its boundary" in proposal.why and not clean
        adr.observe(replace(episode(0, True), clean=clean))
    assert 100 < expected < 200
    assert sum(len(one.results) for one in adr.boundaries.values()) == expected


def test_a_result_from_where_the_boundary_no_longer_is_does_not_count():
    adr = make(buffer=1, boundary_share=1, axes=["mass"])
    for env in (0, 1):
        adr.propose(Slot(env, env, 0), EMPTY)
    adr.observe(episode(0, True))
    moved = adr.boundaries["mass"].high
    adr.observe(episode(1, True))
    assert moved == pytest.approx(0.2)
    assert adr.boundaries["mass"].high == moved


def test_what_the_guard_refuses_moves_no_boundary():
    adr = make(buffer=1, boundary_share=1, axes=["mass"])
    adr.propose(Slot(0, 0, 0), EMPTY)
    adr.refuse(Slot(0, 0, 0))
    adr.observe(episode(0, True))
    assert adr.boundaries["mass"].high == 0.1


def test_mastered_ranges_fill_up_one_that_always_fails_does_not():
    adr = make(buffer=3)
    for index in range(4000):
        adr.propose(Slot(0, index, 0), EMPTY)
        pinned = adr._pinned.get(0, ("", 0.0))[0]
        adr.observe(episode(0, pinned != "mass"))
    highs = {name: one.high for name, one in adr.boundaries.items()}
    assert highs.pop("mass") == 0.05
    assert set(highs.values()) == {1.0}


def test_the_scalars_are_every_boundary_and_the_entropy_of_the_paper():
    adr = make(axes=["mass", "brightness"])
    adr.boundaries["mass"].high, adr.boundaries["brightness"].high = 0.5, 0.2
    scalars = adr.scalars()
    assert scalars["curriculum/adr_entropy"] == pytest.approx((math.log(0.5) + math.log(0.2)) / 2)
    assert scalars["curriculum/boundary/mass"] == 0.5
    assert scalars["curriculum/boundary/brightness"] == 0.2
    assert len(scalars) == 3


@given(tables(), RESULTS, RESULTS)
@settings(deadline=None, max_examples=15)
def test_a_resumed_one_is_identical(table, first, second):
    straight, resumed = make(3, **table), make(4, **table)
    play(straight, first)
    straight.propose(Slot(2, 0, 0), EMPTY)
    resumed.load_state_dict(json.loads(json.dumps(straight.state_dict())))
    resumed.rng.bit_generator.state = deepcopy(straight.rng.bit_generator.state)
    straight.observe(episode(2, True))
    resumed.observe(episode(2, True))
    assert play(straight, second) == play(resumed, second)
    assert straight.state_dict() == resumed.state_dict()


def test_an_interrupted_closed_loop_goes_on_as_the_uninterrupted_one(closed_loop):
    loop, resumed = closed_loop(Adr, buffer=2), closed_loop(Adr, seed=7, buffer=2)
    loop.reset(seed=3)
    resumed.reset(seed=4)
    step_with_random_actions(loop, 400)
    resumed.rewind(pickle.loads(pickle.dumps(loop.snapshot())))
    for one in (loop, resumed):
        step_with_random_actions(one, 400)
    assert loop.scalars()["curriculum/adr_entropy"] != math.log(0.1)
    assert loop.parts.curriculum.state_dict() == resumed.parts.curriculum.state_dict()
    assert loop.report == resumed.report


def step_with_random_actions(loop, steps):
    actions = np.random.default_rng(steps)
    for _ in range(steps):
        loop.step(actions.uniform(-1, 1, (loop.num_envs, 2)).astype(np.float32))


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check):
    check(Adr)


def test_thresholds_and_widths_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match="narrow_at must be below widen_at"):
        make(narrow_at=0.7, widen_at=0.7)
    with pytest.raises(ValidationError, match="min_width must not exceed start"):
        make(start=0.1, min_width=0.2)


def test_an_unknown_axis_names_the_nearest():
    with pytest.raises(PerturbationError, match=r"no axis 'masss'\. Did you mean 'mass'"):
        make(axes=["masss"])

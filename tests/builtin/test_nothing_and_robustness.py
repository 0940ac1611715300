import numpy as np
import pytest

from adversarl.builtin.nothing import NoCurriculum, NoFailure
from adversarl.builtin.point_mass_axes import AXES
from adversarl.builtin.robustness import Robustness
from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.testing import make_episodes

WORLD_AXES = tuple(AXES)


def test_no_curriculum_asks_for_nothing():
    curriculum = NoCurriculum(NoCurriculum.Options(), None, np.random.default_rng(0))
    assert curriculum.propose(Slot(0, 0, 0), None) == ()


def test_no_failure_tells_nominal_success_from_the_rest():
    failure = NoFailure(NoFailure.Options(window=40), WORLD_AXES)
    for episode in make_episodes(100, WORLD_AXES, fragile="mass"):
        failure.observe(episode)
    report = failure.report()
    assert (report.episodes, report.success.n, report.nominal.n) == (100, 40, 40)
    assert report.nominal.value == 1.0
    assert report.success.value < 1.0
    assert report.modes == ()


def test_every_cell_of_a_curve_plays_the_same_episodes_at_another_intensity():
    cells = Robustness(Robustness.Options(episodes=3)).cells(WORLD_AXES, seed=5)
    assert [(cell.axis, cell.intensity) for cell in cells] == [("mixed", i) for i in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert len({cell.seeds for cell in cells}) == 1
    assert cells[0].perturbations == ((), (), ())
    drawn = {tuple((p.axis, p.seed) for p in cell.perturbations[0]) for cell in cells[1:]}
    assert len(drawn) == 1
    assert {p.axis for p in cells[1].perturbations[0]} == {axis.name for axis in WORLD_AXES}


def test_per_axis_adds_each_axis_alone_and_changes_no_other_cell():
    chosen = ("brightness", "mass")
    alone = Robustness(Robustness.Options(episodes=2, axes=chosen, per_axis=True)).cells(WORLD_AXES, seed=5)
    mixed = Robustness(Robustness.Options(episodes=2, axes=chosen)).cells(WORLD_AXES, seed=5)
    assert alone[:5] == mixed
    assert [cell.axis for cell in alone[5:]] == ["brightness"] * 4 + ["mass"] * 4
    assert all(len(p) == 1 for cell in alone[5:] for p in cell.perturbations)


def test_an_axis_keeps_its_seeds_when_others_join():
    some = Robustness(Robustness.Options(episodes=2, axes=("mass",))).cells(WORLD_AXES, seed=5)[1]
    every = Robustness(Robustness.Options(episodes=2)).cells(WORLD_AXES, seed=5)[1]
    assert some.perturbations[0][0] in every.perturbations[0]


def test_an_unknown_axis_names_the_nearest_one():
    with pytest.raises(PerturbationError, match=r"no axis 'brightnes'.* Did you mean 'brightness'"):
        Robustness(Robustness.Options(axes=("brightnes",))).cells(WORLD_AXES, seed=0)

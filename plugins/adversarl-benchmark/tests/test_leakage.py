import json
from pathlib import Path

import pytest
from adversarl_benchmark.leakage import leaks
from adversarl_benchmark.spec import SuiteSpec, read_spec

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.testing.fakes import make_world

SUITE = Path(__file__).parent / "points.toml"
BACKEND = {"backend": {"use": "point-mass", "split": "train"}}


class Reserves(PointMassWorld):
    """Reds belong to tests."""

    def reserved(self, perturbation):
        return perturbation.value is not None and perturbation.value[0] > 0.9


@pytest.fixture
def spec() -> SuiteSpec:
    content = read_spec(SUITE).model_dump() | {"training": {"split": "train"}, "world": {"split": "test", "pool": 5}}
    return SuiteSpec.model_validate(content)


@pytest.fixture
def run(tmp_path):
    def write(text="dim", seed=1, refused=None, **perturbation):
        one = {"axis": "background-color", "intensity": 0.5, "target": None, "value": None, "seed": 3} | perturbation
        row = {"text": text, "perturbations": [one]} | ({"refused": refused} if refused else {})
        (tmp_path / "curriculum.jsonl").write_text(json.dumps(row) + "\n")
        episode = {"seed": seed, "perturbations": []}
        (tmp_path / "episodes.jsonl").write_text(json.dumps(episode) + "\n")
        return tmp_path

    return write


def of(folder, spec, backend=BACKEND):
    world = Reserves(1, seed=0, image_size=32, max_episode_steps=60)
    return leaks(folder, backend, spec, world)


def test_a_run_that_met_nothing_has_no_leak(run, spec):
    assert of(run(), spec) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"axis": "mass"}, "the axis mass (1 times)"),
        ({"text": "dim the light at 50 %"}, "the prompt 'dim the light at 50 %' (1 times)"),
        ({"seed": 2**31 + 5}, "a reset seed of evaluations (1 times)"),
        ({"value": [1.0, 0.0, 0.0]}, "background-color (1.0, 0.0, 0.0), which is reserved for tests (1 times)"),
    ],
)
def test_a_planted_leak_is_found(run, spec, planted, said):
    folder = run(
        **{k: v for k, v in planted.items() if k != "seed"}, **({"seed": planted["seed"]} if "seed" in planted else {})
    )
    assert of(folder, spec) == [said]


def test_a_value_that_is_not_reserved_is_fine(run, spec):
    assert of(run(value=[0.1, 0.0, 0.0]), spec) == []


def test_what_was_refused_was_not_trained_on(run, spec):
    assert of(run(axis="mass", refused="the teacher does not solve it"), spec) == []


def test_the_world_of_training_has_to_be_the_one_the_suite_leaves_to_it(run, spec):
    found = of(run(), spec, {"backend": {"split": "all", "pool": 5}})
    assert found == [
        "trained with backend.split = 'all', and not 'train'",
        "trained with backend.pool = 5, which the suite keeps for itself",
    ]


def test_a_world_that_reserves_nothing_reserves_no_value(run, spec):
    assert leaks(run(value=[1.0, 0.0, 0.0]), BACKEND, spec, make_world(1)) == []

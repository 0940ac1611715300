import json
from pathlib import Path

import pytest
from adversarl_benchmark.heldout import HeldOutFile, HeldOutFileOptions, HeldOutOptions, TabletopHeldOut
from adversarl_benchmark.spec import read_spec

from adversarl.errors import AdversarlError
from adversarl.plugins import build_plugin_manager
from adversarl.seeding import TRAINING_SEEDS

SUITE = Path(__file__).parent / "points.toml"


def points(**options):
    return HeldOutFile(HeldOutFileOptions(file=str(SUITE), **options))


def tabletop(**options):
    return TabletopHeldOut(HeldOutOptions(**options))


def by_label(suite):
    return {(cell.axis, cell.intensity): cell for cell in suite.cells((), 0)}


def test_every_curve_has_its_intensities_and_every_world_its_nominal_cell():
    cells = by_label(points(episodes=3))
    assert [label for label, intensity in cells if intensity == 0] == ["mixed", "small"]
    assert {label for label, intensity in cells if intensity == 1} == {
        *("camera-shift", "object-color", "mass", "action-noise", "mixed", "small", "prompts")
    }
    assert all(len(cell.seeds) == len(cell.perturbations) == 3 for cell in cells.values())


def test_along_a_curve_only_the_intensity_changes():
    cells = by_label(tabletop(episodes=4))
    for one, other in zip(cells["mixed", 0.25].perturbations, cells["mixed", 1.0].perturbations, strict=True):
        assert [(p.axis, p.seed, p.intensity) for p in one] == [(p.axis, p.seed, 0.25) for p in other]


def test_all_curves_play_the_same_resets_and_no_training_seed():
    cells = by_label(tabletop(episodes=7))
    assert len({cell.seeds for cell in cells.values()}) == 1
    assert all(TRAINING_SEEDS <= seed < 2 * TRAINING_SEEDS for seed in cells["mixed", 0.0].seeds)


def test_more_episodes_begin_with_the_same_ones():
    few, many = by_label(tabletop(episodes=2)), by_label(tabletop(episodes=5))
    assert all(many[key].perturbations[:2] == cell.perturbations for key, cell in few.items())


def test_the_photoreal_curve_is_mixed_in_another_renderer():
    cells = by_label(tabletop(episodes=2))
    assert cells["mixed-pbr", 0.5].perturbations == cells["mixed", 0.5].perturbations
    assert cells["mixed-pbr", 0.5].world == {**cells["mixed", 0.5].world, "renderer": "pbr"}


def test_every_cell_is_played_in_a_world_that_training_may_not_have():
    spec = tabletop().spec
    for cell in tabletop(episodes=1).cells((), 0):
        assert cell.world["split"] == "test"
        assert cell.world["split"] != spec.training["split"]
        assert cell.world["pool"] != 0


def test_sentences_mean_what_the_grammar_makes_of_them_but_for_frozen_values():
    """The suite keeps its own grounding; that of today has to agree, or the sentence is no longer that condition."""
    pytest.importorskip("adversarl_mujoco")
    from adversarl.errors import AdversarlError as Unavailable

    backend = build_plugin_manager().registry.get("backend", "mujoco").load()
    try:
        world = backend(backend.Options()).make(seed=0, num_envs=1)
    except Unavailable as error:
        pytest.skip(str(error))
    try:
        for curve in tabletop().spec.curves:
            for prompt in curve.prompts:
                found = world.ground(prompt.said(0.5))
                assert not found.not_understood, prompt.text
                asked = {(a.axis, a.target, a.value) for a in prompt.asks}
                assert {(p.axis, p.target, p.value) for p in found.perturbations} == asked, prompt.text
                assert {p.intensity for p in found.perturbations} == {0.5}
    finally:
        world.close()


def test_curves_and_intensities_may_be_chosen():
    cells = by_label(points(episodes=1, curves=("mass", "mixed"), intensities=(0.0, 1.0)))
    assert list(cells) == [("mass", 1.0), ("mixed", 0.0), ("mixed", 1.0)]


def test_an_unknown_curve_is_named():
    with pytest.raises(AdversarlError, match=r"points-v1 has no curve 'fog'\. It has: camera-shift, object-color"):
        points(curves=("fog",)).cells((), 0)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('each = ["mass"', 'eech = ["mass"', "curves.1.eech: Extra inputs are not permitted"),
        ('like = "mixed"', 'like = "fog"', "curve 'small' is like 'fog', which is none of ['mixed']"),
        ('name = "prompts"', "", "curves of `each` have the names of their axes, all others need a `name`"),
        ("seed = 7", "seed = ", "not valid TOML"),
    ],
)
def test_what_is_wrong_in_a_suites_file_is_said(tmp_path, before, after, said):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE.read_text().replace(before, after))
    with pytest.raises(AdversarlError) as error:
        read_spec(path)
    assert "mine.toml" in str(error.value)
    assert said in str(error.value)


def test_the_published_suite_does_not_change():
    """A suite that plays other episodes under its old name would make results incomparable: make a -v2 instead."""
    from hashlib import sha256

    cells = [
        (c.axis, c.intensity, c.seeds, [[(p.axis, p.value, p.seed) for p in e] for e in c.perturbations], c.world)
        for c in tabletop(episodes=20).cells((), 0)
    ]
    assert sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16] == "2f9f7bc961f97a15"

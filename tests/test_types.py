from __future__ import annotations

import json
import math

import pytest

from adversarl.types import Episode, Grounding, Perturbation, Rate


@pytest.mark.parametrize("intensity", [-0.1, 1.1, math.nan])
def test_an_intensity_outside_its_range_is_refused(intensity):
    with pytest.raises(ValueError, match=r"intensity of 'fog' must lie in \[0, 1\], not"):
        Perturbation("fog", intensity)


def test_another_seed_leaves_the_rest_of_a_perturbation_alone():
    assert Perturbation("fog", 0.5, "sky").seeded(7) == Perturbation("fog", 0.5, "sky", seed=7)


def test_a_grounding_is_complete_when_all_was_understood_and_something_is_asked_for():
    fog = (Perturbation("fog", 0.5),)
    assert Grounding("fog", fog).complete
    assert Grounding("back to normal", restore=True).complete
    assert not Grounding("odd fog", fog, not_understood=("odd",)).complete
    assert not Grounding("please").complete


def test_an_episode_survives_json():
    episode = Episode(0, 1, 2, 30, 10, 1.5, True, False, perturbations=(Perturbation("fog", 0.5),), prompts=("fog",))
    row = json.loads(json.dumps(episode.to_json()))
    assert row["perturbations"][0]["axis"] == "fog"
    assert row["success"] is True


def test_a_rate_without_observations_is_no_number():
    assert math.isnan(Rate(0, 0, 0.0, 1.0).value)
    assert Rate(0, 0, 0.0, 1.0).to_json() == {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    assert Rate(1, 4, 0.0, 1.0).to_json() == {"value": 0.25, "n": 4, "low": 0.0, "high": 1.0}

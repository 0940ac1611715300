"""``ensemble``: how members' judgements become one, on members with fixed and on members with measured opinions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from adversarl_rewards.ensemble import Ensemble
from pydantic import ValidationError

from adversarl.builtin.state import StateReward
from adversarl.detection import FrameDetector, FrameOptions, Judgement
from adversarl.errors import RecipeError
from adversarl.interfaces.reward import Step
from adversarl.recipe import parse_recipe
from adversarl.testing import checks_for

NAN = np.nan
FRAMES = np.zeros((2, 8, 8, 3), np.uint8)


@dataclass
class Heard:
    """What happened to members, in order."""

    events: list[str] = field(default_factory=list)


class Fixed(FrameDetector):
    """Says the same of every picture."""

    def __init__(self, name: str, says: float, progress: float = 0.0, reason: str = "", heard: Heard | None = None):
        super().__init__(FrameOptions())
        self.name, self.says, self.progress_, self.reason = name, says, progress, reason
        self.heard = heard or Heard()
        self.cost = 0.0

    def judge(self, frames, task):
        self.cost += len(frames)
        n = len(frames)
        reasons = (self.reason,) * n if self.reason else ()
        return Judgement(np.full(n, self.says), np.full(n, self.progress_), reasons)

    def connect(self, notice, folder):
        notice(f"{self.name} is there")

    def scalars(self):
        return {**super().scalars(), "cost_usd": self.cost}

    def close(self):
        super().close()
        self.heard.events.append(self.name)

    def state_dict(self):
        return {**super().state_dict(), "cost": self.cost}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.cost = state["cost"]


def ensemble(*members: Any, weights=None, **options):
    """An ensemble of these detectors."""
    weights = weights or [1.0] * len(members)
    tables = [{"use": getattr(m, "name", "state"), "weight": w} for m, w in zip(members, weights, strict=True)]
    made = Ensemble(Ensemble.Options(members=tables, **options))
    made.assemble(lambda key, table: members[int(key.removeprefix("members."))])
    return made


def of(*says, weights=None, **options):
    """An ensemble of members that say these probabilities, and twice as little progress."""
    return ensemble(*[Fixed(f"m{i}", p, p / 2) for i, p in enumerate(says)], weights=weights, **options)


def probability(made):
    found = made.judge(FRAMES, "")
    assert found.probability.shape == found.progress.shape == (2,)
    assert np.array_equal(found.probability / 2, found.progress, equal_nan=True)
    return pytest.approx(found.probability[0], nan_ok=True)


@pytest.mark.parametrize(
    ("combine", "says", "weights", "expected"),
    [
        ("mean", (0.6, 0.9), (1, 1), 0.75),
        ("mean", (0.6, 0.9), (2, 1), 0.7),
        ("median", (0.6, 0.9, 0.8), (1, 1, 1), 0.8),
        ("median", (0.6, 0.9), (1, 1), 0.75),
        ("median", (0.6, 0.9, 0.8), (5, 1, 1), 0.6),
        ("median", (0.6, 0.9, 0.8, NAN), (1, 1, 1, 9), 0.8),
        ("all", (0.6, 0.9), (1, 9), 0.6),
        ("mean", (0.6, NAN), (1, 9), 0.6),
        ("median", (0.6, NAN), (1, 9), 0.6),
        ("all", (0.6, NAN), (1, 9), 0.6),
        ("mean", (NAN, NAN), (1, 1), NAN),
        ("median", (NAN, NAN), (1, 1), NAN),
        ("all", (NAN, NAN), (1, 1), NAN),
    ],
)
def test_members_judgements_become_one_and_those_who_abstain_are_left_out(combine, says, weights, expected):
    assert probability(of(*says, weights=weights, combine=combine)) == expected


@pytest.mark.parametrize("combine", ["mean", "median", "all"])
def test_it_says_nothing_where_members_disagree_and_tells_who(combine):
    made = ensemble(Fixed("cnn", 0.9, 0.5), Fixed("clip", 0.3, 0.5, "it lies low"), Fixed("vlm", NAN), combine=combine)
    found = made.judge(FRAMES, "")
    assert np.isnan(found.probability).all()
    assert np.isnan(found.progress).all()
    assert found.reasons == ("members disagree: cnn 90%, clip 30%; clip: it lies low",) * 2
    assert probability(of(0.9, 0.3, disagreement=0.7)) == 0.6


def test_a_median_of_weights_is_that_of_as_many_copies():
    rng = np.random.default_rng(0)
    for _ in range(200):
        says, weights = rng.uniform(size=4).round(2), rng.integers(1, 5, 4)
        made = of(*says, weights=weights.tolist(), combine="median", disagreement=1)
        assert probability(made) == np.median(np.repeat(says, weights))


def test_members_that_agree_give_their_reasons():
    made = ensemble(Fixed("cnn", 0.9), Fixed("clip", 0.8, reason="it is held up"))
    assert made.judge(FRAMES, "").reasons == ("clip: it is held up",) * 2
    assert of(0.9, 0.8).judge(FRAMES, "").reasons == ("", "")


def test_patience_is_the_ensembles_own():
    made = of(0.9, 0.8, hold=3)
    scores = [made.score(Step(FRAMES, "", np.zeros(2), np.zeros(2, bool))).success.tolist() for _ in range(3)]
    assert scores == [[False, False], [False, False], [True, True]]


def test_members_of_one_name_get_numbers_and_scalars_are_prefixed():
    made = ensemble(Fixed("cnn", 0.9), Fixed("clip", 0.9), Fixed("cnn", 0.8))
    made.judged(FRAMES, "")
    scalars = made.scalars()
    assert scalars["frames"] == scalars["cnn-1/frames"] == scalars["cnn-2/frames"] == scalars["clip/frames"] == 2
    assert scalars["clip/cost_usd"] == 2
    assert scalars["ms_per_frame"] >= scalars["cnn-1/ms_per_frame"] > 0


def test_what_one_is_told_all_are_told():
    heard, notices = Heard(), []
    made = ensemble(Fixed("cnn", 0.9, heard=heard), Fixed("clip", 0.9, heard=heard))
    made.connect(notices.append, None)
    assert notices == ["cnn is there", "clip is there"]
    assert made.exhausted == ""
    made.members["clip"].exhausted = "2 USD are spent"
    assert made.exhausted == "2 USD are spent"
    made.close()
    assert sorted(heard.events) == ["clip", "cnn"]


def test_every_member_is_closed_even_where_one_fails_to():
    class Stuck(Fixed):
        def close(self):
            raise OSError("stuck")

    heard = Heard()
    made = ensemble(Fixed("cnn", 0.9, heard=heard), Stuck("clip", 0.9), Fixed("vlm", 0.9, heard=heard))
    with pytest.raises(OSError, match="stuck"):
        made.close()
    assert sorted(heard.events) == ["cnn", "vlm"]


def test_members_states_are_kept_with_pictures_that_are_on_their_way():
    made, other = (of(0.9, 0.8, delay=5) for _ in range(2))
    made.score(Step(FRAMES, "", np.zeros(2), np.zeros(2, bool)))
    state = made.state_dict()
    assert [member["cost"] for member in state["members"].values()] == [2, 2]
    other.load_state_dict(state)
    assert other.members["m1"].cost == 2
    made.close()
    other.close()


def test_a_member_that_judges_no_pictures_is_named_with_its_table():
    with pytest.raises(RecipeError) as caught:
        ensemble(Fixed("cnn", 0.9), StateReward(StateReward.Options()))
    assert str(caught.value) == (
        "recipe: members.1 use: 'state' judges no pictures, so it cannot be a member. Choose one that does, such as "
        "'classifier'"
    )


def recipe(registry, *members, **keys):
    tables = {
        "backend": {"use": "point-mass"},
        "learner": {"use": "random-search"},
        "reward": {"use": "ensemble", "members": list(members), **keys},
    }
    return parse_recipe(tables, registry, "a.toml")


def test_a_recipe_names_members_with_their_keys(adversarl_registry):
    first = {"use": "classifier", "weight": 2.0, "model": "a.pt"}
    chosen = recipe(adversarl_registry, first, {"use": "state"}, combine="all")
    assert chosen["reward"].options.members[0].table == {"use": "classifier", "model": "a.pt"}
    assert chosen.resolved()["reward"]["members"] == [first, {"use": "state", "weight": 1.0}]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([{"use": "state"}], "a.toml: [reward] members: tuple should have at least 2 items"),
        ([{"use": "state"}, {"weight": 2}], "a.toml: [reward] members.1.use: is missing. It has no default"),
        (
            [{"use": "state"}, {"use": "state", "weight": 0}],
            "a.toml: [reward] members.1.weight: should be greater than 0",
        ),
        (
            [{"use": "state"}, {"use": "classifier", "hold": 3}],
            "a.toml: [reward] members: 1.hold holds for all members together. Move it to the ensemble's table",
        ),
    ],
)
def test_tables_that_are_wrong_are_named(adversarl_registry, members, message):
    with pytest.raises(RecipeError) as caught:
        recipe(adversarl_registry, *members)
    assert str(caught.value).startswith(message)


def test_two_members_are_the_least():
    with pytest.raises(ValidationError):
        Ensemble.Options(members=[{"use": "state"}])


class Reddish(FrameDetector):
    """Sees how red a picture is."""

    def __init__(self, channel: int):
        super().__init__(FrameOptions())
        self.channel = channel

    def judge(self, frames, task):
        mean = frames[..., self.channel].mean(axis=(1, 2)) / 255
        return Judgement(mean, mean)


class OfTwo(Ensemble):
    """An ensemble as recipes would have it, of detectors that need nothing installed."""

    def assemble(self, part):
        super().assemble(lambda key, table: Reddish(int(key[-1])))


@pytest.mark.parametrize("combine", ["mean", "median", "all"])
@pytest.mark.parametrize("check", checks_for("reward"), ids=lambda check: check.__name__)
def test_it_keeps_the_promises_of_a_reward(check, combine):
    check(OfTwo, OfTwo.Options(members=[{"use": "red"}, {"use": "green"}], combine=combine))

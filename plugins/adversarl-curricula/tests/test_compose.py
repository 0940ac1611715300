from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from adversarl_curricula.mix import Mix
from adversarl_curricula.sequence import Sequence

from adversarl.errors import Interrupted, RecipeError, UnknownComponent
from adversarl.interfaces.curriculum import CurriculumStrategy, Slot
from adversarl.loop import EMPTY
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.runs import JOURNALS
from adversarl.testing import checks_for, make_episodes
from adversarl.training import train
from adversarl.types import Proposal

SEQUENCE = {"stages": [{"use": "static", "episodes": 30}, {"use": "uniform", "steps": 500}, {"use": "rules"}]}
NESTED = {
    "parts": [
        {"use": "rules", "share": 3.0, "step": 0.2},
        {"use": "sequence", **SEQUENCE},
        {"use": "mix", "share": 0.5, "parts": [{"use": "uniform"}, {"use": "static"}]},
    ]
}


class Part(CurriculumStrategy):
    """Says its name, and keeps what it was shown."""

    name = "first"
    traces = values = False

    def __init__(self, options, world, rng):
        super().__init__(options, world, rng)
        self.shown = []

    def propose(self, slot, report):
        self.shown.append(("asked", slot.episode))
        return (Proposal(self.name, "to be told apart", perturbations=()),)

    def connect(self, services):
        self.shown.append(("connected", services))

    def watch(self, episode, trace):
        self.shown.append(("watched", episode.index))

    def observe(self, episode):
        self.shown.append(("observed", episode.index))

    def refuse(self, slot):
        self.shown.append(("refused", slot.episode))

    def close(self):
        self.shown.append(("closed",))

    def scalars(self):
        return {"curriculum/count": len(self.shown)}


class Watcher(Part):
    name = "second"
    traces = values = True


@pytest.fixture
def told(world):
    """A mixture of one part that watches and one that does not, with its parts."""
    made = iter((Part, Watcher))

    def part(key, table, world, rng):
        cls = next(made)
        return cls(cls.Options(), world, rng)

    options = Mix.Options(parts=[{"use": "first"}, {"use": "second"}])
    mix = Mix(options, replace(world, part=part), np.random.default_rng(0))
    return mix, *mix.parts


@pytest.fixture
def make(world):
    return lambda cls, **options: cls(cls.Options.model_validate(options), world, np.random.default_rng(0))


@pytest.mark.parametrize("check", checks_for("curriculum"))
@pytest.mark.parametrize(("curriculum", "options"), [(Sequence, SEQUENCE), (Mix, NESTED)])
def test_the_promises_of_a_curriculum_are_kept(check, curriculum, options):
    check(curriculum, curriculum.Options.model_validate(options))


@pytest.mark.parametrize("curriculum", [{"use": "sequence", **SEQUENCE}, {"use": "mix", **NESTED}])
def test_a_run_that_is_interrupted_writes_the_same_journals(curriculum, tmp_path):
    plugins = build_plugin_manager()
    tables = {
        "run": {"total_steps": 1600, "checkpoint_every": 300},
        "backend": {"use": "point-mass", "num_envs": 4, "image_size": 16, "max_episode_steps": 20},
        "failure": {"use": "statistics", "report_every": 10},
        "curriculum": curriculum,
        "learner": {"use": "random-search", "directions": 2},
        "evaluation": {"suite": "robustness", "episodes": 2, "intensities": [0.0, 1.0]},
    }
    recipe = parse_recipe(tables, plugins.registry, "test.toml")
    train(recipe, plugins, tmp_path / "whole")
    for stop in (8, 5):
        asked = iter(range(10**6))
        with pytest.raises(Interrupted):
            train(recipe, plugins, tmp_path / "cut", resume=stop == 5, stop_requested=lambda: next(asked) > stop)  # noqa: B023
    train(recipe, plugins, tmp_path / "cut", resume=True)
    for name in JOURNALS:
        assert (tmp_path / "cut" / f"{name}.jsonl").read_bytes() == (tmp_path / "whole" / f"{name}.jsonl").read_bytes()
    texts = (tmp_path / "whole" / "curriculum.jsonl").read_text()
    assert "drawn from" in texts
    assert "hand-coded" in texts
    assert "ceiling" in texts


def test_parts_are_asked_in_proportion_to_their_shares(make):
    prompts = {"a": "dim the light", "b": "shake the controls"}
    parts = [{"use": "static", "share": share, "prompts": [prompts[n]]} for n, share in (("a", 3), ("b", 1))]
    mix = make(Mix, parts=parts)
    texts = Counter(mix.propose(Slot(0, episode, 0), EMPTY)[0].text for episode in range(4000))
    assert texts["dim the light"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_each_part_learns_from_its_own_episodes_and_all_from_clean_ones(told):
    mix, first, second = told
    assert (mix.traces, mix.values) == (True, True)
    proposed = {}
    for episode in make_episodes(60, mix.world.axes):
        if not episode.clean:
            (proposal,) = mix.propose(Slot(episode.env, episode.index, 0), EMPTY)
            proposed[episode.index] = proposal.text
        mix.watch(episode, None)
        mix.observe(episode)
    for part in (first, second):
        mine = {index for index, name in proposed.items() if name == part.name}
        clean = set(range(60)) - set(proposed)
        assert {index for what, index in part.shown if what == "observed"} == mine | clean
        assert {index for what, index in part.shown if what == "watched"} == (
            (mine | clean) if part is second else set()
        )
        assert len(mine) > 5


def test_after_a_refusal_the_same_part_is_asked_again(told):
    mix, first, second = told
    for episode in range(20):
        slot = Slot(0, episode, 0)
        (before,) = mix.propose(slot, EMPTY)
        mix.refuse(slot)
        (after,) = mix.propose(slot, EMPTY)
        assert before.text == after.text
        part = first if before.text == first.name else second
        assert part.shown[-3:] == [("asked", episode), ("refused", episode), ("asked", episode)]


def test_parts_are_connected_plotted_and_closed(told):
    mix, *parts = told
    mix.connect("services")
    assert mix.scalars() == {"curriculum/0-first/count": 1, "curriculum/1-second/count": 1}
    mix.close()
    assert [part.shown for part in parts] == [[("connected", "services"), ("closed",)]] * 2


def test_stages_end_after_their_episodes_or_steps(make):
    stages = [
        {"use": "static", "episodes": 3, "prompts": ["dim the light"]},
        {"use": "static", "steps": 100, "prompts": ["shift the camera"]},
        {"use": "static", "prompts": ["shake the controls"]},
    ]
    sequence = make(Sequence, stages=stages)
    slots = [Slot(0, episode, 50 * episode) for episode in range(10, 18)]
    texts = [sequence.propose(slot, EMPTY)[0].text for slot in slots]
    assert texts == ["dim the light"] * 3 + ["shift the camera"] * 2 + ["shake the controls"] * 3
    assert sequence.scalars()["curriculum/stage"] == 2


def test_a_running_episode_is_observed_by_the_stage_that_proposed_it(make):
    sequence = make(Sequence, stages=[{"use": "rules", "episodes": 1}, {"use": "static"}])
    sequence.propose(Slot(0, 0, 0), EMPTY)
    sequence.propose(Slot(1, 1, 0), EMPTY)
    first, second = make_episodes(2, sequence.world.axes)
    before = sequence.parts[0].state_dict()
    sequence.observe(replace(second, env=1, success=True, length=3))
    assert sequence.parts[0].state_dict() == before
    sequence.observe(replace(first, env=0, success=True, length=3, clean=False))
    assert sequence.parts[0].state_dict() != before


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (Mix, {"parts": [{"use": "rules", "guard": "teacher"}]}, r"\[curriculum.parts.0\] guard: holds for all parts"),
        (
            Mix,
            {"parts": [{"use": "rules", "stepp": 1}]},
            r"\[curriculum.parts.0\] stepp: unknown key. Did you mean 'st",
        ),
        (
            Mix,
            {"parts": [{"use": "mix", "parts": [{"use": "rulez"}]}]},
            r"\[curriculum.parts.0.parts.0\] use: no curriculum named 'rulez'. Did you mean 'rules'",
        ),
        (Sequence, {"stages": [{"use": "rulez"}]}, r"\[curriculum.stages.0\] use: no curriculum named 'rulez'"),
    ],
)
def test_an_error_in_a_part_names_its_key(cls, options, message, make):
    with pytest.raises((RecipeError, UnknownComponent), match=message):
        make(cls, **options)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"use": "rules"}, {"use": "static"}], "stages: stage 0 needs an end. Give it either episodes = N or steps"),
        ([{"use": "rules", "episodes": 3}], "stages: the last stage has no end. Leave out its episodes and steps"),
    ],
)
def test_every_stage_but_the_last_has_an_end(stages, message):
    registry = build_plugin_manager().registry
    tables = {"backend": {"use": "point-mass"}, "learner": {"use": "random-search"}}
    with pytest.raises(RecipeError, match=message):
        parse_recipe(tables | {"curriculum": {"use": "sequence", "stages": stages}}, registry, "test.toml")

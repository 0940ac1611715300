import json
import pickle
from dataclasses import replace

import numpy as np
import pluggy
import pytest
import torch as th
import typer
from adversarl_sb3.adversary import Adversary
from adversarl_sb3.adversary_challenge import Challenge
from adversarl_sb3.adversary_command import add_adversary
from adversarl_sb3.adversary_measure import NO_REPORT, compare, student
from adversarl_sb3.adversary_menu import TOGETHER
from adversarl_sb3.adversary_scores import Outcomes, learnability, minimax, regret
from pydantic import ValidationError
from typer.testing import CliRunner

from adversarl import hooks
from adversarl.builtin.nothing import NoFailure
from adversarl.builtin.state import StateReward
from adversarl.errors import NoTeacher
from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.trials import Services, Trial
from adversarl.loop import STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.seeding import generator
from adversarl.testing import checks_for
from adversarl.testing.fakes import about, make_episodes, make_learner, make_trials, make_world
from adversarl.types import Grounding, Perturbation

OBJECTIVES = ("regret", "learnability", "minimax")
BRISK = {"n_steps": 4, "batch_size": 2, "n_epochs": 2}


def make(seed=0, world=None, **options):
    chosen = Adversary.Options.model_validate(BRISK | options)
    return Adversary(chosen, world or about(make_world()), np.random.default_rng(seed))


def episode_of(slot, success, perturbations=(), **changes):
    (plain,) = make_episodes(1, make_world().axes)
    known = {"index": slot.episode, "env": slot.env, "success": success, "clean": False}
    return replace(plain, **known | {"perturbations": tuple(perturbations)} | changes)


def play(adversary, outcomes, start=0):
    """One episode after the other in one environment."""
    proposals = []
    for index, success in enumerate(outcomes, start):
        slot = Slot(0, index, 20 * index)
        proposals += adversary.propose(slot, NO_REPORT)
        adversary.observe(episode_of(slot, success, [Perturbation("mass", 0.5, seed=index)]))
    return proposals


def loop_with(seed=0, **options):
    worlds = make_world(3, seed=seed)
    streams = {name: generator(seed, name) for name in STREAMS}
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    curriculum = Adversary(Adversary.Options.model_validate(BRISK | options), about(worlds), streams["curriculum"])
    reward = Detectors(StateReward(StateReward.Options()))
    failure = NoFailure(NoFailure.Options.model_validate({}), worlds.axes)
    loop = ClosedLoop(
        Parts(worlds, reward, failure, curriculum, make_trials(3, seed=seed)), manager.hook, seed=seed, streams=streams
    )
    loop.connect(make_learner(loop))
    return loop


def drive(loop, steps):
    """Random actions; returns the episodes that ended."""
    actions, seen = np.random.default_rng(steps), []
    observe = loop.parts.curriculum.observe
    loop.parts.curriculum.observe = lambda episode: (seen.append(episode), observe(episode))
    for _ in range(steps):
        loop.step(actions.uniform(-1, 1, (loop.num_envs, 2)).astype(np.float32))
    del loop.parts.curriculum.observe
    return seen


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check, objective):
    check(Adversary, Adversary.Options.model_validate(BRISK | {"objective": objective}))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_interrupted_closed_loop_goes_on_as_the_uninterrupted_one(objective):
    loop, resumed = loop_with(objective=objective), loop_with(seed=7, objective=objective)
    loop.reset(seed=3)
    resumed.reset(seed=4)
    drive(loop, 300)
    before = loop.scalars()
    saved = pickle.dumps(loop.snapshot())
    uninterrupted = drive(loop, 301)
    resumed.rewind(pickle.loads(saved))
    interrupted = drive(resumed, 301)
    assert interrupted == uninterrupted
    assert len(uninterrupted) > 10
    assert 0 < before["curriculum/adversary/updates"] < loop.scalars()["curriculum/adversary/updates"]
    assert resumed.scalars() == loop.scalars()
    assert resumed.parts.curriculum.state_dict() == loop.parts.curriculum.state_dict()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_global_generators_are_left_alone(objective):
    before = th.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    adversary = make(objective=objective)
    play(adversary, [True, False] * 10)
    assert adversary.scalars()["curriculum/adversary/updates"] >= 2
    assert th.equal(before[0], th.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_learnability_is_estimated_without_bias():
    rng = np.random.default_rng(0)
    for p in (0.1, 0.5, 0.8):
        for k in (2, 5):
            drawn = rng.binomial(k, p, size=20_000).tolist()
            estimates = [learnability(Outcomes(k, s, s)) for s in drawn]
            error = np.std(estimates) / np.sqrt(len(estimates))
            assert abs(np.mean(estimates) - p * (1 - p)) < 4 * error


def test_regret_pays_for_what_only_the_antagonist_solves():
    assert regret(Outcomes(4, successes=1, solvable=3)) == 0.5
    assert regret(Outcomes(4, successes=0, solvable=0)) == 0
    assert regret(Outcomes(4, successes=4, solvable=4)) == 0
    assert minimax(Outcomes(4, successes=1, solvable=3)) == 0.75


@pytest.fixture(scope="module")
def measured():
    return {objective: [compare(objective, seed, 256) for seed in range(6)] for objective in OBJECTIVES}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_adversary_gets_better_at_its_objective_than_random_proposals_are(objective, measured):
    gain = student([one["adversary"] - one["uniform"] for one in measured[objective]])
    assert gain["low"] > 0


def test_the_objectives_lead_to_different_conditions(measured):
    means = {o: {name: np.mean([one[name] for one in measured[o]]) for name in measured[o][0]} for o in OBJECTIVES}
    assert means["minimax"]["impossible"] > 0.5
    assert means["minimax"]["success"] < 0.2
    assert max(means["regret"]["impossible"], means["learnability"]["impossible"]) < 0.2
    assert means["regret"]["success"] < means["learnability"]["success"]
    assert means["learnability"]["uncertain"] > 2 * max(means["minimax"]["uncertain"], means["regret"]["uncertain"])


def test_a_policy_made_of_a_uniform_draw_alone_never_moves():
    adversary = make(uniform_share=1.0, objective="minimax", ent_coef=0.0)
    before = adversary.ppo.policy.conditional.clone()
    play(adversary, [True, False, False] * 20)
    assert th.equal(adversary.ppo.policy.conditional, before)


@pytest.mark.parametrize("success", [True, False])
def test_where_every_proposal_earns_the_same_none_comes_to_be_preferred(success):
    adversary = make(objective="learnability", n_steps=16, batch_size=16, n_epochs=10)
    play(adversary, [success] * 32)
    first = adversary.scalars()["curriculum/adversary/entropy"]
    play(adversary, [success] * 800, start=32)
    scalars = adversary.scalars()
    assert scalars["curriculum/adversary/objective"] == 0
    assert scalars["curriculum/adversary/entropy"] > first - 0.1


def test_probabilities_of_all_actions_sum_to_one_and_none_is_impossible():
    adversary = make(uniform_share=0.3, objective="minimax", learning_rate=0.1)
    play(adversary, [index % 3 == 0 for index in range(60)])
    names, targets, levels, onsets = adversary.menu.space.nvec.tolist()
    everything = [
        (name, target, level, onset)
        for name in range(names)
        for target in range(targets)
        for level in range(levels)
        for onset in range(onsets)
    ]
    seen = th.as_tensor(adversary.knowledge.vector(NO_REPORT, 60)).repeat(len(everything), 1)
    _, log_probs, _ = adversary.ppo.policy.evaluate_actions(seen, th.tensor(everything))
    probabilities = log_probs.exp().detach().numpy()
    allowed = adversary.menu.allowed
    possible = [
        allowed[name, target] and allowed[name, targets + levels + onset] for name, target, _, onset in everything
    ]
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert np.all(probabilities[possible] > 0.3 / len(everything) * 0.99)
    assert np.all(probabilities[~np.array(possible)] < 1e-12)
    assert probabilities.max() > 3 * 0.3 / sum(possible)


def test_a_proposal_is_repeated_and_drawn_anew_when_its_episodes_are_handed_out():
    adversary = make(proposal_repeats=3)
    texts = [adversary.propose(Slot(env, env, 0), NO_REPORT)[0] for env in range(6)]
    assert len({(p.text, p.onset) for p in texts[:3]}) == 1
    assert len({(p.text, p.onset) for p in texts[3:]}) == 1
    assert adversary.state_dict()["open"][0]["running"] == 3


def test_an_episode_that_was_dropped_is_handed_out_again():
    adversary = make(proposal_repeats=2)
    first = adversary.propose(Slot(0, 0, 0), NO_REPORT)
    again = adversary.propose(Slot(0, 1, 0), NO_REPORT)
    assert (first[0].text, first[0].onset) == (again[0].text, again[0].onset)
    assert [one["left"] for one in adversary.state_dict()["open"]] == [1]
    adversary.observe(episode_of(Slot(0, 2, 0), success=True, clean=True))
    assert [one["left"] for one in adversary.state_dict()["open"]] == [2]


@pytest.mark.parametrize(("objective", "reward"), [("regret", 0.0), ("learnability", 0.0), ("minimax", 1.0)])
def test_a_refused_proposal_is_a_failure_of_everyone_and_the_next_one_is_another(objective, reward):
    adversary = make(objective=objective, proposal_repeats=2)
    for attempt in range(BRISK["n_steps"]):
        adversary.propose(Slot(0, attempt, 0), NO_REPORT)
        adversary.refuse(Slot(0, attempt, 0))
        assert adversary.state_dict()["open"] == []
    assert adversary.scalars()["curriculum/adversary/objective"] == reward


def test_refusals_beside_running_episodes_wait_for_them():
    adversary = make(objective="learnability", proposal_repeats=3)
    for env in range(2):
        adversary.propose(Slot(env, env, 0), NO_REPORT)
    adversary.refuse(Slot(1, 1, 0))
    (waiting,) = adversary.state_dict()["open"]
    assert (waiting["left"], waiting["running"], waiting["episodes"]) == (0, 1, 1)
    adversary.observe(episode_of(Slot(0, 0, 0), success=True))
    assert adversary.state_dict()["open"] == []
    assert len(adversary.state_dict()["finished"]) == 1


def test_the_teacher_tries_what_failed_from_the_same_seed():
    asked = []
    trials = make_trials()
    asking = trials.play
    trials.play = lambda tried, player="policy": (asked.append((tuple(tried), player)), asking(tried, player))[1]
    adversary = make(objective="regret", proposal_repeats=1)
    adversary.connect(Services(trials))
    play(adversary, [True, False, False, True])
    ((tried, player),) = asked
    assert player == "teacher"
    (plain,) = make_episodes(1, make_world().axes)
    assert tried == tuple(Trial(plain.seed, (Perturbation("mass", 0.5, seed=seed),)) for seed in (1, 2))
    assert adversary.scalars()["curriculum/adversary/objective"] == 0.5


def test_without_a_teacher_every_failure_counts_and_the_user_is_told_once():
    class Untaught:
        def play(self, trials, player):
            raise NoTeacher("Nowhere")

    notices = []
    adversary = make(objective="regret", proposal_repeats=1)
    adversary.connect(Services(Untaught(), None, notices.append))
    play(adversary, [True, False, False, False] * 2)
    assert adversary.scalars()["curriculum/adversary/objective"] == 0.75
    (notice,) = notices
    resumed = make(objective="regret", proposal_repeats=1)
    resumed.connect(Services(Untaught(), None, notices.append))
    resumed.load_state_dict(adversary.state_dict())
    play(resumed, [False] * 8)
    assert notices == [notice]
    assert notice == (
        "regret counts every failure as avoidable, because the teacher cannot be asked: the world has no scripted "
        "teacher; set curriculum.antagonist to a run folder"
    )


@pytest.mark.parametrize("loaded", [True, False])
def test_the_antagonist_that_the_recipe_names_tries_what_failed(loaded):
    trials, notices = make_trials(), []
    trials.make_antagonist = make_learner
    if loaded:
        trials.load_antagonist()
    adversary = make(objective="regret", antagonist="somewhere")
    adversary.connect(Services(trials, None, notices.append))
    play(adversary, [False] * 8)
    assert adversary.scalars()["curriculum/adversary/updates"] == 1
    assert (trials.env_steps > 0) == loaded
    assert len(notices) == (not loaded)


def test_targets_are_named_so_that_the_world_understands_them():
    menu = make(axes=["object-color"]).menu
    rng = np.random.default_rng(0)
    dot = menu.choice((0, 1, 5, 0))
    assert str(dot) == "object-color of dot at 60 %"
    assert menu.proposal(dot, 0, "why", rng).text == "recolor the dot at 60 %"
    assert menu.proposal(menu.choice((0, 0, 5, 0)), 0, "why", rng).text == "recolor the goal at 60 %"


def test_a_target_without_words_is_perturbed_and_described():
    known = about(make_world())

    def deaf(text):
        return Grounding(text, not_understood=("dot",)) if "dot" in text else known.ground(text)

    adversary = make(world=replace(known, ground=deaf), axes=["object-color"])
    proposal = adversary.menu.proposal(adversary.menu.choice((0, 1, 2, 0)), 3, "why", adversary.rng)
    (perturbation,) = proposal.perturbations
    assert (perturbation.axis, perturbation.target, perturbation.intensity) == ("object-color", "dot", 0.3)
    assert proposal.text == "recolor the goal: object-color of dot at 30 %"
    assert proposal.onset == 3


def test_only_an_axis_that_can_change_mid_episode_is_given_an_onset():
    adversary = make(axes=["object-size"])
    assert {p.onset for p in play(adversary, [True] * 40)} == {0}
    adversary = make(axes=["mass"])
    assert {p.onset for p in play(adversary, [True] * 40)} > {0}


def test_all_axes_together_are_a_choice_where_there_are_several():
    assert make().menu.names[-1] == TOGETHER
    assert TOGETHER not in make(axes=["mass"]).menu.names
    menu = make(axes=["mass", "brightness"]).menu
    together = menu.choice((2, 0, 3, 0))
    text = menu.proposal(together, 0, "why", np.random.default_rng(0)).text
    assert text == "make the dot heavier at 40 % and dim the light at 40 %"


def test_the_reason_names_objective_conditions_and_expectation():
    adversary = make(objective="learnability", axes=["mass"], step=50, onsets=[0.0])
    untried = play(adversary, [True])[0].why
    assert untried.startswith("adversary (learnability): expects success of about 50 % (untried): mass at ")
    assert untried.endswith(("; a uniform draw", "; its policy's choice, 50 %"))
    later = play(adversary, [True] * 40, start=1)[-1].why
    assert "recent episodes near it): mass at " in later


def test_a_challenge_survives_json():
    failed = [Trial(3, (Perturbation("object-color", 0.5, "dot", (0.1, 0.2, 0.3), seed=4, onset=2, duration=5),))]
    challenge = Challenge([0.1, 0.2], (1, 0, 2, 0), 0.3, -1.5, uniform=True, left=0, episodes=2, failed=failed)
    assert Challenge.from_json(json.loads(json.dumps(challenge.to_json()))) == challenge


@pytest.mark.parametrize("flags", [["--json"], []])
def test_the_benchmark_prints_every_objective_with_its_gain(flags):
    app = typer.Typer()
    app.callback()(lambda: None)
    add_adversary(app)
    result = CliRunner().invoke(app, ["adversary", "--seeds", "4", "--proposals", "8", *flags])
    assert result.exit_code == 0, result.output
    if flags:
        report = json.loads(result.output)
        assert (report["seeds"], report["proposals"]) == (4, 8)
        assert all(len(found["gains"]) == found["gain"]["n"] == 4 for found in report["objectives"].values())
    assert all(objective in result.output for objective in OBJECTIVES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "learnability", "proposal_repeats": 1}, "Raise proposal_repeats to 2 or more"),
        ({"n_steps": 10, "batch_size": 4}, "batch_size must divide n_steps = 10"),
        ({"onsets": [0.5]}, "onsets must lie in"),
        ({"onsets": [0.0, 1.0]}, "onsets must lie in"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        Adversary.Options.model_validate(options)


def test_students_interval_is_the_textbooks():
    # Quantiles of Student's t for 4 and 9 degrees of freedom: 2.776 and 2.262.
    for n, quantile in ((5, 2.776), (10, 2.262)):
        values = np.arange(n).tolist()
        found = student(values)
        half = quantile * np.std(values, ddof=1) / np.sqrt(n)
        assert found["value"] == pytest.approx(np.mean(values))
        assert found["high"] - found["value"] == pytest.approx(half, rel=0.005)

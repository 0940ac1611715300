from __future__ import annotations

import pickle

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from adversarl.builtin.nothing import NoFailure
from adversarl.errors import NoCritic, PerturbationError
from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score
from adversarl.seeding import TRAINING_SEEDS
from adversarl.testing.fakes import make_learner
from adversarl.types import Perturbation, Proposal

DIM = Proposal("dim the light strongly", "it fails in the dark")


def same(a, b):
    """Whether two results of `step` or two observations are equal to the last bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


def brightness(observation):
    return observation["image"].mean(axis=(1, 2, 3))


# --- episodes ---------------------------------------------------------------------------------------------------


def test_the_loop_is_a_vector_environment_with_autoreset_in_the_same_step(make_bench):
    loop = make_bench().loop
    assert loop.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    observation, info = loop.reset(seed=0)
    assert observation in loop.observation_space
    assert info["success"].shape == (2,)


def test_the_same_seed_gives_the_same_episodes_and_another_does_not(make_bench):
    first, again, other = make_bench(DIM), make_bench(DIM, seed=5), make_bench(DIM)
    starts = [bench.loop.reset(seed=seed)[0] for bench, seed in ((first, 3), (again, 3), (other, 4))]
    assert same(starts[0], starts[1])
    assert not same(starts[0], starts[2])
    assert same(first.play(25), again.play(25))
    assert first.heard.episodes == again.heard.episodes
    assert [e.seed for e in first.heard.episodes] != [e.seed for e in other.heard.episodes]


def test_a_seed_per_environment_is_honoured(make_bench):
    a, b, c = (make_bench() for _ in range(3))
    starts = [bench.loop.reset(seed=seed)[0] for bench, seed in ((a, [1, 2]), (b, [1, 2]), (c, [1, 3]))]
    assert same(starts[0], starts[1])
    assert not same(starts[0], starts[2])


def test_reset_without_a_seed_goes_on_with_the_generators(make_bench):
    bench = make_bench()
    first, _ = bench.loop.reset(seed=0)
    second, _ = bench.loop.reset()
    assert not same(first, second)
    again, _ = bench.loop.reset(seed=0)
    assert same(first, again)


def test_a_new_loop_begins_as_its_root_seed_says(make_bench):
    a, b = make_bench(seed=7), make_bench(seed=0)
    assert same(a.loop.reset()[0], b.loop.reset(seed=7)[0])


def test_training_episodes_are_seeded_below_the_seeds_of_evaluation(make_bench):
    bench = make_bench()
    bench.loop.reset(seed=0)
    bench.play(60)
    assert all(0 <= e.seed < TRAINING_SEEDS for e in bench.heard.episodes)
    assert len({e.seed for e in bench.heard.episodes}) == len(bench.heard.episodes)


def test_a_time_limit_truncates_and_does_not_terminate(make_bench):
    bench = make_bench(max_episode_steps=3)
    bench.loop.reset(seed=0)
    results = [bench.loop.step(np.zeros((2, 2), dtype=np.float32)) for _ in range(3)]
    assert [r[3].tolist() for r in results] == [[False, False], [False, False], [True, True]]
    assert not any(r[2].any() for r in results)
    assert [(e.length, e.truncated, e.success) for e in bench.heard.episodes] == [(3, True, False)] * 2


def test_the_last_observation_of_an_episode_is_in_the_info_and_the_first_of_the_next_is_returned(make_bench):
    bench = make_bench(max_episode_steps=3)
    bench.loop.reset(seed=0)
    still = np.zeros((2, 2), dtype=np.float32)
    before = [bench.loop.step(still)[0] for _ in range(2)][-1]
    observation, _, _, _, info = bench.loop.step(still)
    # Nothing moves without a force, so the last picture of the episode is the one before; the next episode differs.
    assert same(info["final_obs"], before)
    assert not same(observation, before)
    assert info["_final_obs"].tolist() == [True, True]
    assert info["final_state"].shape == (2, 6)
    assert info["final_info"]["success"].tolist() == [False, False]


def test_only_the_environment_whose_episode_ended_begins_a_new_one(make_bench):
    bench = make_bench(max_episode_steps=30)
    bench.loop.reset(seed=0)
    done = np.zeros(2, dtype=bool)
    while not done.any():
        observation, _, terminated, truncated, info = bench.loop.step(
            np.vstack([bench.loop.teacher([0]), np.zeros((1, 2), dtype=np.float32)])
        )
        done = terminated | truncated
    assert done.tolist() == [True, False]
    assert terminated.tolist() == [True, False]
    assert info["success"].tolist() == [True, False]
    assert same(observation["image"][1], info["final_obs"]["image"][1])
    assert not same(observation["image"][0], info["final_obs"]["image"][0])


def test_an_episode_records_what_happened_in_it(make_bench):
    bench = make_bench(DIM, max_episode_steps=4)
    bench.loop.reset(seed=0)
    rewards = np.array([bench.loop.step(np.zeros((2, 2), dtype=np.float32))[1] for _ in range(4)])
    first, second = bench.heard.episodes
    assert (first.index, second.index, first.env, second.env) == (0, 1, 0, 1)
    assert first.env_steps == second.env_steps == 8
    assert first.total_reward == pytest.approx(rewards[:, 0].sum())
    assert first.prompts == ("dim the light strongly",)
    assert [(p.axis, p.intensity) for p in first.perturbations] == [("brightness", 1.0)]
    assert (first.clean, first.phase) == (False, "train")


def test_an_unfinished_episode_is_neither_counted_nor_shown(make_bench):
    bench = make_bench(max_episode_steps=10)
    bench.loop.reset(seed=0)
    bench.play(5)
    bench.loop.reset()
    bench.play(9)
    assert bench.heard.episodes == []
    assert bench.curriculum.seen == []


def test_a_detector_decides_about_reward_and_success(make_bench):
    class Generous(RewardDetector):
        def score(self, step):
            assert step.task == "move the red dot onto the green goal"
            assert step.frames.dtype == np.uint8
            return Score(np.ones(2), np.ones(2, dtype=bool))

    bench = make_bench(max_episode_steps=3, reward=Generous(RewardOptions()))
    bench.loop.reset(seed=0)
    results = bench.play(3)
    assert all(r[1].tolist() == [1.0, 1.0] for r in results)
    assert [(e.success, e.length, e.truncated) for e in bench.heard.episodes] == [(True, 1, False)] * 6
    assert bench.heard.episodes[0].total_reward == 1.0


def test_a_detector_is_told_which_episodes_begin_and_how(make_bench):
    begun = []

    class Told(RewardDetector):
        def begin(self, frames, starting, task=""):
            begun.append((frames.copy(), starting.tolist()))

        def score(self, step):
            return Score(step.reward, step.success)

    bench = make_bench(max_episode_steps=3, reward=Told(RewardOptions()))
    first, _ = bench.loop.reset(seed=0)
    assert np.array_equal(begun[0][0], first["image"])
    last = bench.play(3)[-1][0]
    assert [starting for _, starting in begun] == [[True, True], [True, True]]
    assert np.array_equal(begun[1][0], last["image"])


# --- the curriculum and the world -------------------------------------------------------------------------------


def test_a_prompt_changes_the_world_at_the_reset(make_bench):
    plain, dim = make_bench(), make_bench(DIM)
    nominal, _ = plain.loop.reset(seed=0)
    dimmed, _ = dim.loop.reset(seed=0)
    assert (brightness(dimmed) < 0.5 * brightness(nominal)).all()


def test_a_prompt_with_an_onset_changes_the_world_mid_episode_and_its_duration_ends_it(make_bench):
    """Sent for steps 3 and 4 of the episode, so the picture after the step that starts at 3 is the first dark one."""
    bench = make_bench(Proposal(DIM.text, DIM.why, onset=3, duration=2), max_episode_steps=10)
    start, _ = bench.loop.reset(seed=0)
    pictures = [brightness(bench.loop.step(np.zeros((2, 2), dtype=np.float32))[0]) for _ in range(8)]
    dark = [bool((picture < 0.5 * brightness(start)).all()) for picture in pictures]
    assert dark == [False, False, False, True, True, False, False, False]
    assert same(pictures[-1], brightness(start))


def test_each_environment_has_its_own_time_line(make_bench):
    """The second environment's episode begins later, and so does its change."""
    bench = make_bench(Proposal(DIM.text, DIM.why, onset=2), max_episode_steps=30)
    bench.loop.reset(seed=0)
    done = np.zeros(2, dtype=bool)
    while not done[0]:
        actions = np.vstack([bench.loop.teacher([0]), np.zeros((1, 2), dtype=np.float32)])
        _, _, terminated, truncated, _ = bench.loop.step(actions)
        done = terminated | truncated
    active = []
    for _ in range(3):
        bench.loop.step(np.zeros((2, 2), dtype=np.float32))
        active.append([len(a) for a in bench.loop.world.active([0, 1])])
    assert active == [[0, 1], [0, 1], [1, 1]]


def test_an_axis_that_acts_at_a_reset_does_not_wait_for_its_onset(make_bench):
    bench = make_bench(Proposal("shrink the goal strongly", "", onset=5), max_episode_steps=3)
    bench.loop.reset(seed=0)
    assert [p.axis for p in bench.loop.world.active([0])[0]] == ["object-size"]
    bench.play(3)
    assert bench.heard.episodes[0].perturbations[0].onset == 0
    assert bench.heard.in_force[0][:2] == (0, 0)


def test_a_prompt_that_comes_too_late_is_logged_as_never_in_force(make_bench):
    bench = make_bench(Proposal(DIM.text, DIM.why, onset=9), max_episode_steps=3)
    bench.loop.reset(seed=0)
    bench.play(3)
    assert [step for _, step, _ in bench.heard.in_force] == [None, None]
    assert bench.heard.episodes[0].perturbations == ()
    assert bench.heard.episodes[0].prompts == ()


def test_what_was_not_understood_is_logged_and_the_rest_is_done(make_bench):
    bench = make_bench(Proposal("dim the light and summon a gremlin", "to see"))
    bench.loop.reset(seed=0)
    _, step, entry = bench.heard.in_force[0]
    assert step == 0
    assert entry.not_understood == ("summon", "a", "gremlin")
    assert [p.axis for p in entry.perturbations] == ["brightness"]
    assert bench.heard.proposals[0].why == "to see"


def test_a_prompt_to_go_back_to_normal_clears_what_stood(make_bench):
    bench = make_bench(DIM, Proposal("back to normal", "rest", onset=2))
    bench.loop.reset(seed=0)
    bench.play(2)
    assert len(bench.loop.world.active([0])[0]) == 1
    bench.play(1)
    assert bench.loop.world.active([0]) == [()]


def test_what_a_prompt_leaves_open_is_drawn_anew_for_every_episode(make_bench):
    bench = make_bench(Proposal("recolor the background", ""), max_episode_steps=3)
    bench.loop.reset(seed=0)
    bench.play(6)
    seeds = [e.perturbations[0].seed for e in bench.heard.episodes]
    assert len(set(seeds)) == len(seeds) == 4


def test_a_proposal_may_bring_its_perturbations_without_language(make_bench):
    red = Perturbation("background-color", 1.0, value=(1.0, 0.0, 0.0), seed=9)
    bench = make_bench(Proposal("a red floor", "", perturbations=(red,), onset=1, duration=2))
    bench.loop.reset(seed=0)
    bench.play(2)
    (active,) = bench.loop.world.active([0])
    assert [(p.axis, p.value, p.seed, p.onset, p.duration) for p in active] == [
        ("background-color", (1.0, 0.0, 0.0), 9, 1, 2)
    ]


def test_a_perturbation_the_world_does_not_have_is_an_error(make_bench):
    bench = make_bench(Proposal("fog", "", perturbations=(Perturbation("brightnes", 0.5),)))
    with pytest.raises(PerturbationError) as caught:
        bench.loop.reset(seed=0)
    assert str(caught.value) == "the world has no axis 'brightnes'. Did you mean 'brightness'?"


def test_the_world_is_nominal_again_when_a_curriculum_falls_silent(make_bench):
    bench = make_bench(DIM, max_episode_steps=3)
    bench.loop.reset(seed=0)
    bench.curriculum.proposals = ()
    bench.play(3)
    assert bench.loop.world.active([0, 1]) == [(), ()]


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (1.0, 200, 200), (0.25, 30, 70)])
def test_the_clean_share_is_left_nominal(make_bench, share, low, high):
    bench = make_bench(DIM, clean_share=share, max_episode_steps=2)
    bench.loop.reset(seed=0)
    bench.play(200)
    episodes = bench.heard.episodes[:200]
    clean = [e for e in episodes if e.clean]
    assert low <= len(clean) <= high
    assert all(not e.perturbations and not e.prompts for e in clean)
    assert all(e.perturbations for e in episodes if not e.clean)


def test_the_warm_start_is_nominal_and_the_classifier_does_not_see_it(make_bench):
    bench = make_bench(DIM, max_episode_steps=3)
    bench.loop.phase = "warm_start"
    bench.loop.reset(seed=0)
    bench.play(3)
    assert [(e.phase, e.perturbations) for e in bench.heard.episodes] == [("warm_start", ())] * 2
    assert bench.curriculum.seen == []
    assert bench.loop.parts.failure.report().episodes == 0


def test_a_report_is_made_every_so_many_episodes_and_given_to_the_curriculum(make_bench):
    bench = make_bench(max_episode_steps=2, report_every=3)
    bench.loop.reset(seed=0)
    bench.play(8)
    assert [r.episodes for r in bench.heard.reports] == [3, 6]
    assert bench.loop.report == bench.heard.reports[-1]
    assert [s.episode for s in bench.curriculum.slots] == list(range(10))
    assert bench.curriculum.seen == bench.heard.episodes


# --- snapshots --------------------------------------------------------------------------------------------------


def test_a_snapshot_decides_the_future(make_bench):
    """Through pickle, into another loop, and in the middle of a change."""
    proposals = Proposal(DIM.text, DIM.why, onset=3, duration=4), Proposal("shake the controls", "", onset=1)
    bench, other = make_bench(*proposals, clean_share=0.3), make_bench(*proposals, clean_share=0.3, seed=8)
    bench.loop.reset(seed=0)
    bench.play(15)
    before = len(bench.heard.episodes)
    snapshot = pickle.loads(pickle.dumps(bench.loop.snapshot()))
    future = bench.play(40, seed=1)
    other.loop.rewind(snapshot)
    assert same(other.play(40, seed=1), future)
    assert other.heard.episodes == bench.heard.episodes[before:]


def test_a_snapshot_can_be_gone_back_to_more_than_once_without_pickling(make_bench):
    bench = make_bench(Proposal(DIM.text, DIM.why, onset=3))
    bench.loop.reset(seed=0)
    bench.play(2)
    snapshot = bench.loop.snapshot()
    futures = []
    for _ in range(3):
        bench.loop.rewind(snapshot)
        bench.heard.in_force.clear()
        futures.append((bench.play(20), [(episode, step) for episode, step, _ in bench.heard.in_force]))
    assert same(futures[0][0], futures[1][0])
    assert same(futures[0][0], futures[2][0])
    assert futures[0][1] == futures[1][1] == futures[2][1]
    assert futures[0][1][:2] == [(0, 3), (1, 3)]


def test_a_component_that_hands_out_its_own_lists_spoils_no_snapshot(make_bench):
    bench = make_bench(max_episode_steps=4)
    curriculum = bench.curriculum
    curriculum.state_dict = lambda: {"seen": curriculum.seen}
    curriculum.load_state_dict = lambda state: setattr(curriculum, "seen", state["seen"])
    bench.loop.reset(seed=0)
    bench.play(5)
    snapshot = bench.loop.snapshot()
    for _ in range(2):
        bench.play(8)
        assert len(curriculum.seen) > 2
        bench.loop.rewind(snapshot)
        assert len(curriculum.seen) == 2


def test_rewinding_returns_the_observation_of_then(make_bench):
    bench = make_bench(DIM)
    bench.loop.reset(seed=0)
    observation = bench.play(4)[-1][0]
    snapshot = bench.loop.snapshot()
    bench.play(4)
    assert same(bench.loop.rewind(snapshot), observation)


# --- what components are given ------------------------------------------------------------------------------------


class Watcher(NoFailure):
    """Keeps the traces it is shown."""

    traces = True

    def watch(self, episode, trace):
        self.__dict__.setdefault("watched", []).append((episode.index, trace))


def watched(bench):
    failure = bench.loop.parts.failure
    failure.__class__ = Watcher
    bench.loop.connect(None)
    return failure.__dict__.setdefault("watched", [])


def test_a_component_that_wants_traces_watches_every_finished_episode(make_bench):
    bench = make_bench(DIM, max_episode_steps=4)
    traces = watched(bench)
    bench.loop.reset(seed=0)
    results = bench.play(8)
    assert [index for index, _ in traces] == [0, 1, 2, 3]
    _, trace = traces[1]
    assert trace.rewards.tolist() == [r[1][1] for r in results[:4]]
    assert same(trace.frame, results[3][4]["final_obs"]["image"][1])
    assert same(trace.proprio[-1], results[3][4]["final_obs"]["proprio"][1])
    assert same(trace.state[-1], results[3][4]["final_state"][1])
    assert len(trace.proprio) == len(trace.state) == 4


def test_traces_go_on_after_a_resume(make_bench):
    bench, other = make_bench(max_episode_steps=4), make_bench(max_episode_steps=4, seed=3)
    first, second = watched(bench), watched(other)
    bench.loop.reset(seed=0)
    bench.play(3)
    saved = pickle.loads(pickle.dumps(bench.loop.snapshot()))
    bench.play(6, seed=1)
    other.loop.rewind(saved)
    other.play(6, seed=1)
    assert len(first) == len(second) == 4
    for (_, one), (_, two) in zip(first, second, strict=True):
        assert same(one.rewards, two.rewards)
        assert same(one.state, two.state)


def test_values_are_those_of_the_learner_where_a_curriculum_wants_them(make_bench):
    class Critic:
        def values(self, observation, state):
            return state[:, 0].astype(float)

    bench = make_bench(max_episode_steps=4)
    bench.curriculum.traces = bench.curriculum.values = True
    traces = []
    bench.curriculum.watch = lambda episode, trace: traces.append(trace)
    bench.loop.connect(Critic())
    bench.loop.reset(seed=0)
    start = bench.loop.state()[:, 0]
    bench.play(4)
    assert [t.values[0] for t in traces] == start.tolist()
    np.testing.assert_array_equal(traces[0].values[1:], traces[0].state[:-1, 0])


def test_a_curriculum_that_wants_values_of_a_learner_without_a_critic_is_an_error_before_anything_begins(make_bench):
    bench = make_bench()
    bench.curriculum.values = True
    with pytest.raises(NoCritic, match="RandomSearch estimates no values"):
        bench.loop.connect(make_learner(bench.loop))


def test_the_warm_start_pays_for_no_trace_and_no_value(make_bench):
    class Critic:
        asked = 0

        def values(self, observation, state):
            self.asked += 1
            return np.zeros(len(state))

    bench, critic, traces = make_bench(max_episode_steps=4), Critic(), []
    bench.curriculum.traces = bench.curriculum.values = True
    bench.curriculum.watch = lambda episode, trace: traces.append(trace)
    bench.loop.connect(critic)
    bench.loop.phase = "warm_start"
    bench.loop.reset(seed=0)
    bench.play(6)
    assert (critic.asked, traces, bench.loop.snapshot()["recorder"]) == (0, [], [[], []])
    bench.loop.phase = "train"
    bench.loop.reset()
    bench.play(4)
    assert critic.asked == 4
    assert [len(trace.rewards) for trace in traces] == [4, 4]


def test_a_notice_of_a_component_reaches_the_listeners_with_its_kind(make_bench):
    bench, told = make_bench(), []
    bench.curriculum.connect = lambda services: told.append(services)
    bench.loop.connect(None)
    told[0].notice("the service is away")
    assert bench.heard.notices == [("curriculum", "the service is away")]
    assert told[0].folder is None


def test_a_world_is_told_how_to_tell_the_user_something_and_where_the_run_lies(make_bench, tmp_path):
    bench, told = make_bench(), []
    bench.loop.world.connect = lambda notice, folder: told.append((notice, folder))
    bench.loop.connect(None, tmp_path)
    notice, folder = told[0]
    notice("the stream was renewed")
    assert bench.heard.notices == [("backend", "the stream was renewed")]
    assert folder == tmp_path


def test_what_a_world_measures_of_itself_is_among_the_scalars(make_bench):
    bench = make_bench()
    bench.loop.world.scalars = lambda: {"odyssey/cost_usd": 1.5}
    assert bench.loop.scalars()["odyssey/cost_usd"] == 1.5


def test_closing_the_loop_closes_what_its_components_hold(make_bench):
    bench, closed = make_bench(), []
    for part in (bench.loop.parts.failure, bench.loop.parts.curriculum):
        part.close = lambda: closed.append(True)
    bench.loop.close()
    assert closed == [True, True]

"""Every check of the other seven kinds fails where its promise is broken, and passes where it is kept."""

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

import adversarl.testing as kit
from adversarl import hookimpl
from adversarl.builtin.nothing import NoCurriculum, NoFailure
from adversarl.builtin.random_search import RandomSearch
from adversarl.builtin.robustness import Robustness
from adversarl.builtin.state import StateReward
from adversarl.detection import FrameOptions, Judgement
from adversarl.errors import UnknownComponent
from adversarl.interfaces.curriculum import CurriculumStrategy
from adversarl.interfaces.exporter import Exporter
from adversarl.interfaces.reward import RewardDetector, Score
from adversarl.interfaces.tracker import Tracker
from adversarl.metrics import wilson
from adversarl.testing import ConformanceError, checks_for
from adversarl.testing.fakes import SeesTheGoal
from adversarl.types import Cell, FailureMode, FailureReport, Perturbation, Proposal


class AverageReward(RewardDetector):
    def score(self, step):
        return Score(step.reward.mean(), step.success)


class ScalesInPlace(RewardDetector):
    def score(self, step):
        step.reward[:] *= 2
        return Score(step.reward, step.success)


class ForgetsTheLastReward(RewardDetector):
    last = 0.0

    def score(self, step):
        change, self.last = step.reward - self.last, step.reward
        return Score(change, step.success)


class NeedsABeginning(RewardDetector):
    def begin(self, frames, starting, task=""):
        self.first = frames

    def score(self, step):
        return Score(np.abs(step.frames - self.first).mean(axis=(1, 2, 3)), step.success)


class JudgesEveryEpisode(RewardDetector):
    def score(self, step):
        return Score(step.reward, step.success)

    def verdict(self, step, ended):
        return step.success


class CountsSuccessPerFailure(RewardDetector):
    failures = np.float64(0.0)

    def score(self, step):
        return Score(step.reward, step.success)

    def scalars(self):
        with np.errstate(invalid="ignore"):
            return {"ratio": float(self.failures / self.failures)}


class ClosesItsConnection(RewardDetector):
    def score(self, step):
        return Score(step.reward, step.success)

    def close(self):
        self.connection.close()


class ForgetsWhatIsOnItsWay(SeesTheGoal):
    def state_dict(self):
        return {**super().state_dict(), "looks": []}


class SaysPercent(SeesTheGoal):
    def judge(self, frames, task):
        found = super().judge(frames, task)
        return Judgement(100 * found.probability, found.progress)


class ComparesWithTheBatch(SeesTheGoal):
    def judge(self, frames, task):
        found = super().judge(frames, task)
        return Judgement(found.probability / np.nanmax(found.probability), found.progress)


class DeafToTheEnd(SeesTheGoal):
    def score(self, step):
        return super().score(replace(step, ending=None))


class RemembersTheLastEpisode(SeesTheGoal):
    def begin(self, frames, starting, task=""):
        super().begin(frames, starting & (self._age[: len(starting)].sum() == 0), task)


class CountsFromOne(NoFailure):
    def __init__(self, options, axes):
        super().__init__(options, axes)
        self._episodes = 1


class CountsTwice(NoFailure):
    def observe(self, episode):
        super().observe(episode)
        self._episodes += 1


class Blames(NoFailure):
    axis = "zworble"

    def report(self):
        report = super().report()
        mode = FailureMode(self.axis, None, (0.0, 1.0), wilson(1, 2), 0.5, "because I say so")
        modes = (mode,) if report.episodes else ()
        return FailureReport(report.episodes, report.success, report.nominal, modes)


class BlamesSuccess(Blames):
    axis = "mass"


class ForgetsItsWindow(NoFailure):
    def load_state_dict(self, state):
        super().load_state_dict(state)
        self._recent = deque(maxlen=self.options.window)


class NeedsAReport(CurriculumStrategy):
    def propose(self, slot, report):
        return f"{report.success.successes} of {report.success.n}"


class SaysNothing(CurriculumStrategy):
    def propose(self, slot, report):
        return (Proposal(f"{self.world.axes[0].phrase} at 40 %", ""),)


class SpeaksGibberish(CurriculumStrategy):
    def propose(self, slot, report):
        return (Proposal("frobnicate the zworble", "why not"),)


class HasItsOwnDice(CurriculumStrategy):
    dice = np.random.default_rng(0)

    def propose(self, slot, report):
        return (Proposal(f"{self.world.axes[0].phrase} at {self.dice.integers(100)} %", "chance"),)


class ForgetsItsPlace(CurriculumStrategy):
    asked = 0

    def propose(self, slot, report):
        self.asked += 1
        return (Proposal(f"{self.world.axes[0].phrase} at {self.asked % 97} %", "one after the other"),)


class ProposesOnce(CurriculumStrategy):
    def propose(self, slot, report):
        asked = self.__dict__.setdefault("asked", set())
        if slot in asked:
            return None
        asked.add(slot)
        return ()


class ClosesWhatItNeverOpened(CurriculumStrategy):
    def propose(self, slot, report):
        return ()

    def close(self):
        self.thread.join()


class ClosesItsThread(NoFailure):
    def close(self):
        self.thread.join()


class ActsInDoubles(RandomSearch):
    def act(self, observation, *, deterministic=True):
        return super().act(observation, deterministic=deterministic).astype(np.float64)


class LearnsFromWatching(RandomSearch):
    def act(self, observation, *, deterministic=True):
        self.rng.random()
        return super().act(observation, deterministic=deterministic)


class Unstoppable(RandomSearch):
    def learn(self, total_steps, on_progress):
        super().learn(self.env_steps + 3000, lambda scalars: on_progress(scalars) or True)


class CountsOneEnvironment(RandomSearch):
    def _step(self):
        super()._step()
        self.env_steps -= self.env.num_envs - 1


class LoadsNothing(RandomSearch):
    def load(self, folder):
        pass


class LoadsNoGenerator(RandomSearch):
    def load(self, folder):
        self.rng, kept = np.random.default_rng(5), self.rng
        super().load(folder)
        self.rng = kept


class Ragged(Robustness):
    def cells(self, axes, seed):
        return [Cell(c.axis, c.intensity, c.seeds[1:], c.perturbations) for c in super().cells(axes, seed)]


class SmallSeeds(Robustness):
    def cells(self, axes, seed):
        return [
            Cell(c.axis, c.intensity, tuple(s % 1000 for s in c.seeds), c.perturbations)
            for c in super().cells(axes, seed)
        ]


class NewEveryTime(Robustness):
    made = 0

    def cells(self, axes, seed):
        NewEveryTime.made += 1
        return super().cells(axes, self.made)


class VariesWhatIsNot(Robustness):
    def cells(self, axes, seed):
        impossible = (Perturbation("zworble", 0.5),)
        return [Cell(c.axis, c.intensity, c.seeds, (impossible,) * len(c.seeds)) for c in super().cells(axes, seed)]


class WritesScalars(Tracker):
    @hookimpl
    def adversarl_scalars(self, step, scalars):
        with (self.folder / "scalars.txt").open("a") as file:
            file.write(f"{step} {dict(scalars)}\n")


class MisspeltHook(Tracker):
    @hookimpl
    def adversarl_scalar(self, step, scalars):
        pass


class OverwritesTheRecipe(Tracker):
    @hookimpl
    def adversarl_run_started(self, folder, recipe):
        (folder / "recipe.toml").write_text("mine")


class WantsANewFile(Tracker):
    @hookimpl
    def adversarl_run_started(self, folder):
        (folder / "mine.txt").open("x").close()


class WeightsExporter(Exporter):
    def export(self, learner, path):
        np.save(written := path.with_suffix(".npy"), learner._policy)
        return written


class WritesNothing(Exporter):
    def export(self, learner, path):
        return path


class NeverOverwrites(Exporter):
    def export(self, learner, path):
        path.open("x").close()
        return path


class RoundsThePolicy(Exporter):
    def export(self, learner, path):
        learner._policy = learner._policy.round(1)
        path.write_text(str(learner._policy))
        return path


RIGHT = {
    "reward": StateReward,
    "failure": NoFailure,
    "curriculum": NoCurriculum,
    "learner": RandomSearch,
    "suite": Robustness,
    "tracker": WritesScalars,
    "exporter": WeightsExporter,
}
WRONG = {
    "scores_have_one_row_per_environment": AverageReward,
    "scoring_leaves_the_step_alone": ScalesInPlace,
    "a_resumed_detector_scores_alike": ForgetsTheLastReward,
    "a_detector_scores_with_and_without_begin": NeedsABeginning,
    "a_verdict_is_about_the_episodes_that_end": JudgesEveryEpisode,
    "what_it_says_of_itself_can_be_written_down": CountsSuccessPerFailure,
    "a_detector_can_be_closed_at_any_time": ClosesItsConnection,
    "a_picture_on_its_way_survives_a_resume": ForgetsWhatIsOnItsWay,
    "judgements_have_one_row_per_picture": SaysPercent,
    "each_picture_is_judged_by_itself": ComparesWithTheBatch,
    "the_last_picture_counts": DeafToTheEnd,
    "an_episode_begins_afresh": RemembersTheLastEpisode,
    "a_report_needs_no_episodes": CountsFromOne,
    "reports_count_episodes": CountsTwice,
    "modes_name_axes_of_the_world": Blames,
    "success_is_not_blamed": BlamesSuccess,
    "a_resumed_classifier_reports_alike": ForgetsItsWindow,
    "a_world_without_a_report_is_enough": NeedsAReport,
    "proposals_say_what_and_why": SaysNothing,
    "the_world_understands_every_proposal": SpeaksGibberish,
    "all_randomness_comes_from_the_generator": HasItsOwnDice,
    "a_resumed_curriculum_proposes_alike": ForgetsItsPlace,
    "a_refused_proposal_is_followed_by_another": ProposesOnce,
    "a_curriculum_can_be_closed_at_any_time": ClosesWhatItNeverOpened,
    "a_classifier_can_be_closed_at_any_time": ClosesItsThread,
    "actions_are_valid": ActsInDoubles,
    "acting_changes_nothing": LearnsFromWatching,
    "learning_stops_when_told": Unstoppable,
    "env_steps_count_the_loops_steps": CountsOneEnvironment,
    "a_loaded_policy_acts_alike": LoadsNothing,
    "a_resumed_learner_learns_alike": LoadsNoGenerator,
    "there_are_cells_to_play": Ragged,
    "episodes_were_never_trained_on": SmallSeeds,
    "the_seed_fixes_the_grid": NewEveryTime,
    "the_world_can_carry_it_out": VariesWhatIsNot,
    "every_hook_it_implements_exists": MisspeltHook,
    "a_whole_run_is_tracked": OverwritesTheRecipe,
    "a_resumed_run_is_tracked": WantsANewFile,
    "the_file_it_returns_is_written": WritesNothing,
    "exporting_twice_overwrites": NeverOverwrites,
    "the_learner_stays_as_it_was": RoundsThePolicy,
}
CHECKS = [pytest.param(kind, check, id=f"{kind}-{check.__name__}") for kind in RIGHT for check in checks_for(kind)]


def options_of(cls):
    """Small numbers, so that learning reaches its first update soon."""
    return cls.Options(directions=4) if issubclass(cls, RandomSearch) else cls.Options()


@pytest.mark.parametrize(("kind", "check"), CHECKS)
def test_each_check_passes_on_a_right_component(kind, check):
    check(RIGHT[kind], options_of(RIGHT[kind]))


@pytest.mark.parametrize(("kind", "check"), CHECKS)
def test_each_check_fails_on_a_component_that_breaks_its_promise(kind, check):
    wrong = WRONG[check.__name__]
    with pytest.raises(ConformanceError) as caught:
        check(wrong, options_of(wrong))
    assert caught.value.check == check.__name__
    assert caught.value.mend


@pytest.mark.parametrize("check", checks_for("reward"), ids=lambda check: check.__name__)
@pytest.mark.parametrize("options", [{}, {"delay": 3, "every": 2, "hold": 3, "release": 0.2, "confidence": 0.7}])
def test_each_check_passes_on_a_detector_that_looks_at_pictures(check, options):
    check(SeesTheGoal, FrameOptions(**options))


@pytest.mark.parametrize("kind", RIGHT)
def test_check_kind_runs_all_checks_of_that_kind(kind):
    getattr(kit, f"check_{kind}")(RIGHT[kind], options_of(RIGHT[kind]))


def test_an_unknown_kind_names_the_nearest_one():
    with pytest.raises(UnknownComponent, match=r"no kind named 'curiculum'.* Did you mean 'curriculum'"):
        checks_for("curiculum")


def test_an_exporter_may_refuse_a_learner_with_an_explanation():
    class Picky(Exporter):
        def export(self, learner, path):
            raise UnknownComponent("exporter for", type(learner).__name__, ["ppo"])

    kit.check_exporter(Picky)

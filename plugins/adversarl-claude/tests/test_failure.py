from dataclasses import replace

import messages_server as api
import numpy as np
import pytest
from adversarl_claude.failure import ClaudeFailure

from adversarl.interfaces.trials import Services, Trace
from adversarl.testing.fakes import make_episodes, make_trials, make_world
from adversarl.types import Perturbation

AXES = make_world().axes


def look(picture, kind="dropped", confidence=0.9, axes=()):
    return {"picture": picture, "kind": kind, "confidence": confidence, "shows": "it lies beside", "axes": list(axes)}


def looks(*several):
    return api.answer(api.call("describe_failures", {"looks": list(several)}))


class Watching:
    """A classifier on its own, with a server to talk to."""

    def __init__(self, folder, server, **options):
        quick = {"timeout_s": 5.0, "deadline_s": 10.0, "max_retries": 0, "apply_after": 1, "frames_per_report": 2}
        table = {"base_url": server.url, **quick, **options}
        self.server, self.notices = server, []
        self.claude = ClaudeFailure(ClaudeFailure.Options.model_validate(table), AXES)
        self.claude.connect(Services(make_trials(), folder, self.notices.append))

    def see(self, *, success=False, shade=0, axis=None, times=1, late=False):
        for _ in range(times):
            (episode,) = make_episodes(1, AXES, start=2 * self.claude.episodes)
            met = (Perturbation(axis, 0.5),) if axis else ()
            episode = replace(episode, success=success, truncated=not success, perturbations=met)
            episode = replace(episode, clean=not met and not late)
            nothing = np.zeros((1, 1), dtype=np.float32)
            frame = np.full((32, 32, 3), shade, dtype=np.uint8)
            self.claude.watch(episode, Trace(frame, nothing, nothing, np.zeros(1)))
            self.claude.observe(episode)


@pytest.fixture
def watch(tmp_path, serve):
    several = []

    def start(*script, **options):
        several.append(Watching(tmp_path, serve(*script), **options))
        return several[-1]

    yield start
    for one in several:
        one.claude.close()


def test_looks_become_kinds_with_shares_and_an_example(watch):
    see = watch(looks(look(1), look(2, "missed")), looks(look(1), look(2, confidence=0.3)))
    for shade in range(6):
        see.see(shade=shade)
        if shade % 2:
            see.claude.report()
    kinds = see.claude.report().kinds
    assert [(kind.name, kind.share.successes, kind.share.n) for kind in kinds] == [
        ("dropped", 2, 4),
        ("missed", 1, 4),
        ("unclear", 1, 4),
    ]
    expected = "50 % [15, 85] (n=4) of the failures that Claude looked at are of the kind 'dropped': it lies beside"
    assert kinds[0].sentence == expected


def test_a_question_shows_the_newest_failures_with_what_was_in_force(watch):
    see = watch(looks(look(1), look(2)))
    see.see(shade=1)
    see.see(shade=2, axis="brightness")
    see.see(shade=3)
    see.see(shade=4, success=True)
    see.claude.report()
    see.see(success=True)
    (request,) = see.server.requests
    said, first, captioned, second, _ = request["messages"][0]["content"]
    assert [block["type"] for block in (said, first, captioned, second)] == ["text", "image", "text", "image"]
    assert said["text"].startswith("1. Last picture of failed episode 2 (brightness at 50%; the time was up after 20")
    assert "2. Last picture of failed episode 4 (nothing changed" in captioned["text"]
    assert "move the red dot onto the green goal" in request["system"][0]["text"]
    schema = request["tools"][0]["input_schema"]["$defs"]["Look"]["properties"]
    assert "occluded" in schema["kind"]["enum"]
    assert schema["axes"]["items"]["enum"] == [axis.name for axis in AXES]


def test_an_equal_picture_is_asked_about_once(watch):
    see = watch(looks(look(1)))
    see.see(shade=7)
    see.claude.report()
    see.see(shade=7, times=4)
    report = see.claude.report()
    see.see(shade=7)
    assert len(see.server.requests) == 1
    assert report.kinds[0].share.n == 5


def test_an_axis_is_blamed_only_if_looks_and_counts_agree(watch):
    blame = looks(look(1, axes=["brightness", "mass", "no-such-axis"]), look(2, axes=["brightness", "mass"]))
    see = watch(blame)
    see.see(shade=1, axis="brightness")
    see.see(shade=2, axis="brightness")
    see.see(shade=2, axis="brightness", times=18)
    see.see(success=True, axis="mass", times=20)
    see.see(success=True, times=20)
    see.claude.report()
    see.see(success=True)
    report = see.claude.report()
    (mode,) = report.modes
    assert mode.axis == "brightness"
    assert mode.effect == 1.0
    assert mode.intensity == (0.5, 0.5)
    assert "looks responsible in 20 of 20 failures; success with it is 0 % [0, 16] (n=20)" in mode.sentence


def test_episodes_that_ended_before_they_were_to_change_are_neither_nominal_nor_compared(watch):
    see = watch(looks(look(1, axes=["brightness"]), look(2, axes=["brightness"])))
    see.see(shade=1, axis="brightness")
    see.see(shade=2, axis="brightness", times=19)
    see.see(success=True, times=30, late=True)
    see.see(shade=3, times=10)
    see.claude.report()
    see.see(success=True, late=True)
    report = see.claude.report()
    assert report.modes == ()
    assert (report.nominal.successes, report.nominal.n) == (0, 10)


@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        (api.OVERLOADED, "overloaded"),
        (api.words, "'describe_failures' was not called"),
        (looks(look(3)), "picture 3 of 1 is called 'dropped'"),
        (looks(look(1, kind="exploded")), "is called 'exploded'"),
        (looks({"picture": 1}), "looks.0.kind: Field required"),
    ],
)
def test_without_a_usable_answer_reports_go_on_with_rates_alone(watch, behavior, words):
    see = watch(behavior)
    see.see()
    see.claude.report()
    see.see(success=True, times=9)
    report = see.claude.report()
    assert (report.kinds, report.modes) == ((), ())
    assert (report.success.successes, report.success.n) == (9, 10)
    (notice,) = see.notices
    assert words in notice
    assert "Reports go on with success rates alone" in notice

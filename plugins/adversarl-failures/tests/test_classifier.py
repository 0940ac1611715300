"""The failure classifier `classifier`: with a model, with the simulator's labels, with neither."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from adversarl_failures.classifier import Classifier
from adversarl_failures.kinds_errors import KindModelError
from adversarl_failures.kinds_evidence import MOMENTS, Evidence, Examples, evidence_of
from adversarl_failures.kinds_model import KindModel, fit, load
from adversarl_failures.kinds_words import UNSURE, kinds_of

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import MissingExtra
from adversarl.interfaces.trials import Services, Trace
from adversarl.loop import ClosedLoop
from adversarl.metrics import wilson
from adversarl.parts import Parts
from adversarl.testing import checks_for
from adversarl.testing.fakes import make_episodes, make_loop, make_trials, make_world
from adversarl.trials import SideTrials

KINDS = ("dropped", "missed")
SIZE = 16


class Labelled(PointMassWorld):
    """A point mass that says in which half of the arena an episode ended."""

    failure_kinds = KINDS

    def failure_kind(self, trace):
        return KINDS[int(trace.state[-1, 0] > 0)]


def labelled_trials():
    return SideTrials(lambda n: Labelled(n, seed=0, image_size=SIZE, max_episode_steps=5), 2)


def trace(x, rng=None, size=SIZE, steps=12):
    """An episode that ended at x, seen as a bright half of the picture."""
    rng = rng or np.random.default_rng(0)
    frame = rng.integers(0, 60, (size, size, 3), dtype=np.uint8)
    frame[:, (size // 2 if x > 0 else 0) :][:, : size // 2] += 150
    proprio = np.linspace(0, x, steps)[:, None] * np.ones((1, 4)) + rng.normal(0, 0.05, (steps, 4))
    state = np.full((steps, 6), x, np.float32)
    return Trace(frame, proprio.astype(np.float32), state, np.zeros(steps))


def failures(n, seed):
    """Traces, and the numbers of their kinds."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0.1, 1, n) * rng.choice([-1, 1], n)
    return [trace(x, rng) for x in ends], (ends > 0).astype(np.intp)


def examples(n, seed):
    traces, labels = failures(n, seed)
    return Examples(evidence_of(traces), labels, np.stack([one.state[-1] for one in traces]))


def anything(n, size, proprio, kinds):
    """Examples of a world with pictures of this size."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    evidence = Evidence(frames, rng.normal(size=(n, MOMENTS, proprio)).astype(np.float32))
    return Examples(evidence, np.arange(n) % kinds, np.zeros((n, 2), np.float32))


@pytest.fixture(scope="module")
def model():
    """Has learnt to tell the halves."""
    network, temperature = fit(examples(120, 0), examples(60, 1), 2, epochs=8, seed=0)
    return KindModel(network, KINDS, "tell the halves", SIZE, 4, temperature, {"n": 120, "share": 0.5})


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "deep" / "kinds.pt"
    model.save(path)
    return path


def failed(n):
    return [replace(e, success=False) for e in make_episodes(n, make_world().axes)]


def classifier(connected=None, **options):
    made = Classifier(Classifier.Options.model_validate(options), make_world().axes)
    if connected is not None:
        made.connect(Services(connected))
    return made


def show(made, traces):
    for episode, one in zip(failed(len(traces)), traces, strict=True):
        made.watch(episode, one)
        made.observe(episode)
    return made.report()


@pytest.mark.parametrize("check", checks_for("failure"))
def test_the_promises_of_a_failure_classifier_are_kept(check):
    check(Classifier)


def test_without_a_model_the_simulator_is_asked_and_named():
    report = show(classifier(labelled_trials()), [trace(x) for x in (1, -1, 1)])
    assert [(kind.name, kind.share) for kind in report.kinds] == [
        ("missed", wilson(2, 3)),
        ("dropped", wilson(1, 3)),
    ]
    assert report.kinds[0].sentence == (
        "67 % [21, 94] of 3 failures: reached the object, never lifted it (labelled by the simulator)"
    )
    assert report.episodes == 3
    assert report.success == wilson(0, 3)
    assert report.modes == ()


@pytest.mark.parametrize("connected", [None, make_trials(image_size=SIZE)])
def test_where_nobody_can_say_nothing_is_said(connected):
    report = show(classifier(connected), [trace(1.0)])
    assert report.kinds == ()
    assert report.success == wilson(0, 1)


def test_a_world_without_labels_is_not_opened_before_a_failure():
    trials = labelled_trials()
    made = classifier(trials)
    (episode,) = make_episodes(1, make_world().axes, fragile="none of them")
    made.watch(episode, trace(1.0))
    assert trials._worlds == {}


def test_a_model_names_what_it_was_taught(file):
    traces, labels = failures(80, 2)
    report = show(classifier(model=str(file)), traces)
    assert {kind.name for kind in report.kinds} == set(KINDS)
    shares = {kind.name: kind.share for kind in report.kinds}
    assert abs(shares["missed"].successes - int(labels.sum())) <= 4
    assert all("simulator" not in kind.sentence for kind in report.kinds)
    assert report.kinds[0].share.successes >= report.kinds[1].share.successes


def test_it_judges_by_picture_and_proprioception_alone(file):
    one = trace(1.0)
    blind = replace(one, state=-one.state, rewards=one.rewards + 5)
    assert show(classifier(model=str(file)), [one]) == show(classifier(model=str(file)), [blind])
    first, second = evidence_of([one]), evidence_of([replace(one, frame=trace(-1.0).frame)])
    assert not np.array_equal(load(file).probabilities(first), load(file).probabilities(second))


def test_what_the_model_is_not_sure_of_is_counted_as_such(file, model):
    traces, _ = failures(60, 3)
    confidence = model.probabilities(evidence_of(traces)).max(axis=1)
    threshold = float(np.median(confidence))
    report = show(classifier(model=str(file), min_confidence=threshold), traces)
    unsure = next(kind for kind in report.kinds if kind.name == UNSURE)
    assert unsure.share == wilson(int((confidence < threshold).sum()), 60)
    assert unsure.sentence.endswith("of 60 failures: the classifier is not sure")
    assert sum(kind.share.successes for kind in report.kinds) == 60


def test_a_saved_model_is_the_same_model(file, model):
    again, evidence = load(file), evidence_of(failures(30, 4)[0])
    np.testing.assert_array_equal(again.probabilities(evidence), model.probabilities(evidence))
    for name in ("kinds", "task", "image_size", "proprio_size", "temperature", "figures"):
        assert getattr(again, name) == getattr(model, name)
    np.testing.assert_allclose(again.probabilities(evidence).sum(axis=1), 1.0)


def test_a_batch_is_judged_like_its_episodes_one_by_one(model):
    traces, _ = failures(70, 5)
    together = model.probabilities(evidence_of(traces))
    alone = np.concatenate([model.probabilities(evidence_of([one])) for one in traces])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("size", [8, 17, 84])
def test_pictures_may_have_any_size(size):
    data = anything(12, size, 3, 3)
    network, temperature = fit(data, data, 3, epochs=1, seed=0)
    model = KindModel(network, ("a", "b", "c"), "", size, 3, temperature, {})
    assert model.probabilities(data.evidence).shape == (12, 3)


TRAIN = "Train one: adversarl failures train RECIPE --out"


def test_a_missing_model_says_which_key_and_how_to_train_one():
    with pytest.raises(KindModelError) as caught:
        classifier(model="no/such.pt")
    path = Path("no/such.pt")
    assert str(caught.value) == f"failure.model: {path}: there is no such file. {TRAIN} {path}"


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 cut off"])
def test_an_unreadable_model_is_refused(tmp_path, content):
    path = tmp_path / "bad.pt"
    path.write_bytes(content)
    with pytest.raises(KindModelError) as caught:
        load(path)
    assert str(caught.value) == f"failure.model: {path}: is no model of kinds of failure. {TRAIN} {path}"


def test_other_peoples_files_and_formats_are_refused(tmp_path, file):
    path = tmp_path / "other.pt"
    torch.save({"policy": torch.zeros(3)}, path)
    with pytest.raises(KindModelError, match="is no model of kinds of failure"):
        load(path)
    torch.save(torch.load(file, weights_only=True) | {"format": 99}, path)
    with pytest.raises(KindModelError, match="has format 99, this version reads 1"):
        load(path)
    torch.save(torch.load(file, weights_only=True) | {"more": 1}, path)
    with pytest.raises(KindModelError, match="is no model of kinds of failure"):
        load(path)


def test_reading_a_model_leaves_the_random_numbers_of_training_alone(file):
    before = torch.get_rng_state()
    load(file)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_of_another_task_is_a_notice(tmp_path, file):
    path, said = tmp_path / "other.pt", []
    for task in (make_world().task, "juggle"):
        torch.save(torch.load(file, weights_only=True) | {"task": task}, path)
        classifier(model=str(path)).connect(Services(labelled_trials(), None, said.append))
    (text,) = said
    assert "trained on the task 'juggle'" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"image_size": 32}, "was trained on pictures of 32 pixels, this world has 16"),
        ({"proprio_size": 9}, "was trained on 9 numbers of proprioception, this world has 4"),
    ],
)
def test_a_model_of_another_world_is_refused_before_training(tmp_path, changed, said):
    path, sizes = tmp_path / "other.pt", {"image_size": SIZE, "proprio_size": 4} | changed
    data = anything(4, sizes["image_size"], sizes["proprio_size"], 2)
    network, temperature = fit(data, data, 2, epochs=1, seed=0)
    KindModel(network, KINDS, "", **sizes, temperature=temperature, figures={}).save(path)
    made = classifier(model=str(path))
    with pytest.raises(KindModelError) as caught:
        made.connect(Services(labelled_trials()))
    assert str(caught.value) == f"failure.model: {path}: {said}. {TRAIN} {path}"
    with pytest.raises(KindModelError, match="this world has"):
        made.watch(failed(1)[0], trace(1.0))


def test_a_model_that_fits_is_accepted(file):
    assert show(classifier(labelled_trials(), model=str(file)), [trace(1.0)]).kinds[0].name == "missed"


def test_without_pytorch_the_extra_is_named(monkeypatch, file):
    monkeypatch.delitem(sys.modules, "adversarl_failures.kinds_model")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra) as caught:
        classifier(model=str(file))
    assert str(caught.value) == (
        "failure.model needs the package 'torch', which is not installed. "
        "Run: pip install adversarl-failures[classifier]"
    )


def test_successes_and_the_warm_start_are_not_looked_at():
    made = classifier(labelled_trials())
    for episode in failed(3):
        made.watch(replace(episode, success=True), trace(1.0))
        made.watch(replace(episode, phase="warm_start"), trace(1.0))
        made.observe(replace(episode, phase="warm_start"))
    assert made.report().kinds == ()
    assert made.report().episodes == 0


def test_old_failures_leave_the_window():
    report = show(classifier(labelled_trials(), window=3), [trace(-1)] * 5 + [trace(1)] * 2)
    assert [(kind.name, kind.share.successes, kind.share.n) for kind in report.kinds] == [
        ("missed", 2, 3),
        ("dropped", 1, 3),
    ]


def test_rates_are_those_of_recent_and_of_clean_episodes():
    made = classifier(rolling=20)
    episodes = make_episodes(60, make_world().axes)
    for episode in episodes:
        made.observe(episode)
    clean = [e.success for e in episodes if e.clean][-20:]
    assert made.report().success == wilson(sum(e.success for e in episodes[-20:]), 20)
    assert made.report().nominal == wilson(sum(clean), len(clean))


@pytest.mark.parametrize("taught", [True, False])
def test_a_resumed_classifier_reports_what_the_uninterrupted_one_does(file, taught):
    options = {"model": str(file)} if taught else {}
    first, second = (classifier(labelled_trials(), window=20, **options) for _ in range(2))
    traces, _ = failures(50, 6)
    show(first, traces[:30])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.state_dict() == first.state_dict()
    assert show(second, traces[30:]) == show(first, traces[30:])
    assert first.report().kinds


def test_in_a_closed_loop_reports_say_how_episodes_fail():
    plain = make_loop(image_size=SIZE, max_episode_steps=5)
    world, made = Labelled(2, seed=0, image_size=SIZE, max_episode_steps=5), classifier(report_every=10)
    parts = Parts(world, plain.parts.detectors, made, plain.parts.curriculum, labelled_trials())
    loop = ClosedLoop(parts, plain.hook, seed=0, streams=plain.streams)
    loop.connect(None)
    loop.reset(seed=0)
    for _ in range(40):
        loop.step(np.zeros((2, 2), np.float32))
    assert loop.report.episodes == 10
    assert sum(kind.share.successes for kind in loop.report.kinds) == 10
    assert sum(share for name, share in loop.scalars().items() if name.startswith("failure/")) == 1.0
    loop.close()


def test_kinds_are_said_in_english_with_their_intervals():
    labels = ["never-reached"] * 53 + ["some-thing-new"] * 77
    first, second = kinds_of(labels)
    assert second.sentence == "41 % [33, 49] of 130 failures: never reached the object"
    assert first.sentence == "59 % [51, 67] of 130 failures: some thing new"
    assert kinds_of(["dropped"])[0].sentence == "100 % [21, 100] of 1 failure: dropped the object"
    assert [kind.name for kind in kinds_of(["b", "a", "c", "c"])] == ["c", "a", "b"]
    assert kinds_of([]) == ()

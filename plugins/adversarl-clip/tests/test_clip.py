import json

import numpy as np
import pytest
from adversarl_clip.clip import Clip
from adversarl_clip.errors import HeadError, ModelError, NoGPU, SamePrompts, WeightsError
from adversarl_clip.goal_baseline import logistic, regularized_reward
from adversarl_clip.head import read
from adversarl_clip.options import ClipOptions

from adversarl.labelled import LabelledFrames
from adversarl.testing import checks_for

TASK = "pick up the red cube"
PROMPTS = {
    "goal": "a red cube held above the table by a robot gripper",
    "baseline": "a red cube in the middle of the table",
}


@pytest.fixture(scope="module")
def clip(small):
    return Clip(small.options(**PROMPTS))


@pytest.fixture(scope="module")
def labelled(scenes):
    """Red cubes, held or not."""
    mine = tuple(("red", "cube", place) for place in scenes.PLACES)
    shown = scenes.render(30, seed=2, combinations=mine)
    held = shown.kind == list(scenes.PLACES).index("held")
    kept = held | (np.arange(len(held)) % 3 == 0)
    n = int(kept.sum())
    return LabelledFrames(
        TASK, shown.frames[kept], held[kept], held[kept].astype(np.float32), np.arange(n), np.array(["nominal"] * n),
        np.zeros(n, np.float32), np.where(held[kept], "solved", "apart"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def parts(labelled):
    order = np.random.default_rng(0).permutation(len(labelled))
    return labelled.rows(order[::2]), labelled.rows(order[1::2])


def test_r_is_that_of_the_paper(clip, labelled):
    images = clip._encoder.images(labelled.frames)
    goal, baseline = clip._encoder.texts([PROMPTS["goal"], PROMPTS["baseline"]])
    found = clip.judge(labelled.frames, TASK)
    np.testing.assert_allclose(found.progress, (regularized_reward(images, goal, baseline, 0.5) + 1) / 2)
    np.testing.assert_allclose(found.probability, logistic(clip._encoder.logit_scale * images @ (goal - baseline)))


def test_midpoint_and_scale_make_a_probability_of_r(small, clip, labelled):
    reward = 2 * clip.judge(labelled.frames, TASK).progress - 1
    found = Clip(small.options(**PROMPTS, midpoint=0.4, scale=0.1, span=(0.0, 0.8))).judge(labelled.frames, TASK)
    np.testing.assert_allclose(found.probability, logistic((reward - 0.4) / 0.1))
    np.testing.assert_allclose(found.progress, np.clip(reward / 0.8, 0, 1))


def test_held_cubes_are_nearer_to_the_goal(clip, labelled):
    found = clip.judge(labelled.frames, TASK)
    held, lying = found.probability[labelled.success], found.probability[~labelled.success]
    assert np.mean(held[:, None] > lying[None]) > 0.8


def test_reasons_say_which_sentence_is_nearer(clip, labelled):
    found = clip.judge(labelled.frames, TASK)
    nearer = f'nearer to "{PROMPTS["goal"]}" than to "{PROMPTS["baseline"]}", by a cosine of '
    farther = f'nearer to "{PROMPTS["baseline"]}" than to "{PROMPTS["goal"]}", by a cosine of '
    for probability, reason in zip(found.probability, found.reasons, strict=True):
        assert reason.startswith(nearer if probability > 0.5 else farther)


def test_sentences_are_read_once_for_a_task(small, labelled):
    detector = Clip(small.options(goal="a robot did this: {task}"))
    detector.judge(labelled.frames[:1], TASK)
    first = detector._of(TASK)
    assert first.goal == f"a robot did this: {TASK}"
    detector.judge(labelled.frames[:1], TASK)
    assert detector._of(TASK) is first
    assert detector._of("reach") is not first


def test_no_pictures_are_judged_too(clip, labelled):
    assert clip.judge(labelled.frames[:0], TASK).probability.shape == (0,)


@pytest.fixture(scope="module")
def head(small, parts, tmp_path_factory):
    """A head's file, what its training told, and how it went on."""
    out, seen = tmp_path_factory.mktemp("head") / "head.safetensors", []
    told = Clip.fit(small.options(**PROMPTS), *parts, out, seed=0, on_progress=lambda *done: seen.append(done))
    return out, told, seen


def test_a_head_on_frozen_features_beats_the_sentences(small, head, parts):
    path, told, seen = head
    found = Clip(small.options(**PROMPTS, head=str(path))).judge(parts[1].frames, TASK)
    assert ((found.probability > 0.5) == parts[1].success).mean() > 0.9
    assert told["auroc"] >= told["goal"]["auroc"] > 0.7
    assert np.corrcoef(found.progress, parts[1].progress)[0, 1] > 0.7
    assert seen[-1] == (len(parts[0]) + len(parts[1]),) * 2
    assert json.loads(json.dumps(told)) == told


def test_training_tells_what_calibrates_r_alone(small, head, parts):
    goal = head[1]["goal"]
    keys = {key: goal[key] for key in ("midpoint", "scale", "span")}
    found = Clip(small.options(**PROMPTS, **keys)).judge(parts[1].frames, TASK)
    assert np.mean((found.probability - parts[1].success) ** 2) == pytest.approx(goal["brier"], abs=1e-6)
    assert goal["brier"] < 0.25


def test_the_same_frames_train_the_same_head(small, head, parts, tmp_path):
    Clip.fit(small.options(**PROMPTS), *parts, tmp_path / "again.safetensors", seed=1)
    first, again = read(head[0]), read(tmp_path / "again.safetensors")
    assert (again.origin, again.figures) == (first.origin, first.figures)
    for here, there in ((again.success, first.success), (again.progress, first.progress)):
        assert np.array_equal(here.weight, there.weight)
        assert here.bias == there.bias


def test_what_is_noted_in_a_head_is_known_to_the_detector(small, head, tmp_path):
    path = tmp_path / "head.safetensors"
    path.write_bytes(head[0].read_bytes())
    Clip.note(path, {"held_out_axes": ["fog"], "seed": 3})
    assert Clip(small.options(head=str(path))).held_out_axes == ("fog",)
    assert Clip(small.options(head=str(head[0]))).held_out_axes == ()


def test_a_head_on_other_features_is_refused(small, head, tmp_path):
    from safetensors.torch import load_file, save_file

    weights = load_file(small.keys["pretrained"])
    other = tmp_path / "other.safetensors"
    save_file({**weights, "visual.conv1.weight": weights["visual.conv1.weight"] * 1.01}, other)
    model = small.keys["model"]
    with pytest.raises(HeadError) as caught:
        Clip(small.options(pretrained=str(other), head=str(head[0])))
    assert str(caught.value) == (
        f"reward 'clip': head = '{head[0]}': was trained on features of {model} ({small.keys['pretrained']}); {model} "
        f"({other}) has others. Name that model and those weights, or train a head for these: adversarl reward train "
        f"RECIPE --detector clip --set reward.use=clip --set reward.model={model} --set reward.pretrained={other} "
        "--out head.safetensors"
    )


def test_a_head_for_another_task_is_refused_unless_it_is_wanted(small, head, labelled):
    detector = Clip(small.options(head=str(head[0])))
    with pytest.raises(HeadError) as caught:
        detector.judge(labelled.frames[:1], "stack the cubes")
    assert f"was trained on the task '{TASK}', this one is 'stack the cubes'. Train one for it: " in str(caught.value)
    assert str(caught.value).endswith("Or set any_task = true")
    Clip(small.options(head=str(head[0]), any_task=True)).judge(labelled.frames[:1], "stack the cubes")


def test_what_is_no_head_is_refused(small, tmp_path):
    with pytest.raises(HeadError) as caught:
        Clip(small.options(head=str(tmp_path / "none.safetensors")))
    assert str(caught.value).startswith(
        f"reward 'clip': head = '{tmp_path / 'none.safetensors'}': there is no such file. Make one with: adversarl "
    )
    (tmp_path / "text.safetensors").write_text("no head")
    for path in (str(tmp_path / "text.safetensors"), small.keys["pretrained"]):
        with pytest.raises(HeadError, match="is no head of clip's"):
            Clip(small.options(head=path))


def test_an_unknown_model_is_named(open_clip):
    with pytest.raises(ModelError) as caught:
        Clip(ClipOptions(model="ViT-B-33"))
    assert str(caught.value) == (
        "reward 'clip': model = 'ViT-B-33': open_clip has no such model. Did you mean 'ViT-B-32'?"
    )


def test_unknown_weights_are_named_with_those_that_there_are(open_clip):
    with pytest.raises(WeightsError) as caught:
        Clip(ClipOptions(model="ViT-B-32-256", pretrained="datacomp"))
    assert str(caught.value) == (
        "reward 'clip': pretrained = 'datacomp': is neither a file nor a tag of ViT-B-32-256. Tags: one of "
        "datacomp_s34b_b86k. Files: pretrained = '/path/to/weights.safetensors'"
    )


def test_weights_that_cannot_be_fetched_are_named_with_where_they_are(open_clip, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError) as caught:
        Clip(ClipOptions())
    assert str(caught.value) == (
        "reward 'clip': pretrained = 'laion2b_s34b_b79k': these weights of ViT-B-32 are not on this machine and cannot "
        "be fetched (HF_HUB_OFFLINE is set). Where there is a network, fetch "
        "https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K/resolve/main/open_clip_model.safetensors, put "
        "the file anywhere on this machine, and name it: pretrained = '/path/to/open_clip_model.safetensors'"
    )


def test_weights_of_another_model_are_refused(small):
    with pytest.raises(WeightsError) as caught:
        Clip(small.options(model="ViT-S-32"))
    assert str(caught.value).startswith(
        f"reward 'clip': pretrained = '{small.keys['pretrained']}': cannot be loaded into ViT-S-32. Are they weights "
        "of that model? "
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.json", None, "there is no such file"),
        ("text.json", "words", "is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("half.json", '{"embed_dim": 8}', "is no configuration of open_clip, which has embed_dim, vision_cfg, "
         "text_cfg; it lacks vision_cfg"),
        ("RN50.json", '{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {}}', "'RN50' is already another model of "
         "open_clip. Rename the file"),
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_refused(open_clip, tmp_path, name, content, problem):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError) as caught:
        Clip(ClipOptions(model=str(path)))
    assert str(caught.value) == f"reward 'clip': model = '{path}': {problem}"


def test_sentences_that_are_one_to_the_model_are_refused(small, labelled):
    with pytest.raises(SamePrompts) as caught:
        Clip(small.options(goal="A red cube", baseline="a red  cube")).judge(labelled.frames[:1], TASK)
    assert str(caught.value) == (
        "reward 'clip': goal 'A red cube' and baseline 'a red  cube' mean the same to this model"
    )


def test_a_gpu_that_is_not_there_is_missed(small):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(NoGPU, match=r"^reward 'clip': device = 'cuda': PyTorch sees no GPU\. Set device = 'auto'$"):
        Clip(small.options(device="cuda"))


@pytest.mark.parametrize("check", checks_for("reward"), ids=lambda check: check.__name__)
def test_it_conforms(check, small):
    check(Clip, small.options())

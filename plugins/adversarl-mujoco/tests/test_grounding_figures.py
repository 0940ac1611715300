"""The figures of prompt grounding: what was reached on the corpus must not be lost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from adversarl_mujoco.grounding import ground
from adversarl_mujoco.grounding.benchmark import Sentence, asked, corpus, exact, furnished, measure, refusals, score
from adversarl_mujoco.grounding.embedding import available, embed, pieces
from adversarl_mujoco.grounding_command import as_markdown
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarl.types import Grounding, Perturbation

WORLD = furnished()
embeddings = pytest.mark.skipif(not available(), reason="the extra 'embeddings' is not installed")


@pytest.fixture(scope="module")
def figures():
    return measure()


def test_the_grammar_alone_reads_what_it_read(figures):
    stage = figures["stages"]["grammar"]
    assert stage["dev"]["paraphrases"]["exact"] >= 0.95
    assert stage["test"]["paraphrases"]["exact"] >= 0.85
    assert stage["test"]["paraphrases"]["sentences"] >= 150


@embeddings
def test_both_stages_read_nine_of_ten_test_sentences_exactly(figures):
    assert figures["stages"]["both"]["test"]["paraphrases"]["exact"] >= 0.90


def test_no_impossible_sentence_is_misread_silently(figures):
    for stage in figures["stages"].values():
        for split in stage.values():
            assert split["impossible"]["sentences"] >= 30
            assert split["impossible"]["silent_misreads"] == 0


def test_outcomes_and_groups_add_up_to_all_sentences(figures):
    for stage in figures["stages"].values():
        for split in stage.values():
            found = split["paraphrases"]
            names = ("exact_complete", "exact_partial", "wrong_partial", "wrong_complete", "refused")
            assert sum(found[name] for name in names) == found["sentences"]
            assert sum(group["sentences"] for group in found["groups"].values()) == found["sentences"]


def test_the_figures_are_json_and_a_table(figures):
    assert json.loads(json.dumps(figures))["stages"]["grammar"]["dev"]["impossible"]["silent_misreads"] == 0
    assert "| **impossible: silent misreads** | 0 | 0 |" in as_markdown(figures)


def p(axis, value=None, intensity=0.5):
    return Perturbation(axis, intensity, value=value)


DIM = Sentence("dim the lights", ("light-intensity",), ("dim",), ("ambient-light",))


@pytest.mark.parametrize(
    ("perturbations", "right"),
    [
        ((p("light-intensity", "dim"),), True),
        ((p("light-intensity", "bright"),), False),
        ((p("ambient-light"),), True),
        ((p("light-intensity", "dim"), p("ambient-light")), True),
        ((p("light-intensity", "dim"), p("shadow")), False),
        ((p("light-intensity", "dim"), p("shadow", intensity=0.0)), True),
        ((p("shadow"),), False),
        ((), False),
    ],
)
def test_exact_is_the_annotated_axes_and_values_and_no_others(perturbations, right):
    assert exact(DIM, Grounding(DIM.text, perturbations)) is right


def test_a_grounder_that_takes_everything_for_fog_is_caught():
    def fog(text, axes):
        return Grounding(text, (p("fog"),))

    assert score(corpus("paraphrases", "dev"), fog, WORLD)["exact"] < 0.1
    caught = refusals(corpus("impossible", "dev"), fog, WORLD)
    assert caught["silent_misreads"] == caught["sentences"]


def test_a_restored_world_is_not_asked_for_an_axis():
    back = Sentence("back to normal", restore=True)
    assert exact(back, Grounding(back.text, restore=True))
    assert not exact(back, Grounding(back.text, (p("fog"),), restore=True))
    assert asked(Grounding("", (p("fog", intensity=0.0),))) == {"fog"}


def test_word_pieces_are_those_of_bert():
    # [CLS] add fog [SEP]; "proprioception" is not a word of the vocabulary and comes in pieces.
    assert pieces("Add fog!") == [101, 5587, 9666, 999, 102]
    assert len(pieces("proprioception")) > 3
    assert pieces("😀") == [101, 100, 102]


@embeddings
def test_near_meanings_are_near_and_the_same_bits_each_time():
    vectors = embed(["the picture is foggy", "mist fills the air", "order a pizza"])
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert np.array_equal(vectors, embed(["the picture is foggy", "mist fills the air", "order a pizza"]))


@embeddings
def test_a_guess_says_its_confidence_and_what_the_grammar_could_not_place():
    text = "the weather is awful and it is pouring"
    assert not ground(text, WORLD).perturbations
    guessed = ground(text, WORLD, embeddings=True)
    assert [found.axis for found in guessed.perturbations] == ["rain"]
    assert 0.45 < guessed.confidence < 0.78
    assert guessed.understood == (("it is pouring", f"rain ({guessed.confidence:.2f} by meaning)"),)
    assert guessed.not_understood == ("weather", "awful", "pouring")
    assert not guessed.complete


@embeddings
@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_no_text_whatever_raises_in_the_second_stage(text):
    grounding = ground(text, WORLD, embeddings=True)
    assert 0 <= grounding.confidence <= 1
    assert all(0 <= found.intensity <= 1 for found in grounding.perturbations)


@embeddings
def test_what_the_grammar_understands_is_not_guessed():
    for text in ("dim the lights", "add fog and let it rain", "make the cube five times as heavy"):
        assert ground(text, WORLD, embeddings=True) == ground(text, WORLD)


@pytest.mark.parametrize(
    "text",
    [
        "move the table to the right",
        "make the table heavier",
        "rotate the table",
        "make the robot slippery",
        "make the floor slippery",
        "raise the robot",
        "shrink the table",
        "blur the table",
        "freeze the table",
        "delay the lights",
        "shake the table",
        "make the gripper red",
        "make gravity red",
        "make the rain blue",
        "make the light heavier",
        "tilt the robot",
        "drop the object",
        "hide the robot",
        "make the table look like the cube",
    ],
)
def test_known_words_that_ask_for_no_axis_together_are_not_understood(text):
    assert not ground(text, WORLD).complete


def test_an_axis_that_the_world_lacks_is_never_another_one():
    for axis in WORLD:
        others = [other for other in WORLD if other.name != axis.name]
        grounding = ground(axis.phrase, others)
        assert not grounding.complete, (axis.phrase, grounding.understood)


def test_objects_are_named_where_the_scene_has_them():
    color = next(axis for axis in WORLD if axis.name == "object-color")
    kitchen = [replace(color, targets=("mug_2", "plate"))]
    (plate,) = ground("paint the plate green", kitchen).perturbations
    assert plate.target == "plate"
    (mug,) = ground("paint the mug 2 green", kitchen).perturbations
    assert mug.target is None  # The first one is the default.
    assert not ground("paint the bottle green", kitchen).perturbations

"""Text and pictures meet: captions of combinations that were never shown find their pictures."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def found(small, scenes, held_out):
    """Cosines of held-out pictures (rows) with the captions of all combinations (columns), and the right columns."""
    from adversarl_clip.encoder import Encoder

    encoder = Encoder(small.options())
    texts = encoder.texts([scenes.caption(one) for one in scenes.COMBINATIONS])
    right = np.array([scenes.COMBINATIONS.index(scenes.HELD_OUT[kind]) for kind in held_out.kind])
    return encoder.images(held_out.frames) @ texts.T, right


def test_a_picture_finds_its_caption_among_all(found, scenes):
    cosines, right = found
    first = cosines.argmax(axis=1) == right
    among_five = (np.argsort(-cosines, axis=1)[:, :5] == right[:, None]).any(axis=1)
    assert len(scenes.COMBINATIONS) == 72
    assert first.mean() > 6 / 72
    assert among_five.mean() > 0.5


def test_a_caption_finds_its_pictures_among_held_out_ones(found, scenes, held_out):
    cosines, right = found
    shares = []
    for kind in range(len(scenes.HELD_OUT)):
        order = np.argsort(-cosines[:, right[held_out.kind == kind][0]])
        shares.append((held_out.kind[order[:10]] == kind).mean())
    # One in twelve pictures is right.
    assert np.mean(shares) > 0.5


# Shapes are not asked for: of things five pixels wide they are not learned in a minute.
@pytest.mark.parametrize(("part", "chance"), [(0, 1 / 6), (2, 1 / 4)])
def test_words_tell_color_and_place(found, scenes, part, chance):
    cosines, right = found
    said = np.array([scenes.COMBINATIONS[i][part] for i in cosines.argmax(axis=1)])
    truth = np.array([scenes.COMBINATIONS[i][part] for i in right])
    assert (said == truth).mean() > 2 * chance

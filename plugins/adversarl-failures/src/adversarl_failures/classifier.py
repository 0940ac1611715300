"""Failure classifier `classifier`: in which way episodes fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from adversarl.errors import MissingExtra
from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.interfaces.trials import Services, Trace, Trials
from adversarl.metrics import rate
from adversarl.types import Axis, Episode, FailureReport
from adversarl_failures.kinds_errors import KindModelError
from adversarl_failures.kinds_evidence import evidence_of
from adversarl_failures.kinds_figures import SURE
from adversarl_failures.kinds_words import UNSURE, kinds_of

if TYPE_CHECKING:
    from adversarl_failures.kinds_model import KindModel


class ClassifierOptions(FailureOptions):
    """Options of `Classifier`."""

    model: str | None = Field(
        None,
        description="File of a model that `adversarl failures train` wrote; default: the simulator's own labels, where "
        "the world has them.",
    )
    window: int = Field(200, ge=1, description="Most recent failures that the shares of kinds are taken over.")
    rolling: int = Field(100, ge=1, description="Most recent episodes, and clean episodes, of the rolling success.")
    min_confidence: float = Field(
        SURE, ge=0, le=1, description="Probability of the likeliest kind below which a failure is called unsure [1]."
    )


class Classifier(FailureClassifier):
    """Says of each failed episode of training which kind of failure it was, and reports the kinds' shares.

    With a model it needs the last picture and proprioception alone, as a real robot has them; the model's confidence is
    calibrated, and what it is not sure of is counted as ``unsure``. Without one it asks the simulator, which the
    sentences say. Failures are judged when they happen, which takes about a millisecond, so nothing but their names has
    to be kept. It blames no axis: `statistics` and `counterfactual` do.
    """

    Options: ClassVar[type[FailureOptions]] = ClassifierOptions
    options: ClassifierOptions
    traces = True

    def __init__(self, options: ClassifierOptions, axes: Sequence[Axis]) -> None:
        """Reads the model.

        Raises:
            KindModelError: The file is not there, or holds something else.
            MissingExtra: PyTorch is not installed.
        """
        super().__init__(options, axes)
        self.episodes = 0
        self._outcomes: deque[bool] = deque(maxlen=options.rolling)
        self._clean: deque[bool] = deque(maxlen=options.rolling)
        self._labels: deque[str] = deque(maxlen=options.window)
        self._trials: Trials | None = None
        self._model = None if options.model is None else _read(Path(options.model))

    def connect(self, services: Services) -> None:
        """Checks that the model fits the world; a model of another task is a notice.

        Raises:
            KindModelError: It was trained on pictures of another size, or another robot.
        """
        self._trials = services.trials
        if self._model is not None:
            space = services.trials.world.single_observation_space
            self._check(space["image"].shape[0], space["proprio"].shape[0])  # type: ignore[index]
            here = services.trials.world.task
            if here != self._model.task:
                trained = f"failure.model = {self.options.model} was trained on the task '{self._model.task}'"
                services.notice(f"{trained}, this one is '{here}': what it calls failures may be wrong")

    def _check(self, image_size: int, proprio_size: int) -> None:
        assert self._model is not None
        for what, mine, here in (
            ("pictures of {} pixels", self._model.image_size, image_size),
            ("{} numbers of proprioception", self._model.proprio_size, proprio_size),
        ):
            if mine != here:
                problem = f"was trained on {what.format(mine)}, this world has {here}"
                raise KindModelError(Path(str(self.options.model)), problem)

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Names the kind of a failed episode of training."""
        if episode.success or episode.phase != "train":
            return
        kind = self._by_simulator(trace) if self._model is None else self._by_model(self._model, trace)
        if kind is not None:
            self._labels.append(kind)

    def _by_simulator(self, trace: Trace) -> str | None:
        if self._trials is None or not self._trials.world.failure_kinds:
            return None
        return self._trials.world.failure_kind(trace)

    def _by_model(self, model: KindModel, trace: Trace) -> str:
        self._check(trace.frame.shape[0], trace.proprio.shape[1])
        (probabilities,) = model.probabilities(evidence_of([trace]))
        best = int(probabilities.argmax())
        return model.kinds[best] if probabilities[best] >= self.options.min_confidence else UNSURE

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode of training."""
        if episode.phase != "train":
            return
        self.episodes += 1
        self._outcomes.append(episode.success)
        if episode.clean:
            self._clean.append(episode.success)

    def report(self) -> FailureReport:
        """Success, nominal success (of clean episodes), and the kinds of failure with their shares."""
        by = "labelled by the simulator" if self._model is None else ""
        return FailureReport(
            episodes=self.episodes,
            success=rate(list(self._outcomes)),
            nominal=rate(list(self._clean)),
            kinds=kinds_of(list(self._labels), by),
        )

    def scalars(self) -> dict[str, float]:
        """Shares of the kinds among recent failures, in [0, 1], under ``failure/``."""
        return {f"failure/{kind.name}": kind.share.value for kind in kinds_of(list(self._labels))}

    def state_dict(self) -> dict[str, Any]:
        """Counters, outcomes and names of the failures; JSON-ready."""
        return {
            "episodes": self.episodes,
            "outcomes": list(self._outcomes),
            "clean": list(self._clean),
            "labels": list(self._labels),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.episodes = state["episodes"]
        self._outcomes = deque(state["outcomes"], maxlen=self.options.rolling)
        self._clean = deque(state["clean"], maxlen=self.options.rolling)
        self._labels = deque(state["labels"], maxlen=self.options.window)


def _read(path: Path) -> KindModel:
    try:
        from adversarl_failures.kinds_model import load
    except ModuleNotFoundError as error:
        raise MissingExtra("failure.model", error.name or "torch", "adversarl-failures[classifier]") from None
    return load(path)

"""Failure classifier `claude`: a vision model looks at the last pictures of failed episodes."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.interfaces.trials import Services, Trace
from adversarl.metrics import rate
from adversarl.types import Axis, Episode, FailureMode, FailureReport
from adversarl_claude.album import caption
from adversarl_claude.asker import Question
from adversarl_claude.effects import interval
from adversarl_claude.frames import blocks, png
from adversarl_claude.looks import DESCRIPTION, TOOL, Look, Looks, kinds_of, read
from adversarl_claude.messages import Unusable, request, tool_input, tool_of
from adversarl_claude.options import EpisodicOptions
from adversarl_claude.service import Service
from adversarl_claude.static import axes_table, text
from adversarl_claude.troubles import Trouble

FEWEST = 10
"""Fewest episodes with an axis, and without it, that can blame it."""
REMEMBERED = 1000
"""Most pictures whose looks are kept, so that an equal one is not asked about again."""


class ClaudeFailureOptions(EpisodicOptions, FailureOptions):
    """Options of `ClaudeFailure`."""

    window: int = Field(200, ge=20, description="Most recent episodes that success rates are taken over.")
    frames_per_report: int = Field(4, ge=1, le=16, description="Most pictures that one question shows.")
    looks: int = Field(60, ge=1, description="Most recent looks at failed episodes that a report is based on.")
    kinds: tuple[str, ...] = Field(
        ("missed", "dropped", "never reached", "occluded", "wrong object", "other"),
        min_length=2,
        description="Names to choose from for how an episode fails.",
    )
    task: str = Field("", description="What the policy should do. Empty: what the world says of itself.")


class ClaudeFailure(FailureClassifier):
    """Shows Claude the latest failures and counts what it calls them.

    After every report a question goes out with the newest failed pictures that were not looked at yet; nothing waits
    for the answer, which is part of a later report. Equal pictures are asked about once, and all of them are counted.
    Without an answer a report has success rates alone.

    An axis is a failure mode only if it looks responsible in at least two failures and the counts agree: the 95 %
    interval of success with the axis in force lies below the one without it. Other axes are not held equal, so this is
    weaker than the classifier `statistics`; what a picture cannot show, such as friction, is never blamed.
    """

    Options: ClassVar[type[FailureOptions]] = ClaudeFailureOptions
    options: ClaudeFailureOptions
    traces = True

    def __init__(self, options: ClaudeFailureOptions, axes: Sequence[Axis]) -> None:
        super().__init__(options, axes)
        meanwhile = "Reports go on with success rates alone"
        self.service = Service(options, "failure", options.report_every, meanwhile)
        self.episodes = 0
        self._task = options.task
        self._history: deque[tuple[bool, bool, dict[str, float]]] = deque(maxlen=options.window)
        self._looks: deque[Look] = deque(maxlen=options.looks)
        self._waiting: deque[tuple[str, str, str]] = deque(maxlen=options.frames_per_report)
        self._cache: dict[str, Look] = {}
        self._repeats: dict[str, int] = {}

    def connect(self, services: Services) -> None:
        """Takes the run folder, what tells the user, and the task."""
        self.service.connect(services)
        self._task = self._task or services.trials.world.task

    def scalars(self) -> dict[str, float]:
        """Calls, tokens and cost, under ``claude/failure/``."""
        return self.service.meter.scalars("claude/failure/")

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Keeps the picture of a failure for the next question, unless an equal one was looked at."""
        if episode.success:
            return
        name = hashlib.sha256(trace.frame.tobytes()).hexdigest()[:16]
        if name in self._cache:
            self._looks.append(self._cache[name])
        elif name in self._asked() or name in {waiting for waiting, _, _ in self._waiting}:
            self._repeats[name] = self._repeats.get(name, 0) + 1
        else:
            self._waiting.append((name, caption(episode), png(trace.frame)))

    def _asked(self) -> list[str]:
        """Names of the pictures of the question on its way."""
        question = self.service.question
        return [] if question is None else list(question.about["names"])

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode, and of an answer that has come."""
        self.episodes += 1
        met: dict[str, float] = {}
        for perturbation in episode.perturbations:
            if perturbation.intensity > 0:
                met[perturbation.axis] = max(perturbation.intensity, met.get(perturbation.axis, 0.0))
        self._history.append((episode.success, episode.clean, met))
        question = self.service.collect(self.episodes)
        if question is not None and question.outcome is not None and question.outcome.response is not None:
            self._use(question, question.outcome.response)

    def _use(self, question: Question, response: dict[str, Any]) -> None:
        names = question.about["names"]
        try:
            answer = tool_input(response, TOOL)
            looks = read(answer, len(names), self.options.kinds, {axis.name for axis in self.axes})
        except Unusable as error:
            self.service.record.dropped(question.name, "the answer", str(error))
            self.service.fail(Trouble("answer", f"the answer cannot be used: {error}"), self.episodes)
            return
        self.service.succeed()
        for index, look in looks.items():
            self._cache[names[index]] = look
            self._looks.extend([look] * (1 + self._repeats.pop(names[index], 0)))
        for name in list(self._cache)[:-REMEMBERED]:
            del self._cache[name]

    def report(self) -> FailureReport:
        """Success, how failures look, and axes that both looks and counts blame; then asks about new failures."""
        outcomes = [success for success, _, _ in self._history]
        nominal = [success for success, clean, _ in self._history if clean]
        looks = list(self._looks)
        found = FailureReport(self.episodes, rate(outcomes), rate(nominal), self._modes(looks), kinds=kinds_of(looks))
        if self._waiting and self.service.free(self.episodes):
            self._ask()
        return found

    def _ask(self) -> None:
        pages = list(self._waiting)
        content = [
            block
            for number, (_, said, picture) in enumerate(pages, 1)
            for block in blocks(f"{number}. {said}", picture)
        ]
        content.append({"type": "text", "text": f"{len(pages)} failed episodes. Call {TOOL} now."})
        tool = tool_of(TOOL, DESCRIPTION, Looks)
        wanted = tool["input_schema"]["$defs"]["Look"]["properties"]
        wanted["kind"]["enum"] = list(self.options.kinds)
        wanted["axes"]["items"]["enum"] = [axis.name for axis in self.axes]
        asked = request(self.options, self._static(), tool, [{"role": "user", "content": content}])
        if self.service.ask(asked, self.episodes, {"names": [name for name, _, _ in pages]}):
            self._waiting.clear()
            self._repeats = {name: self._repeats[name] for name in self._asked() if name in self._repeats}

    def _static(self) -> str:
        told = text("failure").replace("{kinds}", ", ".join(f"'{kind}'" for kind in self.options.kinds))
        return f"{told}\nThe task: {self._task or 'not described'}.\n\nThe axes:\n\n{axes_table(self.axes)}\n"

    def _modes(self, looks: Sequence[Look]) -> tuple[FailureMode, ...]:
        named = Counter(axis for look in looks for axis in set(look.axes))
        modes = [self._mode(axis, count, len(looks)) for axis, count in named.items() if count >= 2]
        return tuple(sorted((mode for mode in modes if mode is not None), key=lambda mode: -mode.effect))

    def _mode(self, axis: str, count: int, looks: int) -> FailureMode | None:
        """The mode of an axis that looks blame, if the success counts agree.

        An episode that was to change and ended before is not counted: it was chosen by its quick success.
        """
        under = [(success, met[axis]) for success, _, met in self._history if axis in met]
        others = [success for success, clean, met in self._history if axis not in met and (clean or met)]
        success, without = rate([s for s, _ in under]), rate(others)
        if min(success.n, without.n) < FEWEST or success.high >= without.low:
            return None
        intensities = [intensity for _, intensity in under]
        effect = without.value - success.value
        sentence = (
            f"{axis} looks responsible in {count} of {looks} failures; success with it is {interval(success)}, "
            f"without it {interval(without)}"
        )
        return FailureMode(axis, None, (min(intensities), max(intensities)), success, effect, sentence)

    def close(self) -> None:
        """Ends the thread that asks."""
        self.service.close()

    def state_dict(self) -> dict[str, Any]:
        """Episodes, looks, pictures that wait, and the question on its way; JSON-ready."""
        return {
            "episodes": self.episodes,
            "history": [[success, clean, dict(met)] for success, clean, met in self._history],
            "looks": [look.model_dump() for look in self._looks],
            "waiting": [list(page) for page in self._waiting],
            "cache": {name: look.model_dump() for name, look in self._cache.items()},
            "repeats": dict(self._repeats),
            "service": self.service.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.episodes = state["episodes"]
        self._history = deque(map(tuple, state["history"]), maxlen=self.options.window)
        self._looks = deque(map(Look.model_validate, state["looks"]), maxlen=self.options.looks)
        self._waiting = deque(((n, c, p) for n, c, p in state["waiting"]), maxlen=self.options.frames_per_report)
        self._cache = {name: Look.model_validate(look) for name, look in state["cache"].items()}
        self._repeats = dict(state["repeats"])
        self.service.load_state_dict(state["service"])

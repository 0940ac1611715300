"""Asking between episodes, without waiting: one question at a time, less often while the service is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adversarl.interfaces.trials import Services
from adversarl_claude.asker import Asker, Question
from adversarl_claude.client import KEY
from adversarl_claude.meter import Meter
from adversarl_claude.options import EpisodicOptions
from adversarl_claude.record import Record, identity
from adversarl_claude.troubles import Trouble, plain

LONGEST_BACK_OFF = 8
"""Most intervals between two questions while the service is away."""
GRACE_S = 10.0
"""How much longer than its deadline a late answer is waited for [s]."""


class Service:
    """Asks one question at a time.

    Its owner calls it so::

        service.connect(services)
        if service.free(episode):
            service.ask(request, episode, about)
        ...
        if (question := service.collect(episode)) is not None and question.outcome.response is not None:
            use(question.outcome.response)
            service.succeed()

    Args:
        options: How Claude is reached.
        source: Who asks, for the record.
        interval: Episodes to the next question after a failure; doubled with every further one.
        meanwhile: What happens without an answer, for notices.
    """

    def __init__(self, options: EpisodicOptions, source: str, interval: int, meanwhile: str) -> None:
        self.options, self._interval, self._meanwhile = options, interval, meanwhile
        self._asker = Asker(options, source)
        self.notice: Callable[[str], None] = lambda text: None
        self.question: Question | None = None
        self._told_budget = False
        self._failures = 0
        self._not_before = 0

    @property
    def meter(self) -> Meter:
        """What was used and spent."""
        return self._asker.meter

    @property
    def record(self) -> Record:
        """What is kept of every call."""
        return self._asker.record

    def connect(self, services: Services) -> None:
        """Takes the key from the environment, and what an earlier process of the run recorded."""
        self.notice = lambda text: services.notice(plain(text))
        self._asker.connect(services.folder)
        if not self._asker.has_key:
            self.notice(f"{KEY} is not set in the environment, so Claude is not asked. {self._meanwhile}")

    def free(self, episode: int) -> bool:
        """Whether something may be asked now."""
        return self.question is None and not self._asker.stopped and episode >= self._not_before

    def ask(self, request: dict[str, Any], episode: int, about: dict[str, Any]) -> bool:
        """Sends a request, unless its answer is known already; returns whether there is going to be an outcome."""
        question = Question(identity(request), request, episode, about)
        if self._asker.begin(question):
            self.question = question
            return True
        if question.refusal == "budget":
            self._tell_budget()
            self._not_before = question.episode + self._interval
        self._asker.stopped |= question.refusal == "key"
        return False

    def _tell_budget(self) -> None:
        if not self._told_budget:
            self.notice(f"{self._asker.spent()}. {self._meanwhile}")
        self._told_budget = True

    def collect(self, episode: int) -> Question | None:
        """The question whose outcome is to be used now; its failure has been told already."""
        question = self.question
        if question is None or not self._ready(question, episode):
            return None
        self.question = None
        self._asker.settle(question, episode)
        if question.outcome is not None and question.outcome.trouble is not None:
            self.fail(question.outcome.trouble, episode)
        return question

    def _ready(self, question: Question, episode: int) -> bool:
        """Whether the outcome is there and its time has come; waits for it only where the options say so."""
        after = self.options.apply_after
        due = episode if after is None else question.episode + after
        if question.known is not None:
            recorded = question.known.episode
            due = recorded if after is None and recorded is not None else due
        waits = question.known is None and after is not None and episode >= due
        outcome = self._asker.poll(question, self.options.deadline_s + GRACE_S if waits else 0.0)
        return outcome is not None and episode >= due

    def fail(self, trouble: Trouble, episode: int) -> None:
        """Tells what went wrong, and asks less often, or no more."""
        self._asker.stopped |= trouble.kind == "key"
        pause = self._interval * min(2**self._failures, LONGEST_BACK_OFF)
        self._failures += 1
        self._not_before = episode + pause
        then = "It is not asked again" if self._asker.stopped else f"It is asked again after {pause} episodes"
        self.notice(f"Claude gave no usable answer at episode {episode}: {trouble.text}. {self._meanwhile}. {then}")

    def succeed(self) -> None:
        """Forgets earlier failures, because an answer was of use."""
        self._failures = 0

    def close(self) -> None:
        """Ends the client's thread."""
        self._asker.close()

    def state_dict(self) -> dict[str, Any]:
        """Counts, and the question on its way; JSON-ready."""
        asked = self.question
        return {
            **self._asker.state_dict(),
            "failures": self._failures,
            "not_before": self._not_before,
            "told_budget": self._told_budget,
            "question": asked and {"request": asked.request, "episode": asked.episode, "about": asked.about},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Brings `state_dict` back; the question on its way is answered by the record, or sent again."""
        self._asker.load_state_dict(state)
        self._failures, self._not_before = state["failures"], state["not_before"]
        self._told_budget = state["told_budget"]
        self.question = None
        if state["question"] is not None:
            self.ask(**state["question"])

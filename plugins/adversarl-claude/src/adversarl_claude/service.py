"""Asking within a budget: every call is metered and recorded, and a resumed run does not pay twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adversarl.interfaces.trials import Services
from adversarl_claude.client import KEY, Client, Outcome
from adversarl_claude.meter import Meter
from adversarl_claude.options import ServiceOptions
from adversarl_claude.record import Known, Record, identity
from adversarl_claude.troubles import Trouble, plain

LONGEST_BACK_OFF = 8
"""Most intervals between two questions while the service is away."""
GRACE_S = 10.0
"""How much longer than its deadline a late answer is waited for [s]."""


@dataclass(slots=True)
class Question:
    """A request on its way.

    Attributes:
        name: Its `identity`.
        request: Keyword arguments of `AsyncAnthropic.messages.create`; JSON-ready.
        episode: The episode at which it was asked.
        about: What the asker wants to remember; JSON-ready.
        ticket: The client's, unless an earlier process has the answer.
        known: What an earlier process found out.
        outcome: How it ended, once that is known.
    """

    name: str
    request: dict[str, Any]
    episode: int
    about: dict[str, Any]
    ticket: int | None = None
    known: Known | None = None
    outcome: Outcome | None = None


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

    def __init__(self, options: ServiceOptions, source: str, interval: int, meanwhile: str) -> None:
        self.options, self._source, self._interval, self._meanwhile = options, source, interval, meanwhile
        self.meter = Meter(options.price(), options.max_cost_usd)
        self.record = Record(None, source, self.meter.price)
        self.notice: Callable[[str], None] = lambda text: None
        self.question: Question | None = None
        self._client: Client | None = None
        self._stopped = True
        self._told_budget = False
        self._failures = 0
        self._not_before = 0
        self._done = list[str]()

    def connect(self, services: Services) -> None:
        """Takes the key from the environment, and what an earlier process of the run recorded."""
        self.notice = lambda text: services.notice(plain(text))
        self.record = Record(services.folder, self._source, self.meter.price)
        self.meter.interrupted_usd = self.record.interrupted_usd
        self._client, self._stopped = Client(self.options), False
        if not self._client.has_key:
            self.notice(f"{KEY} is not set in the environment, so Claude is not asked. {self._meanwhile}")

    def free(self, episode: int) -> bool:
        """Whether something may be asked now."""
        return self.question is None and not self._stopped and episode >= self._not_before

    def ask(self, request: dict[str, Any], episode: int, about: dict[str, Any]) -> bool:
        """Sends a request, unless its answer is known already; returns whether there is going to be an outcome."""
        name = identity(request)
        question = Question(name, request, episode, about, known=self.record.known(name))
        if question.known is None and not self._send(question):
            return False
        self.question = question
        return True

    def _send(self, question: Question) -> bool:
        client, meter = self._client, self.meter
        if client is None or not client.has_key:
            self._stopped = True
            return False
        attempts = meter.attempts(question.request, self.record.paid_usd, 1 + self.options.max_retries)
        if not attempts:
            self._tell_budget()
            self._not_before = question.episode + self._interval
            return False
        self.record.asked(question.name, question.request, question.episode, attempts)
        question.ticket = client.submit(question.request, attempts - 1)
        return True

    def _tell_budget(self) -> None:
        if not self._told_budget:
            meter = self.meter
            spent = f"{meter.cost_usd:.4f} of max_cost_usd = {meter.max_cost_usd:g} USD are spent"
            if unsure := meter.lost_usd + meter.interrupted_usd:
                spent += f", perhaps {unsure:.4f} more for answers that were lost"
            self.notice(f"{spent}, and the next question to Claude could exceed it. {self._meanwhile}")
        self._told_budget = True

    def collect(self, episode: int) -> Question | None:
        """The question whose outcome is to be used now; its failure has been told already."""
        question = self.question
        if question is None or not self._ready(question, episode):
            return None
        self.question = None
        self._done.append(question.name)
        self.record.used(question.name, episode)
        outcome = question.outcome
        if outcome is not None:
            self.meter.lose(question.request, outcome.lost)
        if outcome is not None and outcome.response is not None:
            self.meter.count(outcome.response)
        elif outcome is not None and outcome.trouble is not None:
            self.meter.fail()
            self.fail(outcome.trouble, episode)
        return question

    def _ready(self, question: Question, episode: int) -> bool:
        """Whether the outcome is there and its time has come; waits for it only where the options say so."""
        after = self.options.apply_after
        due = episode if after is None else question.episode + after
        if question.known is not None:
            recorded = question.known.episode
            due = recorded if after is None and recorded is not None else due
            question.outcome = question.known.outcome
        elif question.outcome is None and question.ticket is not None and self._client is not None:
            wait_s = self.options.deadline_s + GRACE_S if after is not None and episode >= due else 0.0
            question.outcome = self._client.poll(question.ticket, wait_s)
            if question.outcome is not None:
                self.record.ended(question.name, question.outcome)
        return question.outcome is not None and episode >= due

    def fail(self, trouble: Trouble, episode: int) -> None:
        """Tells what went wrong, and asks less often, or no more."""
        self._stopped = self._stopped or trouble.kind == "key"
        pause = self._interval * min(2**self._failures, LONGEST_BACK_OFF)
        self._failures += 1
        self._not_before = episode + pause
        then = "It is not asked again" if self._stopped else f"It is asked again after {pause} episodes"
        self.notice(f"Claude gave no usable answer at episode {episode}: {trouble.text}. {self._meanwhile}. {then}")

    def succeed(self) -> None:
        """Forgets earlier failures, because an answer was of use."""
        self._failures = 0

    def close(self) -> None:
        """Ends the client's thread."""
        if self._client is not None:
            self._client.close()

    def state_dict(self) -> dict[str, Any]:
        """Counts, and the question on its way; JSON-ready."""
        asked = self.question
        return {
            "meter": self.meter.state_dict(),
            "failures": self._failures,
            "not_before": self._not_before,
            "told_budget": self._told_budget,
            "done": list(self._done),
            "question": asked and {"request": asked.request, "episode": asked.episode, "about": asked.about},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Brings `state_dict` back; the question on its way is answered by the record, or sent again."""
        self.meter.load_state_dict(state["meter"])
        self._failures, self._not_before, self._done = state["failures"], state["not_before"], list(state["done"])
        self._told_budget = state["told_budget"]
        self.record.forget(self._done)
        self.question = None
        if state["question"] is not None:
            self.ask(**state["question"])

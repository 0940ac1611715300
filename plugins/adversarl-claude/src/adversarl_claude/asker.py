"""Questions within a budget: each is metered and recorded, and a resumed run does not pay for one twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from weakref import WeakValueDictionary

from adversarl_claude.client import Client, Outcome
from adversarl_claude.meter import Meter, worst_case_usd
from adversarl_claude.options import ServiceOptions
from adversarl_claude.record import Known, Record, identity

AT_ONCE = 4
"""Most questions on their way at the same time."""
PATIENCE_S = 1.0
"""How long an answer is waited for before it is looked whether the asker was closed [s]."""

Refusal = Literal["", "stopped", "key", "budget"]
"""Why a question was not sent: nothing is any more, there is no key, or it could exceed the budget."""

_SOURCES: WeakValueDictionary[tuple[Path, str], Asker] = WeakValueDictionary()
"""Who writes to the record of which run folder, under which name."""


@dataclass(slots=True)
class Question:
    """A request on its way.

    Attributes:
        name: Its `identity`.
        request: Keyword arguments of `AsyncAnthropic.messages.create`; JSON-ready.
        episode: The episode, or the number of the occasion, at which it was asked.
        about: What the asker wants to remember; JSON-ready.
        ticket: The client's, unless an earlier process has the answer.
        known: What an earlier process found out.
        outcome: How it ended, once that is known.
        refusal: Why it was not sent.
    """

    name: str
    request: dict[str, Any]
    episode: int
    about: dict[str, Any] = field(default_factory=dict)
    ticket: int | None = None
    known: Known | None = None
    outcome: Outcome | None = None
    refusal: Refusal = ""


class Asker:
    """Sends questions, within a budget and on the record.

    Its owner calls it so::

        asker.connect(folder)
        for question in asker.answers(requests, occasion):     # waits for all of them
            use(question.outcome)

    or, without waiting, `begin`, `poll` until there is an outcome, and `settle`.

    Args:
        options: How Claude is reached.
        source: Who asks, for the record.
        pictures: Whether the record keeps pictures whole.
        several: Whether others of that name may share a run folder; each then gets a number, by the order of `connect`.
    """

    def __init__(self, options: ServiceOptions, source: str, *, pictures: bool = True, several: bool = False) -> None:
        self.options, self.source, self._pictures, self._several = options, source, pictures, several
        self.meter = Meter(options.price(), options.max_cost_usd)
        self.record = Record(None, source, self.meter.price)
        self.stopped = True
        """Whether nothing is sent any more; what is known already is used all the same."""
        self._client: Client | None = None
        self._on_their_way: dict[str, float] = {}
        self._done = list[str]()

    def connect(self, folder: Path | None) -> None:
        """Takes the key from the environment, and what an earlier process of the run recorded."""
        if folder is not None and self._several:
            names = (self.source if number == 1 else f"{self.source}-{number}" for number in range(1, 1000))
            self.source = next(name for name in names if (folder, name) not in _SOURCES)
            _SOURCES[folder, self.source] = self
        self.record = Record(folder, self.source, self.meter.price, pictures=self._pictures)
        self.meter.interrupted_usd = self.record.interrupted_usd
        self._client, self.stopped = Client(self.options), False

    @property
    def connected(self) -> bool:
        """Whether it was told where the run lies."""
        return self._client is not None

    @property
    def has_key(self) -> bool:
        """Whether the environment names a key."""
        return self._client is not None and self._client.has_key

    def begin(self, question: Question) -> bool:
        """Sends a question, unless its answer is known already; returns whether there is going to be an outcome."""
        question.known = self.record.known(question.name)
        if question.known is None:
            question.refusal = self._send(question)
        return not question.refusal

    def _send(self, question: Question) -> Refusal:
        client = self._client
        if client is None or self.stopped:
            return "stopped"
        if not client.has_key:
            return "key"
        attempts = self._attempts(question)
        if not attempts:
            return "budget"
        self.record.asked(question.name, question.request, question.episode, attempts)
        self._on_their_way[question.name] = attempts * worst_case_usd(question.request, self.meter.price)
        question.ticket = client.submit(question.request, attempts - 1)
        return ""

    def _attempts(self, question: Question) -> int:
        """How often a question may be sent, beside those that are on their way."""
        more_usd = self.record.paid_usd + sum(self._on_their_way.values())
        return self.meter.attempts(question.request, more_usd, self._most)

    @property
    def _most(self) -> int:
        return 1 + self.options.max_retries

    def poll(self, question: Question, wait_s: float = 0.0) -> Outcome | None:
        """How a question ended, None while it is on its way; waits for it so long [s]."""
        if question.outcome is None and question.known is not None:
            question.outcome = question.known.outcome
        elif question.outcome is None and question.ticket is not None and self._client is not None:
            question.outcome = self._client.poll(question.ticket, wait_s)
            if question.outcome is not None:
                self.record.ended(question.name, question.outcome)
        return question.outcome

    def settle(self, question: Question, episode: int) -> None:
        """Books a question whose outcome is used now."""
        self._on_their_way.pop(question.name, None)
        self._done.append(question.name)
        self.record.used(question.name, episode)
        if question.outcome is not None:
            self.meter.lose(question.request, question.outcome.lost)
            if question.outcome.response is not None:
                self.meter.count(question.outcome.response)
            else:
                self.meter.fail()

    def answers(self, requests: Sequence[dict[str, Any]], occasion: int) -> list[Question]:
        """Asks several questions at the same time and waits for all; those that were refused have no outcome.

        What a question on its way may cost is not at the disposal of the next one, which then waits for it.

        Args:
            requests: Arguments of `AsyncAnthropic.messages.create`, no two equal.
            occasion: Its running number, for the record.
        """
        questions = [Question(identity(request), request, occasion) for request in requests]
        flying = deque[Question]()
        for question in questions:
            while flying and (len(flying) >= AT_ONCE or self._attempts(question) < self._most):
                self._land(flying.popleft())
            if self.begin(question):
                flying.append(question)
        while flying:
            self._land(flying.popleft())
        return questions

    def _land(self, question: Question) -> None:
        while self.poll(question, PATIENCE_S) is None:
            continue
        self.settle(question, question.episode)

    def spent(self) -> str:
        """What was spent, for a notice that the next question could exceed the budget."""
        meter = self.meter
        spent = f"{meter.cost_usd:.4f} of max_cost_usd = {meter.max_cost_usd:g} USD are spent"
        if unsure := meter.lost_usd + meter.interrupted_usd:
            spent += f", perhaps {unsure:.4f} more for answers that were lost"
        return f"{spent}, and the next question to Claude could exceed it"

    def close(self) -> None:
        """Ends the client's thread; whoever waits for an answer is told by a `CancelledError`."""
        self.stopped = True
        for key in [key for key, asker in _SOURCES.items() if asker is self]:
            del _SOURCES[key]
        if self._client is not None:
            self._client.close()

    def state_dict(self) -> dict[str, Any]:
        """Counts, and what was settled; JSON-ready."""
        return {"meter": self.meter.state_dict(), "done": list(self._done)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.meter.load_state_dict(state["meter"])
        self._done = list(state["done"])
        self.record.forget(self._done)

"""Claude as a curriculum: it reads failure reports and answers with prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.trials import Services, Trace
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_claude.album import Album
from adversarl_claude.asker import Question
from adversarl_claude.effects import Effects
from adversarl_claude.messages import Unusable, request, returned, tool_input, tool_of
from adversarl_claude.options import EpisodicOptions
from adversarl_claude.plan import DESCRIPTION, MOST_REFUSALS, TOOL, Plan, Planned, draw, planned_from, read
from adversarl_claude.service import Service
from adversarl_claude.situation import situation
from adversarl_claude.static import curriculum_text
from adversarl_claude.troubles import Trouble

SOONER = 4
"""A changed report brings the next question forward to this part of `ask_every`."""


class ClaudeOptions(EpisodicOptions, CurriculumOptions):
    """Options of `Claude`."""

    fallback: dict[str, Any] = Field(
        {"use": "rules"},
        description="Table of the curriculum that proposes until there is an answer, and while there is none.",
    )
    ask_every: int = Field(
        200, ge=1, description="Episodes between two questions; a quarter of that when the failure report changes."
    )
    stale_after: int = Field(
        1000, ge=1, description="Episodes after which a plan is used no more if no new one came; the fallback proposes."
    )
    plan_size: int = Field(12, ge=1, le=24, description="Proposals of a plan that Claude is asked for.")
    frames: int = Field(
        0, ge=0, le=8, description="Last pictures of failed episodes that go with a question; 0 sends none."
    )
    instructions: str = Field(
        "", description="Instructions that replace those of the package; task and axes are added. Empty: the package's."
    )

    @field_validator("fallback")
    @classmethod
    def _another(cls, table: dict[str, Any]) -> dict[str, Any]:
        if table.get("use") == "claude":
            raise ValueError("must be another curriculum than 'claude', because it stands in for it. Use 'rules'")
        return table


class Claude(CurriculumStrategy):
    """Draws from the plan that Claude last answered with, and from the fallback while there is none.

    A question goes out every `ask_every` episodes, or sooner when the failure report changes; nothing waits for the
    answer. Prompts that the world does not understand completely go back once with the reason; those that it does
    understand are in use meanwhile. The fallback proposes until the first answer, when a plan is stale or the guard
    refused all of it, and so training goes on whatever happens to the service; every such event is a notice.

    Only what the network brings, and when, is not drawn from `rng`. Both are recorded (`Record`), so that a resumed run
    repeats them, and `apply_after` fixes when.
    """

    Options: ClassVar[type[CurriculumOptions]] = ClaudeOptions
    options: ClaudeOptions

    def __init__(self, options: ClaudeOptions, world: World, rng: np.random.Generator) -> None:
        """Makes the fallback.

        Raises:
            AdversarlError: The fallback's table is wrong.
        """
        super().__init__(options, world, rng)
        self.fallback = world.part("fallback", options.fallback, world, rng)
        self.traces = options.frames > 0 or self.fallback.traces
        self.values = self.fallback.values
        meanwhile = f"The fallback '{options.fallback.get('use')}' proposes where no plan of Claude's is in use"
        self.service = Service(options, "curriculum", options.ask_every, meanwhile)
        self._effects, self._album = Effects(), Album(options.frames)
        self._plan = list[Planned]()
        self._plan_since = self._asked_at = 0
        self._blamed = list[str]()
        self._seen = -1
        self._drawn: dict[int, Planned] = {}
        self._counts = {"plans": 0, "dropped": 0, "proposed": 0, "proposed_by_fallback": 0}

    def connect(self, services: Services) -> None:
        """Takes the run folder and what tells the user; the fallback is connected too."""
        self.service.connect(services)
        self.fallback.connect(services)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal of the plan, or what the fallback proposes."""
        if slot.episode != self._seen:
            self._seen = slot.episode
            self._listen(slot.episode)
            self._ask(slot.episode, report)
        self._drawn.pop(slot.env, None)
        if not self._plan:
            self._counts["proposed_by_fallback"] += 1
            return self.fallback.propose(slot, report)
        self._counts["proposed"] += 1
        self._drawn[slot.env] = planned = draw(self._plan, self.rng)
        return (planned.proposal(self.world.max_episode_steps),)

    def _ask(self, episode: int, report: FailureReport) -> None:
        """Asks for a plan where it is time."""
        since = episode - self._asked_at
        blamed = sorted({mode.axis for mode in report.modes})
        changed = (report.changed or blamed != self._blamed) and since * SOONER >= self.options.ask_every
        if not self.service.free(episode) or not (changed or since >= self.options.ask_every):
            return
        text = situation(report, episode, self._effects.table(), self.service.meter)
        content = [*self._album.pages(), {"type": "text", "text": text}]
        if self.service.ask(self._request([{"role": "user", "content": content}]), episode, {"again": False, "had": 0}):
            self._asked_at, self._blamed = episode, blamed

    def _request(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        options = self.options
        static = curriculum_text(self.world, options.plan_size, options.clean_share, options.instructions)
        return request(options, static, tool_of(TOOL, DESCRIPTION, Plan), messages)

    def _listen(self, episode: int) -> None:
        """Uses an answer that has come, and gives a stale plan up."""
        question = self.service.collect(episode)
        if question is not None and question.outcome is not None and question.outcome.response is not None:
            self._use(question, question.outcome.response, episode)
        if self._plan and episode - self._plan_since >= self.options.stale_after:
            self._give_up(f"the plan of episode {self._plan_since} is stale at episode {episode}")

    def _use(self, question: Question, response: dict[str, Any], episode: int) -> None:
        """Puts what the world understands into use; the rest goes back, or is dropped the second time."""
        again, had = question.about["again"], question.about["had"]
        try:
            answer = tool_input(response, TOOL)
            good, bad = read(answer, self.world.ground, 2 * self.options.plan_size)
        except Unusable as error:
            good, bad = [], [("the answer", str(error))]
        if good:
            self.service.succeed()
            self._plan = [*self._plan, *good] if had else good
            self._plan_since = episode
            self._counts["plans"] += not had
            self._effects.propose({p.item.prompt: p.item.expected_success for p in good}, episode)
        if bad and (again or not self._send_back(question, response, bad, len(good), episode)):
            self._drop(question.name, bad, episode, nothing=not good and not had)

    def _send_back(
        self, question: Question, response: dict[str, Any], bad: Sequence[tuple[str, str]], had: int, episode: int
    ) -> bool:
        """Asks for the unusable part of an answer again, with the reasons; returns whether it could be asked."""
        reasons = "\n".join(f'- "{what}": {why}' for what, why in bad)
        text = f"These cannot be used. Call {TOOL} again with replacements for them, and only for them:\n{reasons}"
        messages = returned(question.request["messages"], response, text)
        return self.service.ask(self._request(messages), episode, {"again": True, "had": had})

    def _drop(self, name: str, bad: Sequence[tuple[str, str]], episode: int, *, nothing: bool) -> None:
        for what, why in bad:
            self.service.record.dropped(name, what, why)
        self._counts["dropped"] += len(bad)
        listed = "; ".join(f'"{what}" ({why})' for what, why in bad)
        self.service.notice(f"dropped from Claude's plan at episode {episode}: {listed}")
        if nothing:
            self.service.fail(Trouble("answer", "nothing of the answer can be used"), episode)

    def _give_up(self, why: str) -> None:
        self._plan = []
        self.service.notice(f"{why}: the fallback '{self.options.fallback.get('use')}' proposes until a new one comes")

    def refuse(self, slot: Slot) -> None:
        """Takes note of a refusal; what the guard refuses thrice leaves the plan."""
        planned = self._drawn.pop(slot.env, None)
        if planned is None:
            self.fallback.refuse(slot)
            return
        planned.refused += 1
        self._effects.refuse(planned.item.prompt)
        if planned.refused >= MOST_REFUSALS and planned in self._plan:
            self._plan.remove(planned)
            if not self._plan:
                self._give_up("the guard refused every proposal of Claude's plan")

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Keeps the last picture of a failure."""
        if self.options.frames:
            self._album.add(episode, trace)
        if self.fallback.traces:
            self.fallback.watch(episode, trace)

    def observe(self, episode: Episode) -> None:
        """Takes note of the success under the prompts of an episode."""
        self._effects.observe(episode)
        self.fallback.observe(episode)

    def close(self) -> None:
        """Ends the thread that asks."""
        self.service.close()
        self.fallback.close()

    def scalars(self) -> dict[str, float]:
        """Calls, tokens and cost, and how much is proposed by whom, under ``claude/``; the fallback's beside them."""
        counts: dict[str, float] = {f"claude/{name}": count for name, count in self._counts.items()}
        return {**self.fallback.scalars(), **self.service.meter.scalars("claude/"), **counts}

    def state_dict(self) -> dict[str, Any]:
        """The plan, what became of prompts, the question on its way, and the fallback; JSON-ready."""
        return {
            "plan": [planned.state_dict() for planned in self._plan],
            "times": [self._plan_since, self._asked_at, self._seen],
            "blamed": list(self._blamed),
            "counts": dict(self._counts),
            "effects": self._effects.state_dict(),
            "album": self._album.state_dict(),
            "service": self.service.state_dict(),
            "fallback": self.fallback.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._plan = [planned_from(planned) for planned in state["plan"]]
        self._plan_since, self._asked_at, self._seen = state["times"]
        self._blamed, self._counts = list(state["blamed"]), dict(state["counts"])
        self._drawn = {}
        self._effects.load_state_dict(state["effects"])
        self._album.load_state_dict(state["album"])
        self.service.load_state_dict(state["service"])
        self.fallback.load_state_dict(state["fallback"])

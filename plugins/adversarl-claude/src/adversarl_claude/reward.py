"""Reward detector `claude`: a vision model is asked whether the task is solved in a picture."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.detection import FrameDetector, FrameOptions, Judgement
from adversarl.interfaces.backend import Notice
from adversarl.interfaces.reward import RewardOptions, Score, Step
from adversarl_claude.asker import Asker, Question
from adversarl_claude.client import KEY
from adversarl_claude.frames import blocks, png
from adversarl_claude.judging import DESCRIPTION, TOOL, Memory, Sight, Sights, read
from adversarl_claude.messages import Unusable, request, returned, tool_input, tool_of
from adversarl_claude.options import ServiceOptions
from adversarl_claude.static import reward_text
from adversarl_claude.troubles import Trouble, plain

REMEMBERED = 10_000
"""Most pictures whose answers are kept, so that an equal one is not asked about again."""
LONGEST_BACK_OFF = 32
"""Most judgements from one question to the next while nothing usable comes back."""


class ClaudeRewardOptions(ServiceOptions, FrameOptions):
    """Options of `ClaudeReward`; cheaper and more patient than those of other detectors."""

    model: str = Field("claude-haiku-5-5", description="Name of the model, as Anthropic's API takes it.")
    max_tokens: int = Field(
        4_000,
        ge=256,
        le=21_000,
        description="Most tokens of an answer, thinking included; bounds what one call costs.",
    )
    timeout_s: float = Field(60.0, gt=0, description="Time limit of one attempt [s].")
    deadline_s: float = Field(180.0, gt=0, description="Time limit of a call with all its retries and waits [s].")
    frames_per_question: int = Field(4, ge=1, le=20, description="Most pictures that one question shows.")
    solved_when: str = Field(
        "", description="What can be seen when the task is solved, in English; told to the model beside the task."
    )
    instructions: str = Field("", description="Replaces the text on how to judge; the task is added to it.")
    record_pictures: bool = Field(
        False, description="Whether claude.jsonl keeps the pictures, at about 10 kB each, rather than their hashes."
    )
    give_up_after: int = Field(
        100, ge=1, description="A run whose reward this is stops after so many judgements on end without an answer."
    )
    hold: int = Field(1, ge=1, le=1000, description="So many judged pictures on end must say yes.")
    confidence: float = Field(
        0.7, ge=0.5, lt=1, description="A verdict less sure than this, either way, counts as none [1]."
    )
    every: int = Field(20, ge=1, le=1000, description="Judge every so many control steps, and when the time is up.")
    delay: int = Field(
        20,
        ge=0,
        le=1000,
        description="Judge in the background, and use a verdict exactly so many control steps after its picture, so "
        "that a run can be repeated [control steps]; 0 waits for it.",
    )


class ClaudeReward(FrameDetector):
    """Asks a vision model about pictures, several in a question, and several questions at the same time.

    The probability of success is the model's confidence after a yes, and 1 minus it after a no; see `Sight`. Equal
    pictures are asked about once. Where there is no answer it abstains: without a key, while the service is away, when
    an answer cannot be used twice, and when the next question could exceed the budget. As the reward it then is
    `exhausted` if nothing can mend it while the run goes on: no key or one that is refused, no budget, no answer for
    `give_up_after` judgements.

    Every question is recorded and metered; after a crash what was answered already is not asked and paid again.
    """

    Options: ClassVar[type[RewardOptions]] = ClaudeRewardOptions
    options: ClaudeRewardOptions

    def __init__(self, options: ClaudeRewardOptions) -> None:
        super().__init__(options)
        self.asker = Asker(options, "reward", pictures=options.record_pictures, several=True)
        self._notice: Notice = lambda text: None
        self._lock = RLock()
        self._tool = tool_of(TOOL, DESCRIPTION, Sights)
        self._memory = Memory(REMEMBERED)
        self._told, self._untold = set[str](), list[str]()
        self._counts = {"judgements": 0, "silent": 0, "pictures": 0, "cached": 0, "dropped": 0}

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Takes the key from the environment, and what an earlier process of the run recorded."""
        self._notice = notice
        self.asker.connect(folder)

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Asks about those pictures that are new, and waits for the answers; nan where there is none."""
        with self._lock:
            static = reward_text(task, self.options.solved_when, self.options.instructions)
            names = [self._name(frame, static) for frame in frames]
            seen = {name: sight for name in names if (sight := self._memory.get(name)) is not None}
            new = {name: frame for name, frame in zip(names, frames, strict=True) if name not in seen}
            self._counts["pictures"] += len(names)
            self._counts["cached"] += len(names) - len(new)
            if new:
                seen |= self._ask(new, static)
        sights = [seen.get(name) for name in names]
        return Judgement(
            np.array([math.nan if sight is None else sight.probability for sight in sights], np.float64),
            np.array([math.nan if sight is None else sight.progress for sight in sights], np.float64),
            tuple("" if sight is None else sight.shows for sight in sights),
        )

    def _name(self, frame: NDArray[np.uint8], static: str) -> str:
        """The same for equal pictures under the same task, instructions and model."""
        head = f"{self.options.model}\n{frame.shape}\n{static}\n".encode()
        return hashlib.sha256(head + frame.tobytes()).hexdigest()[:24]

    def _ask(self, new: Mapping[str, NDArray[np.uint8]], static: str) -> dict[str, Sight]:
        """What is said of new pictures, by name; an answer that cannot be used goes back once."""
        if not self.asker.connected:
            self.asker.connect(None)
        self._counts["judgements"] += 1
        found: dict[str, Sight] = {}
        if self._its_turn():
            names, size = list(new), self.options.frames_per_question
            groups = [names[first : first + size] for first in range(0, len(names), size)]
            waiting = [(group, self._request([new[name] for name in group], static)) for group in groups]
            for again in (False, True):
                asked = self.asker.answers([question for _, question in waiting], self._counts["judgements"])
                pairs = zip(waiting, asked, strict=True)
                back = [self._use(group, question, found, again=again) for (group, _), question in pairs]
                waiting = [one for one in back if one is not None]
        self._counts["silent"] = 0 if found else self._counts["silent"] + 1
        if self._counts["silent"] >= self.options.give_up_after:
            self._exhaust(f"Claude gave no usable answer in {self._counts['silent']} judgements on end")
        for name, sight in found.items():
            self._memory.put(name, sight)
        return found

    def _its_turn(self) -> bool:
        """Whether to ask now: less and less often while nothing comes back."""
        silent = self._counts["silent"]
        return silent & (silent - 1) == 0 or silent % LONGEST_BACK_OFF == 0

    def _request(self, frames: Sequence[NDArray[np.uint8]], static: str) -> dict[str, Any]:
        content = [
            block for number, frame in enumerate(frames, 1) for block in blocks(f"Picture {number}:", png(frame))
        ]
        content.append({"type": "text", "text": f"{len(frames)} picture(s). Call {TOOL} now."})
        return request(self.options, static, self._tool, [{"role": "user", "content": content}])

    def _use(
        self, group: list[str], question: Question, found: dict[str, Sight], *, again: bool
    ) -> tuple[list[str], dict[str, Any]] | None:
        """Takes what an answer says of a group of pictures; returns what is to be asked instead, if anything."""
        outcome = question.outcome
        if outcome is None:
            self._refused(question)
        elif outcome.trouble is not None:
            self._fail(outcome.trouble)
        elif outcome.response is not None:
            try:
                found |= zip(group, read(tool_input(outcome.response, TOOL), len(group)), strict=True)
            except Unusable as error:
                if not again:
                    messages = returned(question.request["messages"], outcome.response, str(error))
                    return group, {**question.request, "messages": messages}
                self.asker.record.dropped(question.name, "the answer", str(error))
                self._counts["dropped"] += 1
                self._fail(Trouble("answer", f"the answer cannot be used: {error}"))
        return None

    def _refused(self, question: Question) -> None:
        if question.refusal == "key":
            self._exhaust(f"{KEY} is not set, so Claude cannot be asked. Set it in the environment: export {KEY}=KEY")
        elif question.refusal == "budget":
            self._exhaust(f"{self.asker.spent()}. Set a higher max_cost_usd")
        self.asker.stopped = True

    def _fail(self, trouble: Trouble) -> None:
        if trouble.kind == "key":
            self._exhaust(f"Claude cannot be asked: {trouble.text}")
            self.asker.stopped = True
        else:
            self._tell(trouble.kind, f"Claude gave no usable answer: {trouble.text}. The detector abstains meanwhile")

    def _exhaust(self, why: str) -> None:
        self.exhausted = self.exhausted or plain(why)
        self._tell("exhausted", f"{why}. The detector abstains")

    def _tell(self, kind: str, text: str) -> None:
        """Keeps a notice for the loop's own thread, the first of its kind."""
        if kind not in self._told:
            self._told.add(kind)
            self._untold.append(plain(text))

    def _speak(self) -> None:
        while self._untold:
            self._notice(self._untold.pop(0))

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_], task: str = "") -> None:
        """As every detector; tells what there is to tell."""
        super().begin(frames, starting, task)
        self._speak()

    def score(self, step: Step) -> Score:
        """As every detector; tells what there is to tell."""
        score = super().score(step)
        self._speak()
        return score

    def verdict(self, step: Step, ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """As every detector; tells what there is to tell."""
        found = super().verdict(step, ended)
        self._speak()
        return found

    def scalars(self) -> dict[str, float]:
        """What every detector measures, calls, errors, tokens and cost, and the share of pictures known already."""
        self._speak()
        counts = self._counts
        share = {"cached": counts["cached"] / max(1, counts["pictures"]), "dropped": float(counts["dropped"])}
        return {**super().scalars(), **self.asker.meter.scalars(), **share}

    def close(self) -> None:
        """Ends the threads that ask and judge; what is on its way is given up."""
        self.asker.close()
        super().close()
        self.asker.close()

    def state_dict(self) -> dict[str, Any]:
        """What every detector keeps, and answers, counts and what was told."""
        state = super().state_dict()  # waits for pictures on their way
        self._speak()
        asker, memory = self.asker.state_dict(), self._memory.state_dict()
        own = {"asker": asker, "memory": memory, "told": sorted(self._told), "counts": dict(self._counts)}
        return state | {"claude": own | {"exhausted": bool(self.exhausted)}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back; a run that had to stop tries anew."""
        super().load_state_dict(state)
        own = state["claude"]
        self._told, self._counts = set(own["told"]), dict(own["counts"])
        if own["exhausted"]:
            self._counts["silent"] = 0
            self._told.discard("exhausted")
        self._memory.load_state_dict(own["memory"])
        self.asker.load_state_dict(own["asker"])

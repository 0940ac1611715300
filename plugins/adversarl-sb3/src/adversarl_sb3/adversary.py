"""A second policy that proposes conditions: paid for what the first can learn, not for its failures."""

from __future__ import annotations

import adversarl_sb3.openmp  # noqa: F401  # isort: skip  # before torch

from collections.abc import Sequence
from math import exp
from typing import Any, ClassVar

import numpy as np

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.trials import Services
from adversarl.phrases import chosen_axes
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_sb3.adversary_antagonist import Antagonist
from adversarl_sb3.adversary_challenge import Challenge
from adversarl_sb3.adversary_knowledge import Knowledge
from adversarl_sb3.adversary_menu import Choice, Menu
from adversarl_sb3.adversary_options import AdversaryOptions
from adversarl_sb3.adversary_ppo import ProposalPPO, Transition
from adversarl_sb3.adversary_scores import SCORES

PACE = 0.05
"""Weight of the newest success in the usual length of a success."""


class Adversary(CurriculumStrategy):
    """Stable-Baselines3's PPO over a contextual environment whose actions are proposals.

    It sees how the policy in training has fared lately (`Knowledge`) and picks what to vary, on which target, how much
    and from when on (`Menu`). A proposal is given to `proposal_repeats` episodes; when they are over it is a finished
    one-step episode of the adversary, rewarded by its `objective`. Every `n_steps` of them there is an update. Rewards
    arrive in another order than proposals were made, which one-step episodes do not mind.

    An adversary paid for failures alone is drawn to what nobody can solve and teaches less than plain randomization
    (Dennis et al. 2020). `regret` pays for what an antagonist solves and the policy does not, `learnability` for
    p (1 - p); `minimax` is there to be compared with. A proposal that the guard refuses is a failure of everyone: worth
    nothing for regret and, alone, for learnability, and most for minimax, which would be another objective otherwise.
    """

    Options: ClassVar[type[CurriculumOptions]] = AdversaryOptions
    options: AdversaryOptions

    def __init__(self, options: AdversaryOptions, world: World, rng: np.random.Generator) -> None:
        """Builds the menu, and an untrained policy over it.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
            GroundingError: The world takes the phrase of an axis for something else.
        """
        super().__init__(options, world, rng)
        self.menu = Menu(world, chosen_axes(world, options.axes), options.step, options.onsets)
        self.knowledge = Knowledge(self.menu.names)
        self.ppo = self._make_ppo()
        self._antagonist = Antagonist("teacher" if options.antagonist is None else "antagonist")
        self._open: list[Challenge] = []
        self._finished: list[Challenge] = []
        self._slots: dict[int, tuple[Challenge, int]] = {}
        self._latest: dict[str, float] = {}
        self._usual_length = world.max_episode_steps / 2

    def _make_ppo(self) -> ProposalPPO:
        o = self.options
        return ProposalPPO(
            self.knowledge.size,
            self.menu.space,
            self.rng,
            {"allowed": self.menu.allowed, "uniform_share": o.uniform_share, "net_arch": [o.hidden, o.hidden]},
            n_steps=o.n_steps,
            batch_size=o.batch_size,
            n_epochs=o.n_epochs,
            learning_rate=o.learning_rate,
            clip_range=o.clip_range,
            ent_coef=o.ent_coef,
        )

    def connect(self, services: Services) -> None:
        """Takes the trials in which the antagonist plays."""
        self._antagonist.connect(services)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal: the oldest that has not been handed out often enough, else a new one."""
        self._drop(slot.env)
        challenge = next((one for one in self._open if one.left), None) or self._draw(slot, report)
        challenge.hand_out()
        self._slots[slot.env] = challenge, slot.episode
        choice = self.menu.choice(challenge.action)
        limit = self.world.max_episode_steps
        onset = min(limit - 1, round(choice.onset * self._usual_length))
        return (self.menu.proposal(choice, onset, self._why(challenge, choice, onset), self.rng),)

    def _draw(self, slot: Slot, report: FailureReport) -> Challenge:
        seen = self.knowledge.vector(report, slot.episode)
        action, value, log_prob, uniform = self.ppo.policy.draw(seen, self.rng)
        challenge = Challenge(seen.tolist(), action, value, log_prob, uniform, self.options.proposal_repeats)
        self._open.append(challenge)
        return challenge

    def _why(self, challenge: Challenge, choice: Choice, onset: int) -> str:
        rate, evidence = self.knowledge.expected(challenge.action[0], choice.percent)
        seen = f"about {evidence:.0f} recent episodes near it" if evidence else "untried"
        when = f" from step {onset}" if onset else ""
        how = "a uniform draw" if challenge.uniform else f"its policy's choice, {100 * exp(challenge.log_prob):.2g} %"
        expects = f"expects success of about {100 * rate:.0f} % ({seen})"
        return f"adversary ({self.options.objective}): {expects}: {choice}{when}; {how}"

    def observe(self, episode: Episode) -> None:
        """Takes note of how an episode of a proposal ended, and learns when enough proposals are finished."""
        if episode.success:
            self._usual_length += PACE * (episode.length - self._usual_length)
        challenge, index = self._slots.get(episode.env, (None, -1))
        if challenge is None or index != episode.index or episode.clean:
            self._drop(episode.env)
            return
        del self._slots[episode.env]
        challenge.observe(episode)
        self._learn_what_is_known(challenge, success=episode.success)
        self._finish(challenge)

    def refuse(self, slot: Slot) -> None:
        """Counts a failure of everyone; the next proposal for the slot is another one."""
        challenge, _ = self._slots.pop(slot.env)
        challenge.refuse()
        self._finish(challenge)

    def _drop(self, env: int) -> None:
        """Forgets an episode that was begun and will never be shown as finished."""
        if env in self._slots:
            self._slots.pop(env)[0].take_back()

    def _learn_what_is_known(self, challenge: Challenge, *, success: bool) -> None:
        choice = self.menu.choice(challenge.action)
        self.knowledge.observe(challenge.action[0], choice.percent, success=success)

    def _finish(self, challenge: Challenge) -> None:
        if not challenge.finished:
            return
        self._open = [one for one in self._open if one is not challenge]
        self._finished.append(challenge)
        if len(self._finished) == self.options.n_steps:
            self._update()

    def _update(self) -> None:
        rewards = self._rewards(self._finished)
        transitions = [
            Transition(one.observation, one.action, reward, one.value, one.log_prob)
            for one, reward in zip(self._finished, rewards, strict=True)
        ]
        percents = [self.menu.choice(one.action).percent for one in self._finished]
        episodes = sum(one.episodes for one in self._finished)
        self._latest = {
            **self.ppo.train(transitions),
            "objective": float(np.mean(rewards)),
            "success": sum(one.successes for one in self._finished) / episodes,
            "intensity": float(np.mean(percents)) / 100,
            "updates": self._latest.get("updates", 0) + 1,
        }
        self._finished = []

    def _rewards(self, challenges: Sequence[Challenge]) -> list[float]:
        """The objective of each; all failures are tried at once, because side worlds play many as fast as one."""
        rescued = [0] * len(challenges)
        if self.options.objective == "regret":
            failed = [(index, trial) for index, one in enumerate(challenges) for trial in one.failed]
            for (index, _), solved in zip(failed, self._antagonist.solves([t for _, t in failed]), strict=True):
                rescued[index] += solved
        score = SCORES[self.options.objective]
        return [score(one.outcomes(saved)) for one, saved in zip(challenges, rescued, strict=True)]

    def scalars(self) -> dict[str, float]:
        """The last update's mean objective, loss, entropy [nat], success and intensity, under `curriculum/adversary`.

        Nothing before the first update.
        """
        return {f"curriculum/adversary/{name}": value for name, value in self._latest.items()}

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser, proposals on their way and finished ones, what is known; JSON-ready."""
        return {
            "ppo": self.ppo.state_dict(),
            "antagonist_away": self._antagonist.away,
            "knowledge": self.knowledge.state_dict(),
            "open": [one.to_json() for one in self._open],
            "finished": [one.to_json() for one in self._finished],
            "slots": [[env, self._place(one), episode] for env, (one, episode) in self._slots.items()],
            "latest": dict(self._latest),
            "usual_length": self._usual_length,
        }

    def _place(self, challenge: Challenge) -> int:
        return next(place for place, one in enumerate(self._open) if one is challenge)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.ppo.load_state_dict(state["ppo"])
        self._antagonist.away = state["antagonist_away"]
        self.knowledge.load_state_dict(state["knowledge"])
        self._open = [Challenge.from_json(one) for one in state["open"]]
        self._finished = [Challenge.from_json(one) for one in state["finished"]]
        self._slots = {env: (self._open[place], episode) for env, place, episode in state["slots"]}
        self._latest = dict(state["latest"])
        self._usual_length = state["usual_length"]

"""An episode of training, played again aside, goes the same way to the last bit."""

import numpy as np
import pluggy

from adversarl import hookimpl, hooks
from adversarl.builtin.nothing import NoFailure
from adversarl.builtin.state import StateReward
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy
from adversarl.interfaces.trials import Trial
from adversarl.loop import STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.seeding import generator
from adversarl.testing.fakes import about
from adversarl.trials import SideTrials
from adversarl.types import Perturbation, Proposal

PROMPTS = (
    Proposal("make the object heavier at 60 %, make the actions noisy at 40 % and dim the lights at 50 %", "", onset=3),
    Proposal("push the object around at 30 %", "", onset=5, duration=4),
    Proposal("make the table slippery at 80 % and lower the gravity at 50 %", ""),
    Proposal("delay the actions at 50 %", "", onset=2, duration=6),
    Proposal("back to normal", "", onset=9),
)


class Rotating(CurriculumStrategy):
    """Asks for two of the prompts, another two for each episode."""

    def propose(self, slot, report):
        return (PROMPTS[slot.episode % 5], PROMPTS[(slot.episode + 2) % 5])


class Heard:
    episodes = ()

    @hookimpl
    def adversarl_episode_finished(self, episode):
        self.episodes = (*self.episodes, episode)


def test_an_episode_of_training_is_repeated_to_the_last_bit(open_world):
    options = {"image_size": 16}
    world, streams = open_world(3, **options), {name: generator(0, name) for name in STREAMS}
    manager, heard = pluggy.PluginManager("adversarl"), Heard()
    manager.add_hookspecs(hooks)
    manager.register(heard)
    parts = Parts(
        world,
        Detectors(StateReward(StateReward.Options())),
        NoFailure(NoFailure.Options.model_validate({}), world.axes),
        Rotating(CurriculumOptions(clean_share=0.1), about(world), streams["curriculum"]),
        SideTrials(lambda num_envs: open_world(num_envs, **options), 4),
    )
    loop = ClosedLoop(parts, manager.hook, seed=0, streams=streams)
    loop.reset(seed=0)
    while len(heard.episodes) < 10:
        loop.step(loop.teacher(range(3)))
    outcomes = parts.trials.play([Trial(e.seed, e.perturbations) for e in heard.episodes], "teacher")
    played = [(e.success, e.length, e.total_reward) for e in heard.episodes]
    assert [(o.success, o.length, o.total_reward) for o in outcomes] == played
    assert len({length for _, length, _ in played}) > 1
    nominal = parts.trials.play([Trial(e.seed) for e in heard.episodes], "teacher")
    assert np.mean([o.total_reward for o in nominal] != np.array([row[2] for row in played])) > 0.5


def test_where_nobody_looks_nothing_is_drawn_and_everything_else_is_the_same(open_world):
    drawn, blind = open_world(2, image_size=16), open_world(2, image_size=16)
    blind.pictures = False
    everything = [Perturbation(axis.name, 0.6, seed=n) for n, axis in enumerate(drawn.axes)]
    for world in (drawn, blind):
        world.perturb(range(2), [everything, everything[::2]])
        start = world.reset(seed=[3, 4])[0]["image"]
    rewards = [[world.step(world.teacher(range(2)))[1] for _ in range(8)] for world in (drawn, blind)]
    np.testing.assert_array_equal(*rewards)
    np.testing.assert_array_equal(drawn.state(), blind.state())
    still, _, _, _, _ = blind.step(blind.teacher(range(2)))
    np.testing.assert_array_equal(still["image"], start)
    blind.pictures = True
    seen, _, _, _, _ = blind.step(blind.teacher(range(2)))
    assert (seen["image"] != still["image"]).any()

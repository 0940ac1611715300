"""Keys of the backend ``odyssey``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from adversarl.errors import AdversarlError, did_you_mean
from adversarl.interfaces.reward import RewardDetector
from adversarl.recipe import Choice, choose
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.pure_axes import chosen
from adversarl_odyssey.sentences import VOCABULARY, Pair

TASKS = {
    "reach": "move the gripper to the goal",
    "pick": "pick up the cube",
    "place": "put the cube on the goal",
    "pick-place": "pick up the cube and put it on the goal",
    "insert": "put the peg into the socket",
    "pour": "pour the cup into the bowl",
    "handover": "hand the bar from one arm to the other",
}
"""Tasks that the embedded world has too, in English."""
THINGS = {"pick": "cube", "place": "cube", "pick-place": "cube", "insert": "peg", "pour": "cup", "handover": "bar"}
"""What they are about."""


def _name(value: Any) -> Any:
    """A task's table stands for its `type`; what else it says is for worlds that measure."""
    return value.get("type", "pick") if isinstance(value, Mapping) else value


class OdysseyOptions(ServiceOptions):
    """Keys of ``[backend]`` with ``use = "odyssey"``."""

    task: Annotated[str, BeforeValidator(_name)] = Field(
        "pick",
        description="Name of a task, a table whose `type` is one, or any task in English, such as 'open the drawer'.",
    )
    image_size: int = Field(84, ge=16, le=704, description="Edge of the square picture, cut from the middle [pixel].")
    axes: tuple[str, ...] | None = Field(
        None,
        description="Names of the axes offered to curricula and to the evaluation; default: all. What no axis knows is "
        "said in any case; it acts in the middle of an episode if 'prompt' is among these.",
    )
    max_episode_steps: int = Field(100, ge=1, description="Time limit of an episode [control steps].")
    settle_frames: int = Field(
        6,
        ge=0,
        description="Pictures that are let pass at a reset once the conditions were asked for, since the world model "
        "needs time to follow; none where none were asked for.",
    )
    action_frequency: float = Field(
        10.0, gt=0, le=60, description="How often at most the robot is told what to do [Hz]; in between it goes on."
    )
    dead_zone: float = Field(0.25, ge=0, lt=1, description="Actions of a smaller magnitude are not said [1].")
    vocabulary: tuple[Pair, ...] = Field(
        VOCABULARY,
        min_length=1,
        description="For each dimension of the action what the robot does at -1 and at +1, after 'The robot arm'.",
    )
    judge: dict[str, Any] = Field(
        {"use": "goal-image"},
        description="The reward component that says how good a picture is and whether the task is solved; its keys.",
    )
    goal_prompt: str | None = Field(
        None, description="What a video of the goal is asked for with; default: the robot doing the task."
    )
    bank: str | None = Field(
        None, description="Folder in which videos of goals are kept; default: in the user's folder of caches."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if " " not in self.task.strip() and self.task not in TASKS:
            problem = f"no task named {self.task!r}, and it is no sentence"
            raise ValueError(f"task: {problem}. {did_you_mean(self.task, TASKS)}")
        phrases = [phrase for pair in self.vocabulary for phrase in pair]
        if len(set(phrases)) < len(phrases) or any(not phrase.strip() or ", " in phrase for phrase in phrases):
            raise ValueError("vocabulary: its phrases must differ, and have no commas. Change those that do not")
        try:
            chosen(self.axes)
            judge = judge_choice(self)
        except AdversarlError as error:
            raise ValueError(str(error)) from None
        plain = judge.options.model_dump(mode="json", exclude_none=True)
        object.__setattr__(self, "judge", {"use": judge.component.name, **plain})  # frozen, but not yet handed out
        return self

    @property
    def task_text(self) -> str:
        """The task in English."""
        return TASKS.get(self.task, self.task)

    @property
    def thing(self) -> str:
        """What the task's object is called."""
        return THINGS.get(self.task, "object")

    @property
    def goal_text(self) -> str:
        """What a video of the goal is asked for with."""
        return self.goal_prompt or f"The robot arm begins to {self.task_text}, and holds it."


def judge_of(options: OdysseyOptions) -> RewardDetector:
    """The reward detector that judges pictures, with those that it is made of.

    Raises:
        AdversarlError: There is none of that name, a key of it is wrong, or it needs a simulator.
    """
    from adversarl.assembly import make_detector
    from adversarl.plugins import build_plugin_manager

    return make_detector(judge_choice(options), build_plugin_manager().registry, "[backend]", "judge")


def judge_choice(options: OdysseyOptions) -> Choice:
    """The reward component that judges pictures, with its options.

    Raises:
        AdversarlError: There is none of that name, a key of it is wrong, or it needs a simulator.
    """
    from adversarl.errors import RecipeError
    from adversarl.plugins import build_plugin_manager

    choice = choose(
        "reward", {"use": "goal-image", **options.judge}, build_plugin_manager().registry, "[backend]", "judge"
    )
    if choice.component.name == "state":
        advice = "name one that looks at pictures, such as goal-image"
        raise RecipeError(
            "[backend]", "judge.use", f"'state' believes a simulator, and a world model is none; {advice}"
        )
    return choice

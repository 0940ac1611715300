"""Where the emulator's pictures come from: worlds of ours that obey what a stream is told."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoTeacher, did_you_mean
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.types import Perturbation
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sentences import decode

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
SHOWN_FIRST = 10
"""Pictures for which an image that a stream starts from is shown as it is, before the world stands before it."""


class Studio:
    """A pool of worlds with one environment each, all made, stepped and drawn on one thread.

    Graphics contexts belong to the thread that made them, and one thread draws a thousand small pictures a second.

    Args:
        size: Height and width of wide pictures [pixel]; upright ones swap them.
        fps: Pictures per second that a stream is going to ask for.
        stages: Worlds in use at once.
        world: Name of the backend.
        task: Its task.
    """

    def __init__(
        self, *, size: tuple[int, int], fps: float, stages: int, world: str = "mujoco", task: str = "pick"
    ) -> None:
        self.size, self.fps, self.stages = size, fps, stages
        self._world, self._task = world, task
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="studio")
        self._idle: list[PerturbableVectorEnv] = []
        self._made: list[PerturbableVectorEnv] = []
        self.in_use = 0

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Does something on the thread of the worlds."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def prepare(self) -> None:
        """Makes the first world, so that what is wrong with it shows at once.

        Raises:
            AdversarlError: The backend is missing, or nothing can be drawn here.
        """
        if not self._made:
            self._idle.append(await self.run(self._make))

    def _make(self) -> PerturbableVectorEnv:
        from adversarl.plugins import build_plugin_manager

        backend = build_plugin_manager().registry.get("backend", self._world).load()
        if self._task not in (backend.tasks or (self._task,)):
            raise OdysseyError(
                f"the world '{self._world}' has no task '{self._task}'", did_you_mean(self._task, backend.tasks)
            )
        wanted = {"num_envs": 1, "threads": 1, "image_size": 32, "task": self._task}
        options = backend.Options(**{key: wanted[key] for key in wanted.keys() & backend.Options.model_fields.keys()})
        world: PerturbableVectorEnv = backend(options).make(seed=0)
        world.pictures = False
        self._made.append(world)
        world.reset(seed=[0])
        world.frames([0], self.size, smooth=False)  # the first picture takes a third of a second, and nobody waits yet
        return world

    async def open(self, prompt: str, *, portrait: bool = False, image: NDArray[np.uint8] | None = None) -> Stage:
        """A world for one stream.

        Args:
            prompt: What the world shows at first; also decides what is left open, such as where things lie. A
                sentence that says ``empty`` and no ``robot`` leaves the robot and the things out, for those who add
                their own.
            portrait: Whether pictures are upright.
            image: Shown at first, then stands behind the scene. Shape (h, w, 3).

        Raises:
            RuntimeError: All stages are in use.
        """
        if self.in_use >= self.stages:
            raise RuntimeError(f"all {self.stages} stages of the studio are in use")
        self.in_use += 1
        try:
            world = self._idle.pop() if self._idle else await self.run(self._make)
        except BaseException:
            self.in_use -= 1
            raise
        stage = Stage(self, world, self.size[::-1] if portrait else self.size)
        try:
            await self.run(stage.begin, prompt, image)
        except BaseException:
            self.release(world, sound=False)
            raise
        return stage

    def release(self, world: PerturbableVectorEnv, *, sound: bool) -> None:
        """Takes the world of a stage back; one that failed is not lent again."""
        self.in_use -= 1
        if sound:
            self._idle.append(world)
        else:
            with contextlib.suppress(RuntimeError):  # the studio is closed, and its worlds with it
                self._thread.submit(self._give_up, world)

    def _give_up(self, world: PerturbableVectorEnv) -> None:
        self._made.remove(world)
        world.close()

    async def close(self) -> None:
        """Closes the worlds and ends the thread."""
        await self.run(self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        for world in self._made:
            world.close()
        self._made.clear()
        self._idle.clear()


class Stage:
    """The world of one stream.

    The emulator drives it so::

        stage = await studio.open("a robot at a table")
        applied = await stage.tell("dim the lights")
        picture = await stage.picture()
        await stage.close()

    Args:
        studio: Where it stands.
        world: One environment.
        size: Height and width of its pictures [pixel].
    """

    def __init__(self, studio: Studio, world: PerturbableVectorEnv, size: tuple[int, int]) -> None:
        self._studio, self._world, self.size = studio, world, size
        self._start = ""
        self._scene: tuple[Perturbation, ...] = ()
        self._action: NDArray[np.float32] | None = None
        self._taught = False
        self._image: NDArray[np.uint8] | None = None
        self._image_left = 0
        self._open = True

    def begin(self, prompt: str, image: NDArray[np.uint8] | None) -> None:
        """Begins the world anew as a prompt describes it; on the studio's thread."""
        world = self._world
        self._start, self._scene = prompt.strip(), world.ground(prompt).perturbations
        if image is not None:
            self._image, self._image_left = _cut(image, self.size), SHOWN_FIRST
        sentences = map(_words, re.split("[.!?]", prompt))
        world.empty = any("empty" in words and "robot" not in words for words in sentences)
        world.restore([0])
        world.perturb([0], [self._scene])
        if image is not None:
            world.backdrops([0], [self._image])
        world.reset(seed=[int.from_bytes(hashlib.sha256(prompt.encode(errors="replace")).digest()[:4], "big")])
        self._drive(prompt)

    async def tell(self, text: str) -> str:
        """Obeys a sentence from the next picture on; returns the prompt that was applied."""
        await self._studio.run(self._tell, text)
        return text

    def _tell(self, text: str) -> None:
        world = self._world
        if self._drive(text):
            return
        whole = bool(self._start) and text.strip().startswith(self._start)
        grounding = world.ground(text.strip()[len(self._start) :] if whole else text)
        if whole or grounding.restore:
            world.restore([0])
            world.perturb([0], [self._scene])
        world.perturb([0], [grounding.perturbations])

    def _drive(self, text: str) -> bool:
        """Takes a text as what the robot does; returns whether it was nothing else."""
        action = decode(text)
        if action is not None:
            self._action, self._taught = action, False
        elif _words(self._world.task) and _words(self._world.task) <= _words(text):
            self._taught = True
        return action is not None

    async def picture(self) -> NDArray[np.uint8]:
        """Advances the world by one control step and shows it. Shape (height, width, 3)."""
        return await self._studio.run(self._picture)

    def _picture(self) -> NDArray[np.uint8]:
        world = self._world
        if not self._open:
            raise RuntimeError("the stage is closed")
        world.step(self._next_action()[None])
        if self._image_left and self._image is not None:
            self._image_left -= 1
            return self._image
        picture: NDArray[np.uint8] = world.frames([0], self.size, smooth=False)[0]
        return picture

    def _next_action(self) -> NDArray[np.float32]:
        if self._taught:
            try:
                taught: NDArray[np.float32] = self._world.teacher([0])[0]
            except NoTeacher:
                self._taught = False
            else:
                return taught
        action = np.zeros(self._world.single_action_space.shape or (), np.float32)
        if self._action is not None:
            shared = min(len(action), len(self._action))
            action[:shared] = self._action[:shared]
        return action

    async def close(self) -> None:
        """Leaves the world to the next stream; may be called twice."""
        if self._open:
            self._open = False
            sound = False
            try:
                sound = await self._studio.run(self._clear)
            finally:
                self._studio.release(self._world, sound=sound)

    def _clear(self) -> bool:
        """Leaves nothing behind; returns whether the world still works."""
        try:
            self._world.restore([0])
            if self._image is not None:
                self._world.backdrops([0], [None])
            self._world.reset(seed=[0])
        except Exception:
            _log.exception("a world has failed and is given up")
            return False
        return True


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def _cut(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The largest centred part of a picture with the shape of a size, scaled to it. Shape (height, width, 3)."""
    import cv2

    height, width = size
    rows, columns = image.shape[:2]
    share = min(rows / height, columns / width)
    high, wide = max(1, round(share * height)), max(1, round(share * width))
    top, left = (rows - high) // 2, (columns - wide) // 2
    part = image[top : top + high, left : left + wide]
    method = cv2.INTER_AREA if share > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)

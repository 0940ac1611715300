"""Trains a small open_clip model on rendered, captioned scenes; what tests use where others have CLIP's weights.

Run ``python plugins/adversarl-clip/tests/small_model.py FOLDER`` in an environment with adversarl-clip and
adversarl-mujoco. It takes about a minute on one thread, and writes FOLDER/small.json and FOLDER/small.safetensors::

    [reward]
    use = "clip"
    model = "FOLDER/small.json"
    pretrained = "FOLDER/small.safetensors"

The scenes are those of the task `pick` with things of six colors and three shapes at four places, as many pictures of
each combination; one combination in six is held out. It knows no other words and no other pictures.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import open_clip
import torch
from adversarl_mujoco.backend import Mujoco, MujocoOptions
from adversarl_mujoco.tasks.pick_state import STATE
from safetensors.torch import save_file

from adversarl.types import Perturbation

COLORS = {
    "red": (0.85, 0.15, 0.15),
    "green": (0.15, 0.70, 0.20),
    "blue": (0.15, 0.30, 0.85),
    "yellow": (0.90, 0.80, 0.15),
    "purple": (0.60, 0.20, 0.70),
    "orange": (0.95, 0.50, 0.10),
}
SHAPES = {"cube": "box", "ball": "sphere", "cylinder": "cylinder"}
PLACES = {
    "left": "on the left of the table",
    "middle": "in the middle of the table",
    "right": "on the right of the table",
    "held": "held above the table by a robot gripper",
}
Combination = tuple[str, str, str]
COMBINATIONS: tuple[Combination, ...] = tuple(product(COLORS, SHAPES, PLACES))
HELD_OUT = tuple(
    one for one in COMBINATIONS
    if (list(COLORS).index(one[0]) + 2 * list(SHAPES).index(one[1]) + list(PLACES).index(one[2])) % 6 == 0
)  # fmt: skip
"""Combinations that training never shows; each of their words it does."""
CONFIGURATION = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 1, "layers": 1},
}
ENVS, EDGE, STEPS = 24, 84, 26
SIDE, LIFTED = 0.05, 0.10
"""A thing is beside the middle from so far on, and held from so high on [m]."""
EACH, BATCH, UPDATES, RATE = 24, 30, 400, 3e-3


@dataclass(frozen=True)
class Scenes:
    """Pictures, uint8, Shape (n, 84, 84, 3), and of which combination each is, Shape (n,)."""

    frames: np.ndarray
    kind: np.ndarray


def caption(one: Combination) -> str:
    """What a picture of a combination shows."""
    color, shape, place = one
    return f"a {color} {shape} {PLACES[place]}"


def render(each: int, seed: int, combinations: tuple[Combination, ...] = COMBINATIONS) -> Scenes:
    """As many pictures of each combination, from episodes of the scripted expert."""
    rng, wanted = np.random.default_rng(seed), dict.fromkeys(combinations, each)
    frames, kinds = [], []
    with closing(Mujoco(MujocoOptions(image_size=EDGE, num_envs=ENVS, threads=1)).make(seed=seed)) as world:
        while looks := sorted({one[:2] for one, missing in wanted.items() if missing}):
            shown = [looks[i] for i in rng.integers(len(looks), size=ENVS)]
            for picture, place, env in episodes(world, shown, rng):
                one = (*shown[env], place)
                if wanted.get(one):
                    wanted[one] -= 1
                    frames.append(picture)
                    kinds.append(combinations.index(one))
    return Scenes(np.stack(frames), np.array(kinds))


def episodes(world, shown, rng):
    """Pictures of one batch of episodes with where the thing is in each, in a random order."""
    world.perturb(range(ENVS), [perturbations(*look) for look in shown])
    observation, _ = world.reset(seed=rng.integers(2**31, size=ENVS).tolist())
    found = []
    for _ in range(STEPS):
        for env, (x, y, height) in enumerate(world.state()[:, STATE["object"][0]] * 0.1):
            place = place_of(y, height) if abs(x) < 0.3 else None
            if place is not None:
                found.append((observation["image"][env], place, env))
        observation, *_ = world.step(world.teacher(range(ENVS)))
    return [found[i] for i in rng.permutation(len(found))]


def perturbations(color, shape):
    """What gives the cube that look, and a wider range to start in."""
    return (
        Perturbation("object-color", 1.0, value=COLORS[color]),
        Perturbation("object-shape", 1.0, value=SHAPES[shape]),
        Perturbation("object-position", 1.0),
    )


def place_of(y, height):
    """Key of `PLACES`; None between two. Left and right are the picture's."""
    if height > LIFTED:
        return "held"
    if abs(height) > 0.01:
        return None
    return "middle" if abs(y) < SIDE - 0.02 else None if abs(y) < SIDE else "left" if y < 0 else "right"


def train(folder: Path, seed: int = 0, *, log=print) -> None:
    """Trains and writes the model."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.json").write_text(json.dumps(CONFIGURATION, indent=2))
    open_clip.add_model_config(folder / "small.json")
    logging.getLogger().setLevel(logging.ERROR)  # that it begins without weights is no news
    model, tokenizer = open_clip.create_model("small"), open_clip.get_tokenizer("small")
    begun, combinations = time.process_time(), tuple(one for one in COMBINATIONS if one not in HELD_OUT)
    scenes = render(EACH, seed, combinations)
    log(f"{len(scenes.kind)} pictures of {len(combinations)} combinations in {time.process_time() - begun:.0f} s")
    begun = time.process_time()
    optimize(model, scenes, tokenizer([caption(one) for one in combinations]), log)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    log(f"{numbers / 1e6:.1f} M parameters, trained for {time.process_time() - begun:.0f} s")
    save_file(model.state_dict(), folder / "small.safetensors")


def optimize(model, scenes, tokens, log):
    """Contrastive training; no two pictures of a batch have one caption."""
    pictures = prepared(model, scenes.frames)
    rows = [np.flatnonzero(scenes.kind == kind) for kind in range(len(tokens))]
    rng, loss = np.random.default_rng(0), open_clip.ClipLoss()
    model.token_embedding.requires_grad_(False)  # most of the numbers; random ones tell a few words apart
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=UPDATES, pct_start=0.1)
    model.train()
    for update in range(UPDATES):
        kinds = rng.permutation(len(rows))[:BATCH]
        chosen = np.array([rng.choice(rows[kind]) for kind in kinds])
        value = loss(*model(jittered(pictures[chosen]), tokens[kinds]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, np.log(100))
        if update % 100 == 99:
            log(f"update {update + 1}: loss {value.item():.3f}")
    model.eval()


def prepared(model, frames):
    """Pictures in [0, 1] of the model's size, before normalization."""
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    size = model.visual.image_size
    return torch.nn.functional.interpolate(pictures, size, mode="bicubic", antialias=True).clamp(0, 1)


def jittered(pictures):
    """Of other brightness, shifted by up to 2 pixels, and normalized as open_clip does."""
    gain = 1 + 0.2 * (2 * torch.rand(len(pictures), 1, 1, 1) - 1)
    shift = torch.randint(-2, 3, (2,)).tolist()
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in (open_clip.constants.OPENAI_DATASET_MEAN, open_clip.constants.OPENAI_DATASET_STD)
    )
    return ((gain * pictures.roll(shift, (2, 3))).clamp(0, 1) - mean) / std


if __name__ == "__main__":
    train(Path(sys.argv[1]))

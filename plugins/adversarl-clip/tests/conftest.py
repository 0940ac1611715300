"""A small model, trained once a session and loaded as users load theirs; tests that need open_clip skip without it."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from adversarl_clip.options import ClipOptions

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def open_clip():
    return pytest.importorskip("open_clip", reason="adversarl-clip's own environment: make test-clip")


@pytest.fixture(scope="session")
def scenes(open_clip):
    """`small_model`, which renders and captions scenes."""
    sys.path.insert(0, str(HERE))
    try:
        import small_model
    finally:
        sys.path.remove(str(HERE))
    return small_model


@pytest.fixture(scope="session")
def small(open_clip, tmp_path_factory):
    """Configuration and weights of the model that `small_model` trains in a minute, and the options that name them.

    ``SMALL_CLIP=FOLDER`` takes one that was trained before.
    """
    folder = Path(os.environ.get("SMALL_CLIP") or tmp_path_factory.mktemp("small"))
    if not (folder / "small.safetensors").exists():
        subprocess.run([sys.executable, HERE / "small_model.py", folder], check=True, timeout=1200)
    keys = {"model": str(folder / "small.json"), "pretrained": str(folder / "small.safetensors")}
    return SimpleNamespace(keys=keys, options=lambda **more: ClipOptions(**{**keys, **more}))


@pytest.fixture(scope="session")
def held_out(scenes):
    """Pictures of combinations that training never showed, and which each is of."""
    return scenes.render(10, seed=1, combinations=scenes.HELD_OUT)

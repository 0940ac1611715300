"""A source for tests: pictures of one colour, which the words alone decide; it writes down what it is asked for."""

from __future__ import annotations

import zlib

import numpy as np
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sources import Shown, Source


class Painter(Source):
    """Shows a colour per text; a picture is new whenever the words are, and the world began."""

    def __init__(self, num_envs=2, size=32):
        self.size = size
        self.asked = []
        self.text = [""] * num_envs
        self.number = [0] * num_envs
        self.shows = 0
        self.closed = 0
        self.broken = ""
        self.first = {}

    def begin(self, env, scene, *, restart):
        self.asked.append(("begin", env, scene))
        self.text[env] = scene
        self.number[env] += 1

    def prompt(self, env, text):
        self.asked.append(("prompt", env, text))
        self.text[env] = text
        self.number[env] += 1

    def start_from(self, env, picture):
        self.first[env] = picture

    def show(self, env, *, fresh):
        if self.broken:
            raise OdysseyError(self.broken, "Mend it")
        self.shows += 1
        picture = np.full((self.size, self.size, 3), color_of(self.text[env]), np.uint8)
        return Shown(picture, self.number[env], age_s=0.01, dropped=int(fresh))

    def scalars(self):
        return {"odyssey/shows": float(self.shows)}

    def close(self):
        self.closed += 1


def color_of(text):
    """The colour that a text is painted in."""
    number = zlib.crc32(text.encode())
    return tuple(int(number >> shift) & 0xFF for shift in (0, 8, 16))


def share(image, text):
    """Share of the pixels that have a text's colour to the bit."""
    return float((image == np.array(color_of(text), np.uint8)).all(axis=-1).mean())

"""What estimates assume until somebody has measured it; imports nothing, since commands take their defaults from it."""

from __future__ import annotations

PRICES = (1.0, 2.0)
"""Lowest and highest price of an hour of one stream in the vendor's material [USD]."""
FRAME_RATE = 20.0
"""Pictures per second of a live stream, and so the most steps per second of an environment that waits for them [Hz]."""
HYBRID_SPEED = 100.0
"""Steps per second of a hybrid world, over all its environments, updates of the policy included [1/s].

Stepping alone is several times faster, see ``adversarl bench odyssey``.
"""
OPEN_S = 2.0
"""How long opening a stream takes, which a world that is nothing but a stream does at every reset [s]."""

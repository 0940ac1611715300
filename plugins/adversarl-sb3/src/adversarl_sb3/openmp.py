"""How torch's threads wait; imported before torch by each module that a recipe may name.

By default a thread of libgomp that has nothing to do spins for milliseconds, on a core that the world's own threads
need in that very moment: 16 environments on two busy cores acted in 81 ms instead of 7 ms. The setting is read when
torch is loaded; one that the user made stands.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

READY = True

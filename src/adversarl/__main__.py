"""``python -m adversarl`` is ``adversarl``."""

from adversarl.cli import main

main()

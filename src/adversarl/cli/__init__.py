"""The command line; the only place that prints."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs ``adversarl``; an `AdversarlError` is one panel and exit code 2, a bug keeps its traceback."""
    from adversarl.cli.app import build_app
    from adversarl.errors import AdversarlError

    try:
        build_app()()
    except AdversarlError as error:
        from rich.console import Console
        from rich.markup import escape
        from rich.panel import Panel

        Console(stderr=True).print(Panel(escape(str(error)), title="adversarl", border_style="red", expand=False))
        sys.exit(2)

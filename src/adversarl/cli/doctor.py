"""``adversarl doctor``."""

from __future__ import annotations

import sys

from adversarl.cli.output import console, print_json, table
from adversarl.cli.prompt import default_backend
from adversarl.doctor import examine
from adversarl.plugins import Plugins


def show_doctor(backend: str | None, plugins: Plugins, *, as_json: bool) -> None:
    """Prints the findings; exit code 1 if one is bad."""
    findings = examine(plugins, default_backend(plugins, backend))
    if as_json:
        print_json([{"check": f.name, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        styles = ["" if f.ok else "red" for f in findings]
        rows = [[f.name, "ok" if f.ok else "wrong", f.detail] for f in findings]
        console.print(table("", ["check", "status", "detail"], rows, styles))
    sys.exit(not all(f.ok for f in findings))

"""Consoles, JSON and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console()


def print_json(content: Any) -> None:
    """Prints JSON that a program can read: no colour, no wrapping."""
    print(json.dumps(content, indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = ()) -> Table:
    """A table of plain texts; `styles` gives a style per row."""
    result = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    for number, row in enumerate(rows):
        result.add_row(*map(escape, row), style=styles[number] if number < len(styles) else None)
    return result


def interval(row: Mapping[str, Any]) -> list[str]:
    """Value, interval and number of a proportion as cells of a table; a dash where nothing was counted."""
    value = "-" if row["value"] is None else f"{row['value']:.2f}"
    return [value, f"[{row['low']:.2f}, {row['high']:.2f}]", str(row["n"])]

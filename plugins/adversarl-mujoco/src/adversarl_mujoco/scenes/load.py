"""Scenes from TOML files and tables, with errors that name file, object and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from adversarl.errors import did_you_mean
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.options import SceneOptions


def load_scene(source: str | Path | Mapping[str, Any] | SceneOptions, name: str = "[backend] scene") -> SceneOptions:
    """Reads and validates a scene.

    Args:
        source: A TOML file with the keys of `SceneOptions` at its top level, or such a table.
        name: What errors call the table.

    Raises:
        SceneError: Naming file, object and key, and what to do.
    """
    if isinstance(source, SceneOptions):
        return source
    if isinstance(source, Mapping):
        return _validate(dict(source), name, Path())
    if not isinstance(source, str | Path):
        raise SceneError(name, "", f"must be a TOML file or a table, not {source!r}. Give its path")
    path = Path(source).expanduser()
    return _validate(_read(path), path.name, path.parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SceneError(str(path), "", "there is no such file. A scene of the project is recipes/scenes/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SceneError(str(path), "", f"cannot be read: {error}. Give a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise SceneError(path.name, "", f"not valid TOML: {error}") from None


def _validate(table: dict[str, Any], source: str, folder: Path) -> SceneOptions:
    try:
        options = SceneOptions.model_validate(table)
    except ValidationError as error:
        # A list whose items are refused also counts as too short.
        details = [d for d in error.errors() if d["type"] != "too_short"] or error.errors()
        first, *more = [_explain(table, detail) for detail in details]
        text = "".join(
            f"\n{source}: {where}: {problem}" if where else f"\n{source}: {problem}" for where, problem in more
        )
        raise SceneError(source, first[0], first[1] + text) from None
    return _with_files(options, source, folder)


def _with_files(options: SceneOptions, source: str, folder: Path) -> SceneOptions:
    """The scene with the absolute paths of its files, each of them there."""

    def found(path: str, where: str) -> str:
        file = folder / Path(path).expanduser()
        if not file.is_file():
            raise SceneError(source, where, f"there is no file {file}. Paths are relative to the scene's file")
        return str(file.resolve())

    def named(name: str | None, where: str) -> str | None:
        prefix, _, path = (name or "").partition("file:")
        return f"file:{found(path, where)}" if path and not prefix else name

    objects = []
    for thing in options.objects:
        where = f"[objects.{thing.name}] file"
        update = {} if thing.file is None else {"file": found(thing.file, where)}
        objects.append(thing.model_copy(update=update))
    robots = []
    for index, robot in enumerate(options.robots):
        paths = {key: named(getattr(robot, key), f"[robots.{index}] {key}") for key in ("name", "gripper")}
        robots.append(robot.model_copy(update=paths))
    return options.model_copy(update={"objects": tuple(objects), "robots": tuple(robots)})


def _explain(table: dict[str, Any], detail: Any) -> tuple[str, str]:
    """One pydantic error as (where, problem and what to do)."""
    path = list(detail["loc"])
    model: type[BaseModel] = SceneOptions
    where: list[str] = []
    content: Any = table
    while path and isinstance(path[0], str) and path[0] in model.model_fields:
        key = path.pop(0)
        where.append(key)
        content = _items(content, key)
        if path and isinstance(path[0], int):
            index = path.pop(0)
            content = content[index] if isinstance(content, list) and index < len(content) else None
            if key == "objects" or isinstance(content, dict):
                where.append(content.get("name", str(index)) if isinstance(content, dict) else str(index))
            else:
                where.append(str(index))
        inner = _model_of(model, key)
        if inner is None:
            break
        model = inner
    return _place(where, path, model, detail), _problem(model, path, where, detail)


def _items(content: Any, key: str) -> Any:
    """Content of a key, named tables as a list."""
    value = content.get(key) if isinstance(content, dict) else None
    if key in ("objects", "cameras", "lights") and isinstance(value, dict):
        return [{"name": name, **item} if isinstance(item, dict) else item for name, item in value.items()]
    return list(value) if isinstance(value, tuple) else value


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The options class of a key whose content is a table, or a list of tables."""
    annotation = model.model_fields[key].annotation
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _place(where: list[str], rest: list[Any], model: type[BaseModel], detail: Any) -> str:
    """``[objects.cup] key``: the table, then the key in it."""
    del model
    keys = [*where, *(str(part) for part in rest)]
    if not keys:
        return ""
    whole_table = not rest and detail["type"] == "value_error" and isinstance(detail.get("input"), dict)
    if whole_table:
        return f"[{'.'.join(keys)}]"
    table, key = keys[:-1], keys[-1]
    return f"[{'.'.join(table)}] {key}" if table else key


def _problem(model: type[BaseModel], rest: list[Any], where: list[str], detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    message = message[:1].lower() + message[1:]
    if detail["type"] == "extra_forbidden":
        return f"unknown key. {did_you_mean(str(rest[-1]), model.model_fields)}"
    if detail["type"] == "missing":
        return "is missing. It has no default"
    if detail["type"] == "value_error":
        return message
    field = model.model_fields.get(where[-1]) if where else None
    meaning = f" ({field.description})" if field is not None and field.description else ""
    return f"{message}, not {detail['input']!r}{meaning}"

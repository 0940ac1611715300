"""Backends that wrap another one: which, its keys, and how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from adversarl.errors import AdversarlError, did_you_mean
from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl.recipe import Choice, explain
from adversarl.registry import Component
from adversarl_odyssey.options import ServiceOptions


class InnerOptions(BackendOptions):
    """Keys of a backend around another one; the last base among several, since it admits further keys.

    Whatever is no key of the outer backend belongs to the inner one and is checked by its options, which also give the
    defaults, so that a recipe that was written out says everything. An inner key of the same name as an outer one
    cannot be set.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    world: str = Field(
        "mujoco",
        description="Name of the installed backend inside, which knows physics, reward and teacher; every key that is "
        "not listed here is its key.",
    )

    @classmethod
    def further_keys(cls, table: Mapping[str, Any]) -> set[str]:
        """Keys of the backend inside, which stay in a table that another backend is chosen for."""
        return set(_component(table.get("world", cls.model_fields["world"].default)).load().Options.model_fields)

    @model_validator(mode="after")
    def _check_inner(self) -> Self:
        extra = self.__pydantic_extra__
        if extra is None:
            return self
        own = set(type(self).model_fields)
        try:
            inner = inner_choice(self).options
        except AdversarlError as error:
            raise _refusal([_told(str(error), ("world",), self.world)]) from None
        except ValidationError as error:
            model = _component(self.world).load().Options
            raise _refusal([_detail(model, own, one) for one in error.errors()]) from None
        full = inner.model_dump(mode="json", exclude_none=True)
        extra.clear()
        extra.update({key: value for key, value in full.items() if key not in own})
        return self


def inner_choice(options: InnerOptions) -> Choice:
    """The backend inside, with its own options.

    Raises:
        ValidationError: One of them is wrong.
        AdversarlError: `world` names no backend, or one that is no simulator.
    """
    component = _component(options.world)
    values = {**(options.__pydantic_extra__ or {}), "num_envs": options.num_envs}
    return Choice(component, component.load().Options.model_validate(values))


def make_inner(options: InnerOptions, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
    """The world inside; see `adversarl.interfaces.Backend.make`."""
    backend: Backend = inner_choice(options).make()
    return backend.make(seed=seed, num_envs=num_envs)


def thing_of(task: str) -> str:
    """What a task's object is called: ``cube`` in ``pick up the cube and put it on the goal``."""
    _, found, rest = task.partition("the ")
    return rest.split()[0] if found and rest else "object"


@cache
def _component(name: str) -> Component:
    from adversarl.plugins import build_plugin_manager

    found = build_plugin_manager().registry.get("backend", name)
    if issubclass(found.load().Options, InnerOptions | ServiceOptions):
        raise AdversarlError(f"'{name}' is no simulator. Name one that is, such as 'mujoco'")
    return found


def _detail(inner: type[BaseModel], own: set[str], detail: Any) -> InitErrorDetails:
    """An inner option's error as one of the outer options, in the words of the inner one."""
    key, problem = explain(inner, detail)
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        problem = f"unknown key. {did_you_mean(key, own | set(inner.model_fields))}"
    return _told(problem, tuple(key.split(".")), detail["input"])


def _told(problem: str, loc: tuple[str, ...], value: Any) -> InitErrorDetails:
    told = PydanticCustomError("value_error", "{problem}", {"problem": problem})
    return InitErrorDetails(type=told, loc=loc, input=value)


def _refusal(details: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data("backend", details)

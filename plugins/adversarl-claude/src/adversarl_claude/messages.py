"""Requests with one tool, what is read from their answers, and what goes back when an answer is no use."""

from __future__ import annotations

from typing import Any

from anthropic import transform_schema
from pydantic import BaseModel

from adversarl_claude.options import ServiceOptions


class Unusable(Exception):
    """An answer that cannot be used, with the reason in words that the model can act on."""


def tool_of(name: str, description: str, answer: type[BaseModel]) -> dict[str, Any]:
    """A tool whose input has to follow the schema of a model; bounds become part of the descriptions."""
    return {"name": name, "description": description, "strict": True, "input_schema": transform_schema(answer)}


def request(
    options: ServiceOptions, static: str, tool: dict[str, Any], messages: list[dict[str, Any]]
) -> dict[str, Any]:
    """Keyword arguments of `AsyncAnthropic.messages.create`; tool and static text are cached by the service.

    The tool is not forced: the models of Claude 5.5 and later answer HTTP 400 to that (Anthropic, "Migrating to Claude
    Sonnet 5.5"). They are told to call it, and an answer in words goes back once.
    """
    effort: dict[str, Any] = {} if options.effort == "default" else {"output_config": {"effort": options.effort}}
    return {
        "model": options.model,
        "max_tokens": options.max_tokens,
        "system": [{"type": "text", "text": static, "cache_control": {"type": "ephemeral"}}],
        "tools": [tool],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "messages": messages,
        **effort,
    }


def tool_input(response: dict[str, Any], name: str) -> dict[str, Any]:
    """What the tool was called with.

    Raises:
        Unusable: It was not called, or the answer was cut off or refused.
    """
    if response["stop_reason"] == "max_tokens":
        raise Unusable("the answer was cut off at max_tokens: be briefer")
    if response["stop_reason"] == "refusal":
        raise Unusable("the model refused to answer")
    for block in response["content"]:
        if block["type"] == "tool_use" and block.get("name") == name and isinstance(block.get("input"), dict):
            found: dict[str, Any] = block["input"]
            return found
    raise Unusable(f"the tool '{name}' was not called: answer by calling it, without other words")


def returned(messages: list[dict[str, Any]], response: dict[str, Any], reason: str) -> list[dict[str, Any]]:
    """The conversation with an answer and the reason why it goes back."""
    called = [block["id"] for block in response["content"] if block["type"] == "tool_use" and "id" in block]
    results = [{"type": "tool_result", "tool_use_id": name, "is_error": True, "content": reason} for name in called]
    content = response["content"] or [{"type": "text", "text": "(nothing)"}]
    back = [{"role": "assistant", "content": content}]
    return [*messages, *back, {"role": "user", "content": results or [{"type": "text", "text": reason}]}]

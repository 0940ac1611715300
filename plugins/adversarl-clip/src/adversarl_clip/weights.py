"""Which model and which weights are meant, found before anything is loaded, so that errors can say what to do."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adversarl.errors import did_you_mean
from adversarl_clip.errors import ModelError, WeightsError
from adversarl_clip.library import open_clip

SCHEMAS = ("hf-hub:", "local-dir:")
"""Of models that bring their weights."""
CONFIGURATION = ("embed_dim", "vision_cfg", "text_cfg")
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
HUB = "https://huggingface.co"
HUB_FILE = "open_clip_model.safetensors"
REACH_S = 10.0
"""How long a server may take to say that it has a file [s]."""


@dataclass(frozen=True, slots=True)
class Source:
    """What open_clip is asked for.

    Attributes:
        model: By the name that open_clip has for it.
        pretrained: Tag or file; None where the model brings its weights.
        preprocessing: Where open_clip would take its default although the model's is another.
        quick_gelu: Whether weights of that tag were trained with another activation than the model has by default.
    """

    model: str
    pretrained: str | None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False


def find(model: str, pretrained: str) -> Source:
    """Finds model and weights, and sees that they are here.

    Args:
        model: See `ClipOptions.model`.
        pretrained: See `ClipOptions.pretrained`.

    Raises:
        ModelError: There is no such model.
        WeightsError: There are no such weights, or they are not here and cannot be fetched.
    """
    if model.startswith(SCHEMAS):
        return Source(model, None)
    name = _own(Path(model)) if model.endswith(".json") else model.replace("/", "-")
    library = open_clip()
    configuration = library.get_model_config(name)
    if configuration is None:
        problem = f"open_clip has no such model. {did_you_mean(name, library.list_models())}"
        raise ModelError(model, problem if len(problem) < 200 else _ask_for_the_list())
    tag = library.get_pretrained_cfg(name, pretrained)
    if tag:
        _have(library, model, pretrained, tag)
        return Source(name, pretrained, {}, bool(tag.get("quick_gelu")) and not configuration.get("quick_gelu"))
    if not Path(pretrained).expanduser().is_file():
        raise WeightsError(pretrained, _neither(model, library.list_pretrained_tags_by_model(name)))
    return Source(name, str(Path(pretrained).expanduser()), _agreed(library, name))


def _own(path: Path) -> str:
    """Registers a configuration of one's own; the name that it then has."""
    library = open_clip()
    try:
        content = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(str(path), "there is no such file") from None
    except (OSError, ValueError) as error:
        raise ModelError(str(path), f"is no JSON: {error}") from None
    missing = [key for key in CONFIGURATION if not isinstance(content, dict) or key not in content]
    if missing:
        needed = ", ".join(CONFIGURATION)
        raise ModelError(str(path), f"is no configuration of open_clip, which has {needed}; it lacks {missing[0]}")
    if path.stem not in library.list_models():
        library.add_model_config(path.expanduser())
    elif library.get_model_config(path.stem) != content:
        raise ModelError(str(path), f"'{path.stem}' is already another model of open_clip. Rename the file")
    return path.stem


def _ask_for_the_list() -> str:
    return 'open_clip has no such model. See: python -c "import open_clip; print(open_clip.list_models())"'


def _neither(model: str, tags: list[str]) -> str:
    known = f"one of {', '.join(tags)}" if tags else "none, for open_clip knows no weights of this model"
    return f"is neither a file nor a tag of {model}. Tags: {known}. Files: pretrained = '/path/to/weights.safetensors'"


def _agreed(library: Any, name: str) -> dict[str, Any]:
    """How pictures are prepared for all weights of a model that have a tag, if they agree.

    For weights from a file open_clip takes its default, which is wrong for SigLIP, MobileCLIP and others.
    """
    tags = [library.get_pretrained_cfg(name, tag) for tag in library.list_pretrained_tags_by_model(name)]
    ways = [{key: tag[key] for key in PREPROCESSING if tag.get(key) is not None} for tag in tags]
    return ways[0] if ways and all(way == ways[0] for way in ways) else {}


def _have(library: Any, model: str, pretrained: str, tag: Mapping[str, Any]) -> None:
    """Downloads the weights of a tag unless they are here."""
    url = _url(tag)
    try:
        if not _cached(tag):
            _reach(url)
        library.download_pretrained(tag)
    except Exception as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise WeightsError(
            pretrained,
            f"these weights of {model} are not on this machine and cannot be fetched ({cause}). Where there is a "
            f"network, fetch {url}, put the file anywhere on this machine, and name it: "
            "pretrained = '/path/to/" + url.rpartition("/")[2] + "'",
        ) from error


def _url(tag: Mapping[str, Any]) -> str:
    repository, _, file = str(tag.get("hf_hub") or "").rpartition("/")
    return f"{HUB}/{repository}/resolve/main/{file or HUB_FILE}" if repository else str(tag.get("url"))


def _cached(tag: Mapping[str, Any]) -> bool:
    """Whether the hub's cache has the weights; other addresses are cached by open_clip itself."""
    from huggingface_hub import try_to_load_from_cache

    repository, _, file = str(tag.get("hf_hub") or "").rpartition("/")
    names = [file] if file else [HUB_FILE, "open_clip_pytorch_model.bin"]
    return not repository or any(isinstance(try_to_load_from_cache(repository, name), str) for name in names)


def _reach(url: str) -> None:
    """Asks for a file once: without a network the hub's client would go on trying for most of a minute."""
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        raise OSError("HF_HUB_OFFLINE is set")
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REACH_S).close()
    except urllib.error.HTTPError:
        return  # someone is there: the client knows other names of the file, and its errors say more
    except urllib.error.URLError as error:
        raise OSError(f"no connection to {url.split('/')[2]}: {error.reason}") from error

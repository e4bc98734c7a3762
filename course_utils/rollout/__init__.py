"""A new version of a model put into service, watched, promoted or stopped, and the way back.

``registry`` is a folder with every version and an append-only log, from which everything else is derived;
``sequential`` judges a challenger answer by answer and may be looked at any time; ``front`` is the process before the
services, which follows the log and loses no request when it changes.
"""

from typing import Any

_PLACES = {
    "Registry": "registry",
    "State": "registry",
    "Canary": "sequential",
    "Paired": "sequential",
    "Front": "front",
}

__all__ = ["Canary", "Front", "Paired", "Registry", "State"]


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)

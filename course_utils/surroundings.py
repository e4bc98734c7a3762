"""What lies around the course on a learner's machine and would change what it does: named here, kept out, looked at.

Files of the current folder that are called like a library's modules; Keras's own settings file; variables of the
environment. `environment` and `python` are for every process that the course starts.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from course_utils.language import say

# What the chapters' code and numbers take for granted. These are Keras's defaults, which its file can change.
KERAS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}
_ALLOWED = {"image_data_format": ("channels_last", "channels_first"), "floatx": ("float16", "float32", "float64")}
# Variables that change what a chapter computes or shows, and what they do. Our own processes go without them.
VARIABLES = {
    "KERAS_MAX_EPOCHS": "it cuts every training short",
    "KERAS_MAX_STEPS_PER_EPOCH": "it cuts every epoch short",
    "KERAS_NNX_ENABLED": "it puts another library under Keras's layers",
    "PLOTLY_RENDERER": "it takes the figures out of the notebook",
    "TF_USE_LEGACY_KERAS": "it puts Keras 2 into TensorFlow, where the course uses Keras 3",
    "PYTHONOPTIMIZE": "it leaves out the assertions in which chapters hold their results",
}


@dataclass(frozen=True)
class KerasFile:
    """Keras's settings file: its path, why Keras would not start with it (or ""), and what it sets otherwise than we.

    ``differs`` maps a setting of `KERAS`, or ``nnx_enabled``, to the file's value.
    """

    path: Path
    fault: str
    differs: Mapping[str, Any]

    @property
    def mend(self) -> str:
        """The command that puts the file aside; Keras then writes one with its defaults."""
        from course_utils.paths import for_shell

        if sys.platform == "win32":
            return f'ren "{self.path}" {self.path.name}.aside'
        return f"mv {for_shell(self.path)} {for_shell(self.path.with_name(self.path.name + '.aside'))}"


def keras_file() -> KerasFile:
    """What Keras will read when it is imported; a file that is not there differs in nothing."""
    home = os.path.expanduser("~")
    # As Keras finds it, the folder for temporary files included.
    folder = os.environ.get("KERAS_HOME") or os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    path = Path(os.path.expanduser(folder)) / "keras.json"
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # Keras takes a file that is no JSON for an empty one
        content = {}
    if not isinstance(content, dict):
        return KerasFile(path, say("it holds {kind}, not settings by name", kind=type(content).__name__), {})
    for name, allowed in _ALLOWED.items():
        if content.get(name, allowed[0]) not in allowed:
            words = say("it sets {name} to {value}", name=name, value=repr(content[name])[:60])
            return KerasFile(path, words, {})
    if not isinstance(content.get("epsilon", 1e-7), float):
        return KerasFile(path, say("it sets epsilon to {value}", value=repr(content["epsilon"])[:60]), {})
    differs = {name: content[name] for name, wanted in KERAS.items() if content.get(name, wanted) != wanted}
    if content.get("nnx_enabled"):
        differs["nnx_enabled"] = content["nnx_enabled"]
    return KerasFile(path, "", differs)


def settle_keras(keras: ModuleType) -> tuple[str, ...]:
    """Give an imported Keras the settings of `KERAS`, and no cap on training; what was changed, as "name now, was"."""
    changed = []
    for name, wanted in KERAS.items():
        found = getattr(keras.config, name)()
        if found != wanted:
            getattr(keras.config, f"set_{name}")(wanted)
            changed.append(say("{name} {wanted} instead of {found}", name=name, wanted=wanted, found=found))
    for name in ("max_epochs", "max_steps_per_epoch"):
        found = getattr(keras.config, name)()
        if found is not None:
            getattr(keras.config, f"set_{name}")(None)
            changed.append(say("{name} unlimited instead of {found}", name=name, found=found))
    return tuple(changed)


def variables() -> dict[str, str]:
    """The variables of `VARIABLES` that are set, by name."""
    return {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}


def environment() -> dict[str, str]:
    """The environment for a Python that the course starts: without `VARIABLES`, without the current folder as a path.

    An empty entry of ``PYTHONPATH`` (as in ``PYTHONPATH=$PYTHONPATH:/more``) means the current folder, and every file
    in it that is called like a module would be imported in its place. A course that is not installed stays findable.
    """
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    given = kept.pop("PYTHONPATH", "").split(os.pathsep)
    entries = [os.path.abspath(entry) for entry in given if entry not in ("", os.curdir)]
    root = str(Path(__file__).resolve().parent.parent)
    if not _installed() and root not in entries:
        entries.append(root)
    return kept | ({"PYTHONPATH": os.pathsep.join(entries)} if entries else {})


def python(*arguments: str) -> list[str]:
    """The command that runs this very Python, which does not import from the folder it is started in."""
    return [sys.executable, "-P", *arguments]


def _installed() -> bool:
    import importlib.metadata

    from course_utils.paths import PROJECT

    try:
        importlib.metadata.distribution(PROJECT)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

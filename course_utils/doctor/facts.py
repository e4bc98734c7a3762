"""What ``course doctor`` finds out about a machine; nothing is changed, and no framework is imported."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course_utils import paths, surroundings
from course_utils.console import plain
from course_utils.language import say
from course_utils.runtime import BACKENDS, cores, memory_limit
from course_utils.surroundings import KerasFile

_ASK_FRAMEWORK = """
import json, os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
name = keras.config.backend()
if name == "tensorflow":
    import tensorflow as tf
    devices = [str(d.name) for d in tf.config.list_physical_devices()]
elif name == "jax":
    import jax
    devices = [str(d) for d in jax.devices()]
else:
    import torch
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] or ["cpu"]
print(json.dumps({"keras": keras.__version__, "backend": name, "devices": devices}))
"""


@dataclass(frozen=True)
class Facts:
    """What ``collect`` found. Sizes are in bytes; an empty string or None means that there is no such thing here."""

    python: tuple[int, int, int] = (3, 11, 0)
    requires_python: str = ">=3.11"
    environment: str = "venv"  # "venv", "conda", "colab", "binder" or "" (none of them)
    installed_course: str | None = None  # the version that is installed; None when run from a checkout
    requirements: tuple[str, ...] = ()  # as in pyproject.toml, those of an extra included
    pins: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    memory: int = 0
    available: int = 0
    cache: Path = Path()
    cache_obstacle: str = ""  # why nothing can be written there
    cache_remedy: str = ""  # the command that moves it to where something can be written
    jupyter_obstacle: str = ""  # why JupyterLab cannot keep its own files in the home folder
    disk: int = 0
    processor: str = ""
    cores: int = 0
    lacks_avx: bool = False
    accelerators: tuple[str, ...] = ()
    cuda_libraries: bool = False
    backend: str = "tensorflow"
    backend_installed: bool = True
    other_backends: tuple[str, ...] = ()  # that are installed
    profile: str = ""
    data: str = ""
    data_is_folder: bool = False
    chromium: str = ""
    chromium_wanted: bool = False
    kernel: str = ""  # the program that the kernel python3 starts; "" where there is no such kernel
    kernel_is_this: bool = True
    system: str = "Linux"
    machine: str = "x86_64"
    keras_file: KerasFile = field(
        default_factory=lambda: KerasFile(Path(), "", {})
    )  # what Keras reads when it is imported
    variables: Mapping[str, str] = field(default_factory=dict)  # set, and would change what a chapter does
    framework: str = ""  # what the framework said, when it was asked
    framework_error: str = ""


def collect(*, framework: bool = False) -> Facts:
    """Gather the facts about this machine; imports no framework (one is started elsewhere with ``framework``)."""
    import psutil

    memory = psutil.virtual_memory()
    limit, used = memory_limit()
    total = min(memory.total, limit) if limit else memory.total
    available = min(memory.available, max(0, limit - used)) if limit else memory.available
    installed, requirements, requires_python = _requirements()
    cache = paths.cache_dir()
    obstacle = paths.obstacle(cache)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    kernel, kernel_is_this = _kernel_program()
    said, failed = _ask_framework() if framework else ("", "")
    versions = _versions()
    return Facts(
        python=sys.version_info[:3],
        requires_python=requires_python,
        environment=_where(),
        installed_course=installed,
        requirements=requirements,
        pins=pins(paths.packaged("constraints.txt").read_text("utf-8")),
        versions=versions,
        memory=total,
        available=available,
        cache=cache,
        cache_obstacle=obstacle,
        cache_remedy=paths.set_cache() if obstacle else "",
        jupyter_obstacle=_jupyter_obstacle() if "jupyter-core" in versions else "",
        disk=shutil.disk_usage(paths.existing(cache)).free,
        processor=_processor_name(),
        cores=cores(),
        lacks_avx=_lacks_avx(),
        accelerators=_accelerators(),
        cuda_libraries=any(name.startswith("nvidia-cudnn") for name in versions),
        backend=backend,
        backend_installed=backend in BACKENDS and importlib.util.find_spec(backend) is not None,
        other_backends=tuple(name for name in BACKENDS if name != backend and importlib.util.find_spec(name)),
        profile=os.environ.get("COURSE_PROFILE", ""),
        data=os.environ.get("COURSE_DATA", ""),
        data_is_folder=Path(os.environ.get("COURSE_DATA") or "/").expanduser().is_dir(),
        chromium=_chromium_program(),
        chromium_wanted="kaleido" in versions,
        kernel=kernel,
        kernel_is_this=kernel_is_this,
        system=platform.system(),
        machine=platform.machine(),
        keras_file=surroundings.keras_file(),
        variables=surroundings.variables(),
        framework=said,
        framework_error=failed,
    )


def pins(text: str) -> dict[str, str]:
    """The versions that ``constraints.txt`` pins for this Python and system: normalised name → version."""
    from packaging.requirements import Requirement

    found = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                found[normalised(requirement.name)] = next(iter(requirement.specifier)).version
    return found


def _requirements() -> tuple[str | None, tuple[str, ...], str]:
    """(installed version or None, requirements, Python range), from the installation, else from the checkout."""
    try:
        metadata = importlib.metadata.metadata(paths.PROJECT)
        requirements = importlib.metadata.requires(paths.PROJECT) or []
        return metadata["Version"], tuple(requirements), metadata["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        import tomllib

        project = tomllib.loads((paths.require_checkout() / "pyproject.toml").read_text("utf-8"))["project"]
        return None, tuple(project["dependencies"]), project["requires-python"]


def _versions() -> dict[str, str]:
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # a half-removed package has metadata without a name
            versions.setdefault(normalised(name), distribution.version)  # the first on the path is the one imported
    return versions


def _where() -> str:
    if os.environ.get("COLAB_RELEASE_TAG") or os.environ.get("COLAB_NOTEBOOK_ID"):
        return "colab"
    if os.environ.get("BINDER_SERVICE_HOST"):
        return "binder"
    if sys.prefix != sys.base_prefix:
        return "venv"
    return "conda" if (Path(sys.prefix) / "conda-meta").is_dir() else ""


def _processor_name() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.M)
    return match[1].strip() if match else platform.processor() or platform.machine()


def _lacks_avx() -> bool:
    flags = re.search(r"^flags\s*:\s*(.+)$", _cpuinfo(), re.M)
    return platform.machine() in ("x86_64", "AMD64") and flags is not None and "avx" not in flags[1].split()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return ""


def _accelerators() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ("Apple GPU",) if platform.system() == "Darwin" and platform.machine() == "arm64" else ()
    command = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(", ".join(part.strip() for part in line.split(",")) for line in answer.splitlines() if line.strip())


def _chromium_program() -> str:
    from course_utils.authoring import pictures

    chosen = os.environ.get("BROWSER_PATH", "")
    return chosen if chosen and Path(chosen).is_file() else pictures.installed_browser() or ""


def _kernel_program() -> tuple[str, bool]:
    """(program that Jupyter's kernel ``python3`` starts, whether it is this Python); ("", False) without a kernel."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return "", False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # IPython's, of a home that cannot be written: a row of its own
            program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return "", False
    # Jupyter starts its own Python for these names, whatever the PATH says.
    if program in ("python", "python3", "python{}.{}".format(*sys.version_info)):
        return sys.executable, True
    # Not resolved: the python of a virtual environment is a link to the system's.
    mine = [os.path.normcase(os.path.abspath(sys.executable)), os.path.normcase(os.path.realpath(sys.executable))]
    found = os.path.normcase(os.path.abspath(program))
    same_folder = os.path.dirname(found) == os.path.dirname(mine[0])  # bin/python and bin/python3 are one
    return program, found == mine[0] or (same_folder and os.path.realpath(found) == mine[1])


def _ask_framework() -> tuple[str, str]:
    """(what Keras said, "") or ("", why it did not start), from a process of its own; at most two minutes."""
    import json

    try:
        done = subprocess.run(
            surroundings.python("-c", _ASK_FRAMEWORK),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=surroundings.environment(),
        )
    except subprocess.TimeoutExpired:
        return "", say("Keras did not start within two minutes.")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        return "", say("Keras does not start: {reason}", reason=plain(last))
    said = json.loads(done.stdout.strip().splitlines()[-1])
    devices = plain(", ".join(said["devices"]))
    words = "Keras {version} on {backend}: {devices}."
    return say(words, version=said["keras"], backend=said["backend"], devices=devices), ""


def _jupyter_obstacle() -> str:
    from course_utils.workspace import jupyter_obstacle

    return jupyter_obstacle()


def normalised(name: str) -> str:
    """A package's name as package indexes compare it: "Keras_NLP" → "keras-nlp"."""
    return re.sub(r"[-_.]+", "-", name).lower()

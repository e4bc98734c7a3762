"""What a chapter runs on: the profile, the seeds, the backend and the hardware, and one line that says so."""

import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import logging
import os
import platform
import random
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.errors import CourseError, did_you_mean, near_misses, warn
from course_utils.language import say

PROFILES = ("quick", "full")
BACKENDS = ("tensorflow", "jax", "torch")
MIME = "application/vnd.course+json"
PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
# What TensorFlow reads when it is imported: only errors are logged; and oneDNN, which it uses of its own accord only
# where there is AVX-512. With AVX2 a training step of BERT took 1.6 s with it, 2.9 s without.
TENSORFLOW_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}


@dataclasses.dataclass(frozen=True)
class Runtime:
    """What ``setup`` found and chose. ``backend`` is None in a chapter that needs no framework."""

    chapter: str
    profile: str
    seed: int
    backend: str | None
    device: str
    gpu: bool
    precision: str

    @property
    def full(self) -> bool:
        """True in the full profile."""
        return self.profile == "full"

    def choose(self, *, quick: Any, full: Any) -> Any:
        """The value for the profile that runs: sizes and data change with it, the lesson does not."""
        return full if self.full else quick

    def start_framework(self) -> "Runtime":
        """Start Keras and its backend now, seeded, as ``setup`` would have done, say so in one line, and return that.

        For chapters that begin with ``framework=False`` and compare with Keras later. Raises CourseError as ``setup``
        does.
        """
        started = dataclasses.replace(self, **start_keras(self.profile, self.seed))
        emit({"kind": "setup", **dataclasses.asdict(started)}, str(started))
        return started

    def headline(self, name: str, value: float, low: float | None = None, high: float | None = None) -> None:
        """Show a chapter's main result, and leave it where ``course run`` finds it for its table.

        ``value`` and the ends of its 95 % confidence interval are plain numbers (a share of one, not per cent).
        """
        value = float(value)
        text = f"{name} {value:.4g}"
        if low is not None and high is not None:
            text += f" (95 % CI {float(low):.3f} to {float(high):.3f})"
        record = {"kind": "headline", "chapter": self.chapter, "name": name, "value": value, "text": text}
        if low is not None and high is not None:
            record |= {"low": float(low), "high": float(high)}
        emit(record, text)

    def __str__(self) -> str:
        parts = [f"chapter {self.chapter}", f"profile {self.profile}", f"seed {self.seed}"]
        if self.backend:
            parts.append(f"Keras {_version('keras')} on {self.backend} {_version(self.backend)}")
        parts.append(f"{self.device}, {self.precision}" if self.backend else self.device)
        return " · ".join(parts)


def emit(record: dict, text: str) -> None:
    """Show ``text``; in a notebook the output also carries ``record``, for the programs that read runs."""
    if in_notebook():
        from IPython.display import display

        display({MIME: record, "text/plain": text}, raw=True)
    else:
        print(text)


def setup(chapter: str, *, profile: str | None = None, seed: int = 0, framework: bool = True) -> Runtime:
    """Prepare a chapter's kernel, print one line that says what runs on what, and return it.

    ``profile`` is "quick" or "full"; None takes ``COURSE_PROFILE``, else "quick". ``framework=False`` leaves
    Keras and its backend alone (chapters that need only NumPy start in seconds).

    Global state, all of it: the seeds of ``random``, NumPy and Keras; deterministic operations in TensorFlow;
    64-bit numbers allowed in JAX; Keras's image data format, float type, epsilon and precision (where a settings file
    or an earlier cell had others, one more line says so); bfloat16 mixed precision when the full profile finds a GPU;
    TensorFlow's log level (not its speed: oneDNN stays on); in the quick profile one thread for the linear algebra of
    NumPy and SciPy, unless ``OPENBLAS_NUM_THREADS`` says otherwise; plotly's default template.

    Raises CourseError for an unknown chapter form, profile, seed or backend, for a backend not installed, and for a
    settings file with which Keras does not start.
    """
    if not re.fullmatch(r"\d\d", str(chapter)):
        raise CourseError(f'setup wants a chapter\'s two digits, such as "07"; it got {chapter!r}.')
    profile = _profile(profile)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise CourseError(f"seed must be a whole number from 0 to 4294967295; it is {seed!r}.")

    random.seed(seed)
    if profile == "quick":
        one_thread_for_small_matrices()
    import numpy as np

    # The course passes generators around; this covers the libraries that still draw from the global one.
    np.random.seed(seed)  # noqa: NPY002
    found = start_keras(profile, seed) if framework else {"backend": None, "device": _cpu(), "gpu": False}
    if importlib.util.find_spec("plotly"):
        from course_utils.figures import use_template

        use_template()
    runtime = Runtime(**{"chapter": str(chapter), "profile": profile, "seed": seed, "precision": "float32", **found})
    emit({"kind": "setup", **dataclasses.asdict(runtime)}, str(runtime))
    return runtime


def one_thread_for_small_matrices() -> None:
    """One thread for OpenBLAS in this process and those it starts, unless ``OPENBLAS_NUM_THREADS`` is set.

    On matrices as small as those of the quick profile threads mostly wait for each other, and burn their cores doing
    so: chapter 16 took 114 processor seconds with two threads beside another chapter, 39 with one.
    """
    from threadpoolctl import threadpool_limits

    if "OPENBLAS_NUM_THREADS" not in os.environ:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read by a library that is loaded later, as SciPy's is
        threadpool_limits(1, user_api="blas")


def start_keras(profile: str, seed: int) -> dict[str, Any]:
    """Start Keras with the settings that the course relies on, seeded: backend, device, gpu and precision of a Runtime.

    What another setting had to give way to is said on standard error. Raises CourseError as `setup` does.
    """
    from course_utils import surroundings

    backend = _backend()
    if "keras" not in sys.modules:
        file = surroundings.keras_file()
        if file.fault:
            raise CourseError(
                say(
                    "Keras does not start with its settings file {file}: {fault}. Put the file aside ({mend}), and "
                    "start again.",
                    file=paths.display(file.path),
                    fault=file.fault,
                    mend=file.mend,
                )
            )
        if "nnx_enabled" in file.differs or os.environ.get("KERAS_NNX_ENABLED"):
            os.environ["KERAS_NNX_ENABLED"] = "false"  # read when Keras is imported, after the file
    if "tensorflow" not in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS"):
        del os.environ["TF_USE_LEGACY_KERAS"]  # read when TensorFlow is imported
        warn(say("TF_USE_LEGACY_KERAS is set, for Keras 2; the course uses Keras 3 and goes on without it."))
    with quiet_native_output():
        device, gpu = _start(backend, seed)
    import keras

    changed = surroundings.settle_keras(keras)
    if changed:
        warn(say("Keras was set otherwise here; for the course it now has {settings}.", settings=", ".join(changed)))
    mixed = gpu and profile == "full"
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if mixed else "float32")
    precision = "bfloat16 mixed precision" if mixed else "float32"
    return {"backend": backend, "device": device, "gpu": gpu, "precision": precision}


def check_profile(profile: object, source: str = "profile") -> None:
    """CourseError for what is no profile; ``source`` is what the reader has set: an argument or a variable."""
    if profile not in PROFILES:
        said = say("{source} must be quick or full; it is {profile!r}.", source=source, profile=profile)
        raise CourseError(said + did_you_mean(str(profile), list(PROFILES)))


def _profile(profile: str | None) -> str:
    source = "profile" if profile else "COURSE_PROFILE"
    value = profile or os.environ.get("COURSE_PROFILE") or "quick"
    check_profile(value, source)
    return value


def _backend() -> str:
    """The Keras backend this kernel uses, checked before anything heavy is imported."""
    if "keras" in sys.modules:
        import keras

        return keras.config.backend()
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in BACKENDS:
        raise CourseError(f"KERAS_BACKEND is {backend!r}." + near_misses(backend, list(BACKENDS)))
    if importlib.util.find_spec(backend) is None:
        others = [name for name in BACKENDS if importlib.util.find_spec(name)]
        hint = f"or set KERAS_BACKEND={others[0]} before the kernel starts" if others else "see the README"
        raise CourseError(f"The Keras backend {backend} is not installed here. Install it ({hint}), then restart.")
    os.environ["KERAS_BACKEND"] = backend
    return backend


def _start(backend: str, seed: int) -> tuple[str, bool]:
    """Import the backend, seed it, and say what device it computes on."""
    if backend == "tensorflow":
        os.environ.update(TENSORFLOW_ENVIRONMENT | os.environ)
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        tf.config.experimental.enable_op_determinism()
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else ""
        tf.constant(0.0)  # the first operation prints what TensorFlow has to say; let it do so now
    elif backend == "jax":
        import jax

        # Keras asks for float64 in vain otherwise: it gets float32 and a gradient check cannot succeed.
        jax.config.update("jax_enable_x64", True)
        try:
            gpus = [device for device in jax.devices() if device.platform != "cpu"]
        except (RuntimeError, AssertionError) as error:
            words = "JAX finds nothing to compute on where JAX_PLATFORMS is {value}. {mend}, and start again."
            value, mend = repr(os.environ.get("JAX_PLATFORMS", "")), paths.unset_variable("JAX_PLATFORMS")
            raise CourseError(say(words, value=value, mend=mend)) from error
        name = gpus[0].device_kind if gpus else ""
    else:
        import torch

        gpus = [0] if torch.cuda.is_available() else []
        name = torch.cuda.get_device_name(0) if gpus else ""
    import keras

    keras.utils.set_random_seed(seed)
    return (name or "GPU", True) if gpus else (_cpu(), False)


@contextlib.contextmanager
def quiet_native_output() -> Iterator[None]:
    """Hold back what compiled libraries write to standard error; show it all if the block fails.

    TensorFlow's start-up lines come from C++ and ignore Python's logging; switching oneDNN off would silence
    one of them at the price of a third of the speed.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        original = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read().decode("utf-8", "replace"))


@contextlib.contextmanager
def quiet_logging() -> Iterator[None]:
    """No library's warnings in the log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def cores() -> int:
    """The number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_limit() -> tuple[int, int]:
    """(limit, used) of the container in bytes; (0, 0) where there is no limit."""
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            value = Path(limit).read_text().strip()
            if value.isdigit() and int(value) < 2**60:  # version 1 writes a huge number for "no limit"
                return int(value), int(Path(used).read_text())
        except (OSError, ValueError):
            continue
    return 0, 0


def high_water_mib(pid: int | None) -> float:
    """The most memory (MiB) a process has ever had in RAM, where the system keeps it (Linux); else 0."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def peak_mib() -> float | None:
    """The most memory (MiB) this process has had; None where the system does not keep it."""
    if known := high_water_mib(os.getpid()):
        return known
    try:
        import resource
    except ImportError:
        import psutil

        peak = getattr(psutil.Process().memory_info(), "peak_wset", None)
        return peak / 2**20 if peak else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def free_memory() -> int:
    """Bytes of memory that can still be had, within a container's limit."""
    import psutil

    limit, used = memory_limit()
    available = psutil.virtual_memory().available
    return min(available, max(0, limit - used)) if limit else available


def memory_for_process() -> int:
    """Bytes this process may have in all: what it has, and what the machine or its container still has free.

    ``COURSE_MEMORY_MIB`` says another number, for trying out how a chapter does with little. Raises CourseError where
    that is no number above zero.
    """
    said = os.environ.get("COURSE_MEMORY_MIB")
    if said:
        if not said.isdigit() or int(said) == 0:
            raise CourseError(f"COURSE_MEMORY_MIB must be a whole number of MiB above zero; it is {said!r}.")
        return int(said) * 2**20
    import psutil

    return free_memory() + psutil.Process().memory_info().rss


def _cpu() -> str:
    count = cores()
    return f"{count} CPU core{'s' if count != 1 else ''} ({platform.machine()})"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return bool(shell) and hasattr(shell, "kernel")


PACKAGES = ("keras", "tensorflow", "jax", "keras-hub", "numpy", "pandas", "plotly", "scikit-learn", "papermill")


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """The versions of packages, of those that are installed."""
    found = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def machine(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """What measured figures depend on: system, processor, memory, Python and package versions. No names."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "backend": os.environ.get("KERAS_BACKEND") or "tensorflow",
        "versions": versions(packages),
    }


def machine_in_words(packages: Iterable[str] = PACKAGES) -> str:
    """`machine` as a line for a reader: "Linux x86_64, 2 cores, Python 3.12.4, keras 3.13.0, …"."""
    found = machine(packages)
    return say(
        "{system}, {cores} cores, Python {python}, {versions}",
        system=found["system"],
        cores=found["cores"],
        python=found["python"],
        versions=", ".join(f"{name} {version}" for name, version in found["versions"].items()),
    )

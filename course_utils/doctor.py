"""``course doctor``: is this machine ready for the course, and if not, which one command mends it?

``collect`` gathers facts (no framework is imported), ``judge`` turns them into rows, ``report`` does both.
"""

import html
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from course_utils import paths
from course_utils.errors import near_misses
from course_utils.runtime import PROFILES, cores, memory_limit

MARKS = {"ok": "✓ ok", "notice": "! notice", "problem": "✗ problem"}
BACKENDS = ("tensorflow", "jax", "torch")
# What only the commands lab, run and build use: Colab and Binder bring their own Jupyter, of whatever version, and go
# without the rest (binder/environment.yml leaves all but JupyterLab out).
NOT_FOR_NOTEBOOKS = frozenset(
    (
        "ipykernel",
        "jupyter-client",
        "jupyterlab",
        "latex2mathml",
        "mdit-py-plugins",
        "nbclient",
        "nbformat",
        "papermill",
    )
)
# What stands on TensorFlow: not needed with another backend (requirements-jax.txt leaves them out).
TENSORFLOWS = frozenset(("keras-nlp", "tensorflow"))
INSTALL = "python -m pip install -c constraints.txt -e ."
_GIB = 2**30
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
class Row:
    """One line of the report: subject, state ("ok", "notice" or "problem"), finding, and the command that mends it."""

    subject: str
    state: str
    finding: str
    mend: str = ""


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
    framework: str = ""  # what the framework said, when it was asked
    framework_error: str = ""


@dataclass(frozen=True)
class Report:
    """The doctor's findings; shows itself as a table in a notebook and as aligned text elsewhere."""

    rows: tuple[Row, ...]

    @property
    def problems(self) -> tuple[Row, ...]:
        """The rows that keep the course from running as it should."""
        return tuple(row for row in self.rows if row.state == "problem")

    @property
    def notices(self) -> tuple[Row, ...]:
        """The rows worth knowing, with which the course runs."""
        return tuple(row for row in self.rows if row.state == "notice")

    @property
    def verdict(self) -> str:
        """One sentence for the whole machine."""
        problems, notices = len(self.problems), len(self.notices)
        if problems:
            return f"Not ready: {_count(problems, 'problem')} to mend, {_count(notices, 'notice')}."
        return f"Ready, with {_count(notices, 'notice')}." if notices else "Ready."

    def __str__(self) -> str:
        wide = max((len(row.subject) for row in self.rows), default=0)
        mark = max(map(len, MARKS.values()))
        lines = []
        for row in self.rows:
            lines.append(f"{MARKS[row.state]:<{mark}}  {row.subject:<{wide}}  {row.finding}")
            if row.mend:
                lines.append(f"{'':<{mark}}  {'':<{wide}}  → {row.mend}")
        return "\n".join([*lines, "", self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colours = {"ok": "#1a7f37", "notice": "#b26a00", "problem": "#cf222e"}  # 4.5:1 or nearly, on white and on black
        body = "".join(
            f'<tr><td style="text-align:left;white-space:nowrap;border-left:4px solid {colours[row.state]};'
            f'padding-left:0.6em"><strong>{MARKS[row.state]}</strong></td>'
            f'<th scope="row" style="text-align:left;white-space:nowrap">{html.escape(row.subject)}</th>'
            f'<td style="text-align:left">{html.escape(row.finding)}'
            + (f"<br>Mend it: <code>{html.escape(row.mend)}</code>" if row.mend else "")
            + "</td></tr>"
            for row in self.rows
        )
        return (
            f"<table><caption style='text-align:left'><strong>{html.escape(self.verdict)}</strong></caption>"
            "<thead><tr><th scope='col' style='text-align:left'>State</th><th scope='col' style='text-align:left'>What"
            "</th><th scope='col' style='text-align:left'>Finding</th></tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def report(*, framework: bool = False) -> Report:
    """Look at this machine and judge it. With ``framework`` Keras is started too, in a process of its own (seconds)."""
    return judge(collect(framework=framework))


def judge(facts: Facts) -> Report:
    """Turn facts into rows; pure, so that every machine can be tested on this one."""
    rows = [
        _python(facts),
        _environment(facts),
        *_packages(facts),
        _backend(facts),
        _kernel(facts),
        _memory(facts),
        _disk(facts),
        _processor(facts),
        _accelerator(facts),
        _profile(facts),
        _cache(facts),
        _data(facts),
        _chromium(facts),
    ]
    if facts.framework_error:
        rows.append(Row("Keras starts", "problem", facts.framework_error, _install(facts)))
    elif facts.framework:
        rows.append(Row("Keras starts", "ok", facts.framework))
    return Report(tuple(rows))


# ---- judgements, one subject each


def _python(facts: Facts) -> Row:
    from packaging.specifiers import SpecifierSet

    version = ".".join(map(str, facts.python))
    if SpecifierSet(facts.requires_python).contains(version):
        return Row("Python", "ok", version)
    wanted = facts.requires_python.replace(",", " and ")
    return Row("Python", "problem", f"{version}; the course needs {wanted}", "python3.12 -m venv .venv")


def _environment(facts: Facts) -> Row:
    names = {"venv": "a virtual environment", "conda": "a conda environment", "colab": "Colab", "binder": "Binder"}
    if facts.environment in names:
        return Row("Environment", "ok", names[facts.environment])
    finding = "none: packages of the course mix with those of the system"
    return Row("Environment", "notice", finding, "python -m venv .venv")


def _packages(facts: Facts) -> list[Row]:
    from packaging.requirements import Requirement

    missing, outside, wanted, refused = [], [], [], set()
    ignored = NOT_FOR_NOTEBOOKS if facts.environment in ("colab", "binder") else frozenset()
    spared = frozenset()
    if facts.backend != "tensorflow" or (not facts.backend_installed and facts.other_backends):
        spared = TENSORFLOWS
    for text in facts.requirements:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue  # an extra, which a learner need not have
        if _key(requirement.name) in ignored:
            continue
        version = facts.versions.get(_key(requirement.name))
        if version is None and _key(requirement.name) in spared:
            continue
        if version is None:
            missing.append(requirement.name)
            wanted.append(f"{requirement.name}{requirement.specifier}")
        elif not requirement.specifier.contains(version, prereleases=True):
            outside.append(f"{requirement.name} {version} (needs {requirement.specifier})")
            wanted.append(f"{requirement.name}{requirement.specifier}")
            refused.add(_key(requirement.name))
    mend = _install(facts, tuple(wanted))
    rows = []
    if facts.installed_course is None:
        finding = "used from its folder, not installed: the command course and other folders cannot find it"
        rows.append(Row("Course", "notice", finding, _install(facts)))
    else:
        rows.append(Row("Course", "ok", facts.installed_course))
    if missing:
        rows.append(Row("Packages", "problem", f"not installed: {', '.join(missing)}", mend))
    if outside:
        rows.append(Row("Packages", "problem", f"outside the course's range: {', '.join(outside)}", mend))
    there = {name: pin for name, pin in facts.pins.items() if name in facts.versions and name not in refused}
    direct = [_key(Requirement(text).name) for text in facts.requirements]
    differ = [name for name, pin in there.items() if facts.versions[name] != pin]
    differ.sort(key=lambda name: (name not in direct, name))  # those that the course uses itself come first
    if differ:
        shown = ", ".join(f"{name} {facts.versions[name]} (tested: {there[name]})" for name in differ[:6])
        more = f" and {len(differ) - 6} more" if len(differ) > 6 else ""
        finding = f"{len(there) - len(differ)} of {len(there)} are the tested versions; others: {shown}{more}"
        # Colab's own packages are never changed: what is loaded there already would break.
        mend = "" if facts.environment == "colab" or missing or outside else _install(facts)
        rows.append(Row("Versions", "notice", finding, mend))
    elif not missing and not outside:
        rows.append(Row("Packages", "ok", f"all {len(there)} are the tested versions"))
    return rows


def _backend(facts: Facts) -> Row:
    if facts.backend not in BACKENDS:
        finding = f"KERAS_BACKEND is {facts.backend!r}.{near_misses(facts.backend, list(BACKENDS))}"
        return Row("Keras backend", "problem", finding, _export("KERAS_BACKEND", "tensorflow"))
    if not facts.backend_installed and facts.other_backends:
        other = facts.other_backends[0]
        finding = f"{facts.backend}, which is not installed; {other} is"
        return Row("Keras backend", "problem", finding, _export("KERAS_BACKEND", other))
    if not facts.backend_installed:
        others = {"jax": "python -m pip install -c constraints.txt jax", "torch": "python -m pip install torch"}
        mend = others.get(facts.backend, _install(facts))
        return Row("Keras backend", "problem", f"{facts.backend}, which is not installed", mend)
    promise = "" if facts.backend != "torch" else " (may work; not tested by the course)"
    return Row("Keras backend", "notice" if promise else "ok", f"{facts.backend}{promise}")


def _kernel(facts: Facts) -> Row:
    mend = "python -m ipykernel install --sys-prefix" if "ipykernel" in facts.versions else _install(facts)
    if not facts.kernel:
        return Row("Jupyter kernel", "problem", "there is no kernel named python3", mend)
    if not facts.kernel_is_this:
        finding = f"python3 starts {paths.display(facts.kernel)}, which is another Python than this one"
        return Row("Jupyter kernel", "problem", finding, mend)
    return Row("Jupyter kernel", "ok", "python3 starts this Python")


def _memory(facts: Facts) -> Row:
    finding = f"{_gib(facts.memory)} GiB, {_gib(facts.available)} GiB of it free"
    if facts.memory < 1.5 * _GIB:
        return Row("Memory", "problem", f"{finding}; a chapter takes up to 1.5 GiB: use Colab or Binder")
    if facts.available < 1.5 * _GIB:
        return Row("Memory", "notice", f"{finding}; a chapter takes up to 1.5 GiB: close other programs and kernels")
    return Row("Memory", "ok", finding)


def _disk(facts: Facts) -> Row:
    finding = f"{_gib(facts.disk)} GiB free where the cache is"
    if facts.disk < 0.1 * _GIB:
        mend = _export("COURSE_CACHE", "/another/disk/course-cache")
        return Row("Disk", "problem", f"{finding}; free some, or move the cache", mend)
    if facts.disk < _GIB:
        return Row("Disk", "notice", f"{finding}; enough for the quick profile, scarce for the full one")
    return Row("Disk", "ok", finding)


def _processor(facts: Facts) -> Row:
    finding = f"{facts.processor or 'unknown'}, {_count(facts.cores, 'core')}"
    if facts.lacks_avx and facts.backend == "tensorflow":
        mend = "python -m pip install -c constraints.txt jax"
        return Row("Processor", "problem", f"{finding}; without AVX, on which TensorFlow cannot start", mend)
    if facts.cores < 2:
        return Row("Processor", "notice", f"{finding}; times in the course were measured on two")
    return Row("Processor", "ok", finding)


def _accelerator(facts: Facts) -> Row:
    if not facts.accelerators:
        return Row("Accelerator", "ok", "none found; the quick profile needs none")
    names = ", ".join(facts.accelerators)
    if facts.backend == "tensorflow" and not facts.cuda_libraries and facts.environment != "colab":
        mend = 'python -m pip install -c constraints.txt "tensorflow[and-cuda]"'
        return Row("Accelerator", "notice", f"{names}; without the CUDA libraries TensorFlow does not use it", mend)
    return Row("Accelerator", "ok", names)


def _profile(facts: Facts) -> Row:
    if facts.profile and facts.profile not in PROFILES:
        finding = f"COURSE_PROFILE is {facts.profile!r}.{near_misses(facts.profile, list(PROFILES))}"
        return Row("Profile", "problem", finding, _export("COURSE_PROFILE", "quick"))
    return Row("Profile", "ok", facts.profile or "quick (COURSE_PROFILE is not set)")


def _cache(facts: Facts) -> Row:
    where = paths.display(facts.cache)
    if facts.cache_obstacle:
        mend = _export("COURSE_CACHE", "$HOME/course-cache")
        return Row("Cache", "problem", f"{where}: {facts.cache_obstacle}", mend)
    return Row("Cache", "ok", where)


def _data(facts: Facts) -> Row:
    if not facts.data:
        return Row("Data folder", "ok", "COURSE_DATA is not set: data sets are downloaded when first needed")
    where = paths.display(facts.data)
    if not facts.data_is_folder:
        return Row("Data folder", "problem", f"COURSE_DATA is {where}, which is no folder", _unset("COURSE_DATA"))
    return Row("Data folder", "ok", where)


def _chromium(facts: Facts) -> Row:
    if facts.chromium:
        return Row("Chromium", "ok", f"{paths.display(facts.chromium)}, for the pictures of course build")
    if not facts.chromium_wanted:
        return Row("Chromium", "ok", "none, and none needed: only course build draws pictures")
    finding = "none found; only course build and the browser tests need one"
    mends = {"Darwin": "brew install --cask chromium"}
    apt = "sudo apt-get install chromium" if shutil.which("apt-get") else "plotly_get_chrome"
    return Row("Chromium", "notice", finding, mends.get(platform.system(), apt))


# ---- facts


def collect(*, framework: bool = False) -> Facts:
    """Gather the facts about this machine; imports no framework (one is started elsewhere with ``framework``)."""
    import psutil

    memory = psutil.virtual_memory()
    limit, used = memory_limit()
    total = min(memory.total, limit) if limit else memory.total
    available = min(memory.available, max(0, limit - used)) if limit else memory.available
    installed, requirements, requires_python = _requirements()
    cache = paths.cache_dir()
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
        cache_obstacle=_obstacle(cache),
        disk=shutil.disk_usage(_existing(cache)).free,
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
                found[_key(requirement.name)] = next(iter(requirement.specifier)).version
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
            versions.setdefault(_key(name), distribution.version)  # the first on the path is the one imported
    return versions


def _where() -> str:
    if os.environ.get("COLAB_RELEASE_TAG") or os.environ.get("COLAB_NOTEBOOK_ID"):
        return "colab"
    if os.environ.get("BINDER_SERVICE_HOST"):
        return "binder"
    if sys.prefix != sys.base_prefix:
        return "venv"
    return "conda" if (Path(sys.prefix) / "conda-meta").is_dir() else ""


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _obstacle(cache: Path) -> str:
    """Why nothing can be written into the cache folder; empty when it can. Creates nothing."""
    there = _existing(cache)
    if not there.is_dir():
        return f"{paths.display(there)} is a file, not a folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{paths.display(there)} is not writable"
    return ""


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
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    usual = (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    )
    chosen = os.environ.get("BROWSER_PATH", "")
    found = [chosen, *(shutil.which(name) or "" for name in names), *usual]
    return next((path for path in found if path and Path(path).is_file()), "")


def _kernel_program() -> tuple[str, bool]:
    """(program that Jupyter's kernel ``python3`` starts, whether it is this Python); ("", False) without a kernel."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return "", False
    try:
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
            [sys.executable, "-c", _ASK_FRAMEWORK], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return "", "Keras did not start within two minutes"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        return "", f"Keras does not start: {last}"
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return f"Keras {said['keras']} on {said['backend']}: {', '.join(said['devices'])}", ""


# ---- words


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _install(facts: Facts, requirements: tuple[str, ...] = ()) -> str:
    if facts.environment != "colab":
        return INSTALL
    # On Colab what is there is never upgraded as a whole, and there is no constraints.txt beside the notebook.
    return "%pip install -q " + " ".join(f'"{text}"' for text in requirements) if requirements else ""


def _export(name: str, value: str) -> str:
    return f"set {name}={value}" if sys.platform == "win32" else f'export {name}="{value}"'


def _unset(name: str) -> str:
    return f"set {name}=" if sys.platform == "win32" else f"unset {name}"

"""What the facts about a machine mean for the course: one function a subject, pure, so that all can be tested."""

import platform
import shutil

from course_utils import paths
from course_utils.doctor.facts import Facts, normalised
from course_utils.doctor.table import Report, Row
from course_utils.errors import near_misses
from course_utils.language import say, say_many
from course_utils.runtime import BACKENDS, PROFILES

# What only the commands lab, run and build use: Colab and Binder bring their own Jupyter, of whatever version, and go
# without the rest (binder/environment.yml leaves all but JupyterLab out).
NOT_FOR_NOTEBOOKS = frozenset(
    (
        "ipykernel",
        "jupyter-client",
        "jupyter-core",
        "jupyterlab",
        "latex2mathml",
        "mdit-py-plugins",
        "nbclient",
        "nbformat",
        "nh3",
        "papermill",
    )
)
# What stands on TensorFlow: not needed with another backend (requirements-jax.txt leaves them out).
TENSORFLOWS = frozenset(("keras-nlp", "onnx", "tensorflow", "tf2onnx"))
INSTALL = "python -m pip install -c constraints.txt -e ."
_GIB = 2**30
# A chapter takes up to this much.
_CHAPTER = 1.5 * _GIB


def judge(facts: Facts) -> Report:
    """Turn facts into rows."""
    rows = [
        _python(facts),
        *_system(facts),
        _environment(facts),
        *_packages(facts),
        _backend(facts),
        _keras(facts),
        *_variables(facts),
        _kernel(facts),
        *_jupyter(facts),
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


def _python(facts: Facts) -> Row:
    from packaging.specifiers import SpecifierSet

    version = ".".join(map(str, facts.python))
    if SpecifierSet(facts.requires_python).contains(version):
        return Row("Python", "ok", version)
    words = say(
        "{version}; the course needs {wanted}", version=version, wanted=facts.requires_python.replace(",", ", ")
    )
    return Row("Python", "problem", words, "python3.12 -m venv .venv")


def _system(facts: Facts) -> list[Row]:
    """Systems for which the frameworks have no packages; nothing is said of the others."""
    if facts.system == "Darwin" and facts.machine == "x86_64":
        words = say(
            "macOS on an Intel processor (or a Python made for one), for which neither TensorFlow nor JAX is published "
            "any more: with Apple silicon install a Python for arm64, else use Colab, Binder or a Linux container"
        )
        return [Row("System", "problem", words)]
    if facts.system == "Windows":
        words = say("Windows, on which the course is not tested: use WSL, Windows' own Linux")
        return [Row("System", "notice", words, "wsl --install")]
    return []


def _environment(facts: Facts) -> Row:
    names = {
        "venv": say("a virtual environment"),
        "conda": say("a conda environment"),
        "colab": say("Colab"),
        "binder": say("Binder"),
    }
    if facts.environment in names:
        return Row("Environment", "ok", names[facts.environment])
    words = say("none: packages of the course mix with those of the system")
    return Row("Environment", "notice", words, "python -m venv .venv")


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
        if normalised(requirement.name) in ignored:
            continue
        version = facts.versions.get(normalised(requirement.name))
        if version is None and normalised(requirement.name) in spared:
            continue
        if version is None:
            missing.append(requirement.name)
            wanted.append(f"{requirement.name}{requirement.specifier}")
        elif not requirement.specifier.contains(version, prereleases=True):
            words = "{name} {version} (needs {range})"
            outside.append(say(words, name=requirement.name, version=version, range=requirement.specifier))
            wanted.append(f"{requirement.name}{requirement.specifier}")
            refused.add(normalised(requirement.name))
    mend = _install(facts, tuple(wanted))
    rows = []
    if facts.installed_course is None:
        words = say("used from its folder, not installed: the command course and other folders cannot find it")
        rows.append(Row("Course", "notice", words, _install(facts)))
    else:
        rows.append(Row("Course", "ok", facts.installed_course))
    if missing:
        rows.append(Row("Packages", "problem", say("not installed: {names}", names=", ".join(missing)), mend))
    if outside:
        words = say("outside the course's range: {names}", names=", ".join(outside))
        rows.append(Row("Packages", "problem", words, mend))
    there = {name: pin for name, pin in facts.pins.items() if name in facts.versions and name not in refused}
    direct = [normalised(Requirement(text).name) for text in facts.requirements]
    differ = [name for name, pin in there.items() if facts.versions[name] != pin]
    differ.sort(key=lambda name: (name not in direct, name))  # those that the course uses itself come first
    if differ:
        words = "{name} {version} (tested: {tested})"
        shown = [say(words, name=name, version=facts.versions[name], tested=there[name]) for name in differ[:6]]
        fields = {"same": len(there) - len(differ), "total": len(there), "others": ", ".join(shown)}
        words = say("{same} of {total} are the tested versions; others: {others}", **fields)
        if len(differ) > 6:
            template = "{same} of {total} are the tested versions; others: {others} and {more} more"
            words = say(template, more=len(differ) - 6, **fields)
        # Colab's own packages are never changed: what is loaded there already would break.
        mend = "" if facts.environment == "colab" or missing or outside else _install(facts)
        rows.append(Row("Versions", "notice", words, mend))
    elif not missing and not outside:
        rows.append(Row("Packages", "ok", say("all {n} are the tested versions", n=len(there))))
    return rows


def _backend(facts: Facts) -> Row:
    subject = "Keras backend"
    if facts.backend not in BACKENDS:
        words = say("KERAS_BACKEND is {value}.", value=repr(facts.backend)) + near_misses(facts.backend, list(BACKENDS))
        return Row(subject, "problem", words, paths.set_variable("KERAS_BACKEND", "tensorflow"))
    if not facts.backend_installed and facts.other_backends:
        other = facts.other_backends[0]
        words = say("{backend}, which is not installed; {other} is", backend=facts.backend, other=other)
        return Row(subject, "problem", words, paths.set_variable("KERAS_BACKEND", other))
    if not facts.backend_installed:
        others = {"jax": "python -m pip install -c constraints.txt jax", "torch": "python -m pip install torch"}
        words = say("{backend}, which is not installed", backend=facts.backend)
        return Row(subject, "problem", words, others.get(facts.backend, _install(facts)))
    if facts.backend == "torch":
        return Row(subject, "notice", say("torch (may work; not tested by the course)"))
    return Row(subject, "ok", facts.backend)


def _keras(facts: Facts) -> Row:
    file, subject = facts.keras_file, "Keras settings"
    where = paths.display(file.path)
    if file.fault:
        words = say("Keras does not start with {file}: {fault}", file=where, fault=file.fault)
        return Row(subject, "problem", words, file.mend)
    if file.differs:
        settings = ", ".join(f"{name} = {str(value)[:40]}" for name, value in file.differs.items())
        words = "{file} says {settings}; chapters set what they need themselves, your own programs do not"
        return Row(subject, "notice", say(words, file=where, settings=settings), file.mend)
    return Row(subject, "ok", say("the usual ones"))


def _variables(facts: Facts) -> list[Row]:
    """Variables that would change what a chapter does; nothing is said where there is none."""
    from course_utils.surroundings import VARIABLES

    words = "{name} is set: {effect} (the course's own commands leave it out; other programs pass it on)"
    return [
        Row("Environment", "notice", say(words, name=name, effect=say(VARIABLES[name])), paths.unset_variable(name))
        for name in facts.variables
    ]


def _kernel(facts: Facts) -> Row:
    mend = "python -m ipykernel install --sys-prefix" if "ipykernel" in facts.versions else _install(facts)
    if not facts.kernel:
        return Row("Jupyter kernel", "problem", say("there is no kernel named python3"), mend)
    if not facts.kernel_is_this:
        words = say(
            "python3 starts {program}, which is another Python than this one", program=paths.display(facts.kernel)
        )
        return Row("Jupyter kernel", "problem", words, mend)
    return Row("Jupyter kernel", "ok", say("python3 starts this Python"))


def _jupyter(facts: Facts) -> list[Row]:
    """A home in which JupyterLab can keep nothing; where the cache is at fault too, that row says so."""
    if not facts.jupyter_obstacle or facts.cache_obstacle:
        return []
    words = say(
        "JupyterLab cannot keep its files in your home folder ({obstacle}); course lab keeps them in the cache",
        obstacle=facts.jupyter_obstacle,
    )
    return [Row("Home folder", "notice", words)]


def _memory(facts: Facts) -> Row:
    sizes = {"total": _gib(facts.memory), "free": _gib(facts.available)}
    if facts.memory < _CHAPTER:
        words = "{total} GiB, {free} GiB of it free; a chapter takes up to 1.5 GiB: use Colab or Binder"
        return Row("Memory", "problem", say(words, **sizes))
    if facts.available < _CHAPTER:
        words = "{total} GiB, {free} GiB of it free; a chapter takes up to 1.5 GiB: close other programs and kernels"
        return Row("Memory", "notice", say(words, **sizes))
    return Row("Memory", "ok", say("{total} GiB, {free} GiB of it free", **sizes))


def _disk(facts: Facts) -> Row:
    free = _gib(facts.disk)
    if facts.cache_obstacle:  # said of the cache
        return Row("Disk", "ok", say("not looked at: there is no place for the cache"))
    if facts.disk < 0.1 * _GIB:
        words = say("{free} GiB free where the cache is; free some, or move the cache", free=free)
        return Row("Disk", "problem", words, paths.set_variable("COURSE_CACHE", "/another/disk/course-cache"))
    if facts.disk < _GIB:
        words = "{free} GiB free where the cache is; enough for the quick profile, scarce for the full one"
        return Row("Disk", "notice", say(words, free=free))
    return Row("Disk", "ok", say("{free} GiB free where the cache is", free=free))


def _processor(facts: Facts) -> Row:
    name = facts.processor or say("unknown")
    words = say_many("{name}, {n} core", "{name}, {n} cores", facts.cores, name=name)
    if facts.lacks_avx and facts.backend == "tensorflow":
        mend = "python -m pip install -c constraints.txt jax"
        words = say("{processor}; without AVX, on which TensorFlow cannot start", processor=words)
        return Row("Processor", "problem", words, mend)
    if facts.cores < 2:
        return Row("Processor", "notice", say("{processor}; times in the course were measured on two", processor=words))
    return Row("Processor", "ok", words)


def _accelerator(facts: Facts) -> Row:
    if not facts.accelerators:
        return Row("Accelerator", "ok", say("none found; the quick profile needs none"))
    names = ", ".join(facts.accelerators)
    if facts.backend == "tensorflow" and not facts.cuda_libraries and facts.environment != "colab":
        mend = 'python -m pip install -c constraints.txt "tensorflow[and-cuda]"'
        words = say("{names}; without the CUDA libraries TensorFlow does not use it", names=names)
        return Row("Accelerator", "notice", words, mend)
    return Row("Accelerator", "ok", names)


def _profile(facts: Facts) -> Row:
    if facts.profile and facts.profile not in PROFILES:
        words = say("COURSE_PROFILE is {value}.", value=repr(facts.profile)) + near_misses(
            facts.profile, list(PROFILES)
        )
        return Row("Profile", "problem", words, paths.set_variable("COURSE_PROFILE", "quick"))
    return Row("Profile", "ok", facts.profile or say("quick (COURSE_PROFILE is not set)"))


def _cache(facts: Facts) -> Row:
    where = paths.display(facts.cache)
    if facts.cache_obstacle:
        words = say("{place}: {obstacle}", place=where, obstacle=facts.cache_obstacle)
        return Row("Cache", "problem", words, facts.cache_remedy)
    return Row("Cache", "ok", where)


def _data(facts: Facts) -> Row:
    if not facts.data:
        return Row("Data folder", "ok", say("COURSE_DATA is not set: data sets are downloaded when first needed"))
    where = paths.display(facts.data)
    if not facts.data_is_folder:
        words = say("COURSE_DATA is {place}, which is no folder", place=where)
        return Row("Data folder", "problem", words, paths.unset_variable("COURSE_DATA"))
    return Row("Data folder", "ok", where)


def _chromium(facts: Facts) -> Row:
    if facts.chromium:
        words = say("{program}, for the pictures of course build", program=paths.display(facts.chromium))
        return Row("Chromium", "ok", words)
    if not facts.chromium_wanted:
        return Row("Chromium", "ok", say("none, and none needed: only course build draws pictures"))
    words = say("none found; only course build and the browser tests need one")
    mends = {"Darwin": "brew install --cask chromium"}
    apt = "sudo apt-get install chromium" if shutil.which("apt-get") else "plotly_get_chrome"
    return Row("Chromium", "notice", words, mends.get(platform.system(), apt))


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f}"


def _install(facts: Facts, requirements: tuple[str, ...] = ()) -> str:
    if facts.environment != "colab":
        return INSTALL
    # On Colab what is there is never upgraded as a whole, and there is no constraints.txt beside the notebook.
    return "%pip install -q " + " ".join(f'"{text}"' for text in requirements) if requirements else ""

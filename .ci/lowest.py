"""The lowest versions that pyproject.toml declares, as a file of constraints for pip: derived, never typed.

    python -m pip install uv packaging
    python .ci/lowest.py lowest.txt && python -m pip install -c lowest.txt -e .
    python .ci/lowest.py lowest.txt author test && python -m pip install -c lowest.txt -e ".[test]"

An extra may raise a bound, so that what learners have is installed without one.

What the project names itself is taken at its lower bound, or at the next version above it that has a wheel for this
Python and fits the others. What only those ask for is taken as constraints.txt pins it, where that fits: so the file is
the same tomorrow. Fails on the oldest Python where a bound promises a series of versions that cannot be had.
"""

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
# What keras-hub asks for in any version, and what stands and falls with a minor version of TensorFlow.
COMPANIONS = ("tensorflow-text",)


def requirements(path: Path) -> list[Requirement]:
    """The requirements of a file with one in a line and comments."""
    lines = [line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line]


def declared(project: dict, extras: Sequence[str] = ()) -> dict[str, Requirement]:
    """The project's requirements and those of the extras by name, the higher of two; its own extras are left out."""
    found: dict[str, Requirement] = {}
    for text in [*project["dependencies"], *(t for extra in extras for t in project["optional-dependencies"][extra])]:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        older = found.get(name)
        if name != canonicalize_name(project["name"]) and (
            older is None or Version(bound(requirement)) > Version(bound(older))
        ):
            found[name] = requirement
    return found


def bound(requirement: Requirement) -> str:
    """The version in a requirement's ``>=``; ValueError where it has none."""
    lower = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    if len(lower) != 1:
        raise ValueError(f"{requirement} names no lowest version: write it as {requirement.name}>=VERSION.")
    return lower[0]


def above(wanted: dict[str, Requirement], found: dict[str, str]) -> list[str]:
    """A line for each requirement whose version in ``found`` is beyond its bound's series (2.3 for 2.2)."""
    return [
        f"{name}: {bound(requirement)} is declared, {found[name]} is the lowest that can be had"
        for name, requirement in wanted.items()
        if not SpecifierSet(f"=={bound(requirement)}.*").contains(found[name])
    ]


def main(arguments: list[str]) -> int:
    """Write the file that the first argument names, for the project with the extras that the others name."""
    out, extras = Path(arguments[0]), arguments[1:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = declared(project, extras)
    spare = {*wanted, *COMPANIONS}
    tested = [r for r in requirements(ROOT / "constraints.txt") if canonicalize_name(r.name) not in spare]
    out.write_text("".join(f"{requirement}\n" for requirement in tested), "utf-8")  # what uv finds there it prefers

    python = ".".join(map(str, sys.version_info[:2]))
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--resolution", "lowest-direct", "--only-binary", ":all:", "--python-version", python]
    command += [option for extra in extras for option in ("--extra", extra)]
    command += ["--output-file", str(out), str(ROOT / "pyproject.toml"), "-"]
    subprocess.run(command, input="\n".join(COMPANIONS), text=True, check=True)

    found = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in requirements(out)}
    higher = above(wanted, found)
    at = len(wanted) - len(higher)
    print(f"{out}: {len(found)} versions for Python {python}, {at} of {len(wanted)} at their bound.")
    for line in higher:
        print(f"  {line}")
    oldest = python in project["requires-python"].split(",")[0]
    if higher and oldest:
        print("Raise these bounds in pyproject.toml: nobody can have what they promise.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

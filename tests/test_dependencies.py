"""pyproject.toml, constraints.txt, environment.yml and binder/ agree, and what is imported is declared."""

import ast
import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import course_utils
from course_utils.doctor import NOT_FOR_NOTEBOOKS, TENSORFLOWS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = ("3.11", "3.12", "3.13")
# Imported where they are, never required: the other Keras backends (a learner's choice), the peer of a benchmark,
# Colab's own module, and a name in tests/test_cli.py that no library has.
OPTIONAL = {"pydantic", "jax", "torch", "transformers", "google", "a_library_that_nobody_has"}
OPTIONAL |= {"bentoml", "litserve", "mlserver"}  # tests/benchmarks/serve.py, each in an environment of its own
OPTIONAL |= {"ai_edge_litert"}  # tests/benchmarks/litert.py, which else takes TensorFlow's copy
OPTIONAL |= {"pocketsphinx"}  # tests/benchmarks/spoken_digits.py, which says what to install
EXTRAS = {"author", "ray", "test"}  # an extra is declared when something uses it: `site` is not yet
# What pytest loads stands in the package, so that a reader's own copy of a notebook is compared alike.
TESTERS_FILES = {"course_utils/authoring/pytest_plugin.py"}
# What only an author's build imports comes with the extra `author`, and only these files may import it.
AUTHORS_FILES = {
    "course_utils/authoring/building.py",
    "course_utils/authoring/pictures.py",
    "course_utils/authoring/sources.py",
}
# Of the extra `ray`, which no other extra takes in: a learner's step, outside the chapters.
RAYS_FILES = {"course_utils/serving/ray_engine.py"}


def by_name(requirements: list[str]) -> dict[str, Requirement]:
    """Requirements by normalised name; a name that stands twice fails."""
    found = [Requirement(text) for text in requirements]
    names = [canonicalize_name(requirement.name) for requirement in found]
    assert len(set(names)) == len(names), f"declared twice: {sorted({n for n in names if names.count(n) > 1})}"
    return dict(zip(names, found, strict=True))


MAIN = by_name(PROJECT["dependencies"])
EXTRA = {name: by_name(texts) for name, texts in PROJECT["optional-dependencies"].items()}
OWN = EXTRA["test"].pop(canonicalize_name(PROJECT["name"]), None)  # how the extra `test` takes in `author`
EVERY = MAIN | EXTRA["author"] | EXTRA["test"]  # an extra may raise a bound; `ray` stands apart


def conda(path: str) -> tuple[list[str], list[str]]:
    """(conda's own dependencies, pip's) of an environment file."""
    entries = yaml.safe_load((ROOT / path).read_text("utf-8"))["dependencies"]
    (pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    return [entry for entry in entries if isinstance(entry, str)], pip


def constraint_lines() -> list[str]:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(python: str) -> dict[str, str]:
    """name → version that constraints.txt pins for a Python on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    found = {}
    for line in constraint_lines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice for Python {python}"
            found[name] = next(iter(requirement.specifier)).version
    return found


def ranges(requirements: dict[str, Requirement]) -> dict[str, str]:
    return {name: str(requirement.specifier) for name, requirement in requirements.items()}


# ---- the files agree


def test_the_readmes_test_line_installs_every_extra_but_ray():
    assert set(EXTRA) == EXTRAS
    assert OWN is not None and OWN.extras == {"author"}
    assert not set(EXTRA["author"]) & set(EXTRA["test"])
    assert not set(EXTRA["ray"]) & set(EVERY)


def test_an_extra_names_again_only_what_it_raises(lowest):
    for extra in EXTRA.values():
        for name in set(extra) & set(MAIN):
            assert Version(lowest.bound(extra[name])) > Version(lowest.bound(MAIN[name]))


def test_the_conda_environment_is_the_project_with_its_extras():
    own, pip = conda("environment.yml")
    assert pip[-1] == "-e ."
    assert ranges(by_name(pip[:-1])) == ranges(EVERY)
    assert own == ["python=3.12", "pip"]


def test_binder_is_the_project_without_what_only_authors_need():
    own, pip = conda("binder/environment.yml")
    wanted = {name: requirement for name, requirement in MAIN.items() if name not in NOT_FOR_NOTEBOOKS - {"jupyterlab"}}
    assert ranges(by_name(pip)) == ranges(wanted)
    assert own == ["python=3.12", "pip"]


def test_the_environment_without_tensorflow_is_the_project_on_jax():
    text = (ROOT / "requirements-jax.txt").read_text("utf-8")
    names = [line.split("#")[0].strip() for line in text.splitlines()]
    found = by_name([name for name in names if name])
    assert not any(str(requirement.specifier) for requirement in found.values()), "the ranges stand in pyproject.toml"
    # keras-hub itself comes without its dependencies, of which one is TensorFlow's: this is another that it imports
    hub = {"regex"}
    assert set(found) == set(MAIN) - TENSORFLOWS | {"jax"} | hub


def test_binder_installs_the_course_itself_without_touching_its_packages():
    script = (ROOT / "binder" / "postBuild").read_text("utf-8")
    assert script.startswith("#!")
    assert "python -m pip install --no-deps -e ." in script.splitlines()


@pytest.mark.parametrize("path", ["environment.yml", "binder/environment.yml"])
def test_the_environments_python_is_one_that_the_project_supports(path):
    python = conda(path)[0][0].removeprefix("python=")
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)


def test_the_pythons_of_the_project_are_those_of_its_classifiers():
    named = {match[1] for text in PROJECT["classifiers"] if (match := re.search(r":: (3\.\d+)$", text))}
    assert named == set(PYTHONS)
    allowed = {f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in SpecifierSet(PROJECT["requires-python"])}
    assert allowed == set(PYTHONS)


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert PROJECT["version"] == course_utils.__version__ == citation["version"]


def test_the_licence_files_are_there():
    for name in PROJECT["license-files"]:
        assert (ROOT / name).stat().st_size > 500
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "creativecommons.org/licenses/by/4.0" in (ROOT / "LICENSE-TEXT").read_text("utf-8")


def test_every_dependency_says_where_it_is_used():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for requirement in (*MAIN.values(), *(one for extra in EXTRA.values() for one in extra.values())):
        line = next(line for line in text.splitlines() if line.strip().startswith(f'"{requirement}"'))
        assert re.search(r'",\s+# \w', line), f"no comment: {line.strip()}"


# ---- constraints.txt


def test_constraints_are_names_and_versions_only():
    pattern = r'[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!]*( ; python_version (<|>=|==) "3\.\d+")?'
    odd = [line for line in constraint_lines() if not re.fullmatch(pattern, line)]
    assert not odd
    comments = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line.startswith("#")]
    assert comments, "a header says how the file was made"
    assert not any("://" in line or "index" in line.lower() for line in comments)


def test_constraints_are_sorted_and_leave_out_the_project_and_its_installers():
    names = [canonicalize_name(Requirement(line).name) for line in constraint_lines()]
    assert names == sorted(names)
    assert not {"pip", "setuptools", PROJECT["name"]} & set(names)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_inside_its_range(python):
    pinned = pins(python)
    for name, requirement in (EVERY | EXTRA["ray"]).items():
        assert name in pinned, f"{name} has no pin for Python {python}"
        assert requirement.specifier.contains(pinned[name]), f"{name}=={pinned[name]} is outside {requirement}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_second_backend_is_pinned_too(python):
    pinned = pins(python)
    assert pinned["jax"] == pinned["jaxlib"]


@pytest.mark.parametrize("python", PYTHONS)
def test_tensorflow_and_its_text_library_are_of_one_minor_version(python):
    pinned = pins(python)
    minor = [pinned[name].split(".")[:2] for name in ("tensorflow", "tensorflow-text")]
    assert minor[0] == minor[1], "tensorflow-text of another minor version fails on import"


# ---- the lowest versions (.ci/lowest.py)


@pytest.fixture(scope="module")
def lowest():
    spec = importlib.util.spec_from_file_location("lowest", ROOT / ".ci" / "lowest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dependency_names_its_lowest_version(lowest):
    assert lowest.declared(PROJECT) == MAIN
    found = lowest.declared(PROJECT, ["test", "author"])
    assert found == EVERY
    assert {name: f">={lowest.bound(requirement)}" for name, requirement in found.items()} == ranges(EVERY)


@pytest.mark.parametrize("text", ["numpy", "numpy<3", "numpy==2.0", "numpy>=2.0,>=2.1"])
def test_a_dependency_without_one_lowest_version_is_refused(lowest, text):
    with pytest.raises(ValueError, match="numpy"):
        lowest.bound(Requirement(text))


@pytest.mark.parametrize(
    ("found", "beyond"), [("2.2.0", 0), ("2.2.3", 0), ("2.2", 0), ("2.3.0", 1), ("2.20.0", 1), ("3.0", 1)]
)
def test_a_bound_that_cannot_be_had_is_named(lowest, found, beyond):
    lines = lowest.above({"pandas": Requirement("pandas>=2.2")}, {"pandas": found})
    assert len(lines) == beyond and all(found in line and "pandas: 2.2 is declared" in line for line in lines)


# ---- imports


def imported(path: Path) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    lines = path.read_text("utf-8").splitlines()
    source = "\n".join("pass" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"course_utils"} - OPTIONAL


def files(*folders: str) -> list[Path]:
    found = [
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if not path.name.startswith("_sketch")
    ]
    assert found
    return sorted(found)


def undeclared(paths: list[Path], declared: set[str], own: set[str] = frozenset()) -> list[str]:
    """``file: module`` for each import that no declared distribution provides."""
    providers = importlib.metadata.packages_distributions()
    missing = []
    for path in paths:
        for module in sorted(imported(path) - own):
            distributions = {canonicalize_name(name) for name in providers.get(module, [module])}
            if module == "keras_hub":  # keras-nlp is a shim that requires keras-hub
                distributions.add("keras-nlp")
            if not distributions & declared:
                missing.append(f"{path.relative_to(ROOT)}: {module} ({', '.join(sorted(distributions))})")
    return missing


def test_what_the_package_and_the_chapters_import_is_declared():
    everything = files("course_utils", "notebooks/source")
    authors = [path for path in everything if path.relative_to(ROOT).as_posix() in AUTHORS_FILES]
    testers = [path for path in everything if path.relative_to(ROOT).as_posix() in TESTERS_FILES]
    rays = [path for path in everything if path.relative_to(ROOT).as_posix() in RAYS_FILES]
    assert undeclared([path for path in everything if path not in authors + testers + rays], set(MAIN)) == []
    assert len(rays) == len(RAYS_FILES)
    assert undeclared(rays, set(MAIN) | set(EXTRA["ray"])) == []
    assert len(testers) == len(TESTERS_FILES)
    assert undeclared(testers, set(EVERY)) == []
    assert len(authors) == len(AUTHORS_FILES)
    assert undeclared(authors, set(MAIN) | set(EXTRA["author"])) == []


def test_what_the_tests_import_is_declared():
    paths = files("tests")
    own = {"tests", "conftest"} | {path.stem for path in paths} | {path.parent.name for path in paths}
    assert undeclared(paths, set(EVERY), own) == []


def test_an_undeclared_import_would_be_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "module.py").write_text("def f():\n    import sklearn.metrics\n    from nowhere.inside import x\n")
    found = undeclared([tmp_path / "module.py"], {"numpy"})
    assert found == ["module.py: nowhere (nowhere)", "module.py: sklearn (scikit-learn)"]
    assert undeclared([tmp_path / "module.py"], {"scikit-learn", "nowhere"}) == []


def test_every_dependency_is_used():
    # Not imported by name anywhere, and needed all the same: each with its reason.
    unseen = {
        "anywidget": "plotly's FigureWidget asks for it",
        "ipywidgets": "the widgets of the chapters; plotly's FigureWidget asks for it too",
        "jupyterlab": "started by course lab as a program",
        "keras-nlp": "imported as keras_hub, from chapter 08 on",
        "nbval": "a pytest plugin",
        "onnx": "what tf2onnx writes with; here for its lower bound",
        "pytest-timeout": "a pytest plugin",
        "pytest-xdist": "a pytest plugin",
        "ruff": "started by CI as a program",
        "tf2onnx": "Keras's export to ONNX imports it",
        "sentencepiece": "keras_hub imports it, and did not declare it yet in 0.26",
    }
    providers = importlib.metadata.packages_distributions()
    used = {
        canonicalize_name(name)
        for path in files("course_utils", "notebooks/source", "tests")
        for module in imported(path)
        for name in providers.get(module, [])
    }
    unused = set(EVERY) - used - set(unseen)
    assert not unused, "declared, and imported by nothing: take it out, or give the reason above"

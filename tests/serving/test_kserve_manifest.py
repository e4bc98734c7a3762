"""Chapter 11's manifest: every field is one of KServe's or Kubernetes', every option one of ``course serve``.

Neither is installed for this. ``COURSE_KSERVE_WHEELS`` may name two wheels with a colon between them, as
``pip download --no-deps kserve==0.21.0 kubernetes==33.1.0`` brings them: their generated classes hold the fields.
Without it only what the course knows itself is checked.
"""

import ast
import os
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from course_utils import cli, paths
from course_utils.serving import guard

WHEELS = os.environ.get("COURSE_KSERVE_WHEELS")


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load(paths.packaged("manifests/kserve.yaml").read_text("utf-8"))


def classes(wheels: str) -> dict[str, dict[str, str]]:
    """The generated classes in these wheels: for each the JSON names of its fields, with their types."""
    found = {}
    for wheel in wheels.split(os.pathsep):
        with zipfile.ZipFile(wheel) as archive:
            for file in archive.namelist():
                if re.fullmatch(r"(kserve|kubernetes/client)/models/v1\w*\.py", file):
                    found |= _fields(ast.parse(archive.read(file)))
    return found


def _fields(tree: ast.Module) -> dict[str, dict[str, str]]:
    (made,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    given = {node.targets[0].id: node.value for node in made.body if isinstance(node, ast.Assign)}
    kinds, names = (ast.literal_eval(given[name]) for name in ("openapi_types", "attribute_map"))
    return {made.name: {names[key]: kind for key, kind in kinds.items()}}


KINDS = {"str": str, "int": int, "bool": bool}


def unknown(known: dict[str, dict[str, str]], kind: str, value: object, where: str = "") -> list[str]:
    """What of ``value`` is no field of the class ``kind``, or of another type."""
    if kind.startswith(("list[", "dict(")):
        if not isinstance(value, list if kind.startswith("list[") else dict):
            return [where]
        inner = kind[5:-1].rpartition(" ")[2]
        parts = value if isinstance(value, list) else value.values()
        return [one for part in parts for one in unknown(known, inner, part, where)]
    if kind in KINDS:
        return [] if isinstance(value, KINDS[kind]) else [where]
    if kind not in known:  # a number with its unit, or a port that may be a name
        return [] if kind in ("object", "ResourceQuantity") else [f"{where}: {kind}"]
    if not isinstance(value, dict):
        return [where]
    fields = known[kind]
    wrong = [f"{where}.{name}" for name in value if name not in fields]
    return wrong + [
        one for name in value if name in fields for one in unknown(known, fields[name], value[name], f"{where}.{name}")
    ]


@pytest.mark.skipif(not WHEELS, reason="COURSE_KSERVE_WHEELS names no wheels of kserve and kubernetes")
def test_every_field_is_known(manifest):
    known = classes(WHEELS)
    assert unknown(known, "V1beta1InferenceService", manifest) == []
    predictor = manifest["spec"]["predictor"]
    (container,) = predictor["containers"]
    worse = {"minReplica": 2, "maxReplicas": "many", "containers": [container | {"port": []}]}
    planted = manifest | {"spec": {"predictor": predictor | worse}}
    assert sorted(unknown(known, "V1beta1InferenceService", planted)) == [
        ".spec.predictor.containers.port",
        ".spec.predictor.maxReplicas",
        ".spec.predictor.minReplica",
    ]


def test_the_container_starts_what_there_is(manifest, capsys):
    (container,) = manifest["spec"]["predictor"]["containers"]
    assert container["name"] == "kserve-container"  # the name by which KServe knows it
    words = [*container["command"], *container["args"]]
    assert words[:3] == ["course", "serve", "/mnt/models"]
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    (port,) = container["ports"]
    assert str(port["containerPort"]) == words[words.index("--port") + 1]
    keys = {mount["mountPath"] for mount in container["volumeMounts"]}
    files = [word for word in container["args"] if word.startswith("/")]
    assert files and all(str(Path(file).parent) in keys for file in files)


def problems_with_mode(manifest) -> list[str]:
    """What Knative mode, or its absence, makes of these fields: no check of names and types sees it."""
    mode = manifest["metadata"].get("annotations", {}).get("serving.kserve.io/deploymentMode")
    predictor = manifest["spec"]["predictor"]
    found = []
    if "canaryTrafficPercent" in predictor and mode != "Knative":
        found.append("canaryTrafficPercent is ignored but in Knative mode")
    metrics = ("concurrency", "rps") if mode == "Knative" else ("cpu", "memory")
    if predictor.get("scaleMetric") not in metrics:
        found.append(f"the scaler of this mode knows {metrics}")
    return found


def test_the_canary_is_obeyed_in_the_mode_that_is_set(manifest):
    assert problems_with_mode(manifest) == []
    for changed in ({}, {"serving.kserve.io/deploymentMode": "Standard"}):
        planted = manifest | {"metadata": manifest["metadata"] | {"annotations": changed}}
        assert len(problems_with_mode(planted)) == 2


def test_the_probes_need_no_key(manifest):
    (container,) = manifest["spec"]["predictor"]["containers"]
    for probe in ("livenessProbe", "readinessProbe"):
        get = container[probe]["httpGet"]
        assert get["path"] in guard.OPEN and get["port"] == container["ports"][0]["containerPort"]

# shellcheck shell=bash
# Stages that need an environment of their own, as functions for .ci/run, which sources this file: it provides an empty
# folder in $scratch and `activate`, stands in the repository, and stops at the first failure.

# What takes no browser, no real data and no run of a whole chapter: the package on these versions.
fast_tests() { "$1" -m pytest -q -p no:cacheprovider --ignore tests/browser --ignore tests/notebooks --ignore tests/chapters; }

# The solved chapters named, or all of them; two at a time, as the machine has two cores.
run_chapters() {
    local python=$1 out=$2
    shift 2
    "$python" -m course_utils run "$@" --edition solutions --strict --jobs 2 --out "$out"
}

# lowest_environment NAME EXTRA …: the lowest versions declared, for the project alone or with the extras named, as an
# environment in $scratch/NAME. uv derives and installs them.
lowest_environment() {
    local name=$1
    shift
    local extras
    extras=$(IFS=, && echo "$*")
    python3 -m venv "$scratch/tools"
    "$scratch/tools/bin/python" -m pip install -q -c constraints.txt uv packaging
    "$scratch/tools/bin/python" .ci/lowest.py "$scratch/$name.txt" "$@"
    python3 -m venv "$scratch/$name"
    local uv=("$scratch/tools/bin/python" -m uv pip)
    "${uv[@]}" install -q --python "$scratch/$name/bin/python" -c "$scratch/$name.txt" -e ".${extras:+[$extras]}"
    "${uv[@]}" check --python "$scratch/$name/bin/python"
}

# For every push: the two chapters that touch most of the libraries between them.
lowest_smoke() {
    lowest_environment lowest
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs" 00 09
}

# The chapters as learners have them; the tests with what authors need, which may raise a bound.
lowest() {
    lowest_environment lowest
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs"
    lowest_environment lowest-test author test
    fast_tests "$scratch/lowest-test/bin/python"
}

newest() {
    python3 -m venv "$scratch/newest"
    "$scratch/newest/bin/python" -m pip install -q --upgrade pip
    "$scratch/newest/bin/python" -m pip install -q -e ".[test]"
    "$scratch/newest/bin/python" -m pip check
    run_chapters "$scratch/newest/bin/python" "$scratch/newest-runs"
    fast_tests "$scratch/newest/bin/python"
}

# The replicas of course serve --engine ray, in an environment that has Ray: no other one does.
ray() {
    python3 -m venv "$scratch/ray"
    "$scratch/ray/bin/python" -m pip install -q -c constraints.txt -e ".[ray,test]"
    "$scratch/ray/bin/python" -m pytest -ra -n 0 -m "night or not night" tests/serving/test_ray_engine.py
}

# In the environment that is active, since a GPU's libraries belong to its machine: TensorFlow there, JAX there or in
# that of COURSE_JAX_PYTHON. Skips what it cannot run and says why; one chapter at a time, as the GPU is one.
gpu() {
    activate
    COURSE_GPU_TABLE=${COURSE_GPU_TABLE:-data/results/gpu.json} pytest -ra -n 0 -m gpu tests/gpu
}

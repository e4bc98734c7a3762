# shellcheck shell=bash
# Stages that need an environment of their own, as functions for .ci/run, which sources this file. They expect `step`
# (says what begins), an empty folder in $scratch, and the repository as the current folder. Each ends at the first
# failure (`set -e` of the caller), and leaves what it ran in $scratch.

# What takes no browser, no real data and no run of a whole chapter: the package on these versions.
fast_tests() { "$1" -m pytest -q -p no:cacheprovider --ignore tests/browser --ignore tests/notebooks --ignore tests/chapters; }

# The solved chapters named, or all of them; two at a time, as the machine has two cores.
run_chapters() {
    local python=$1 out=$2
    shift 2
    "$python" -m course_utils run "$@" --edition solutions --strict --jobs 2 --out "$out"
}

lowest_environment() { # $1: what to install, "." or ".[test]"
    step "an environment at the lowest versions that pyproject.toml declares"
    python3 -m venv "$scratch/tools"
    "$scratch/tools/bin/python" -m pip install -q -c constraints.txt uv packaging
    "$scratch/tools/bin/python" .ci/lowest.py "$scratch/lowest.txt"
    python3 -m venv "$scratch/lowest"
    "$scratch/tools/bin/python" -m uv pip install -q --python "$scratch/lowest/bin/python" -c "$scratch/lowest.txt" -e "$1"
    "$scratch/tools/bin/python" -m uv pip check --python "$scratch/lowest/bin/python"
}

# For every push: the two chapters that touch most of the libraries between them.
stage_lowest_smoke() {
    lowest_environment .
    step "chapters 00 and 09 at the lowest versions"
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs" 00 09
}

stage_lowest() {
    lowest_environment ".[test]"
    step "every chapter at the lowest versions"
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs"
    step "the package's tests at the lowest versions"
    fast_tests "$scratch/lowest/bin/python"
}

stage_newest() {
    step "an environment at the newest versions"
    python3 -m venv "$scratch/newest"
    "$scratch/newest/bin/python" -m pip install -q --upgrade pip
    "$scratch/newest/bin/python" -m pip install -q -e ".[test]"
    "$scratch/newest/bin/python" -m pip check
    "$scratch/newest/bin/python" -m pip freeze --exclude-editable >"$scratch/newest.txt"
    step "every chapter at the newest versions"
    run_chapters "$scratch/newest/bin/python" "$scratch/newest-runs"
    step "the package's tests at the newest versions"
    fast_tests "$scratch/newest/bin/python"
}

# Runs in the environment that is active, since a GPU's libraries belong to its machine: TensorFlow there, JAX there or
# in that of COURSE_JAX_PYTHON. Skips what it cannot run and says why.
stage_gpu() {
    step "five chapters on a GPU"
    COURSE_GPU_TABLE=${COURSE_GPU_TABLE:-data/results/gpu.json} python3 -m pytest -ra -m gpu tests/gpu
}

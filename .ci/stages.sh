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

# The lowest versions declared, for the project alone or with the extras named. uv derives and installs them.
lowest_environment() {
    local name=$1
    shift
    local extras
    extras=$(IFS=, && echo "$*")
    step "an environment at the lowest versions that pyproject.toml declares${extras:+, with $extras}"
    python3 -m venv "$scratch/tools"
    "$scratch/tools/bin/python" -m pip install -q -c constraints.txt uv packaging
    "$scratch/tools/bin/python" .ci/lowest.py "$scratch/$name.txt" "$@"
    python3 -m venv "$scratch/$name"
    local uv=("$scratch/tools/bin/python" -m uv pip)
    "${uv[@]}" install -q --python "$scratch/$name/bin/python" -c "$scratch/$name.txt" -e ".${extras:+[$extras]}"
    "${uv[@]}" check --python "$scratch/$name/bin/python"
}

# For every push: the two chapters that touch most of the libraries between them.
stage_lowest_smoke() {
    lowest_environment lowest
    step "chapters 00 and 09 at the lowest versions"
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs" 00 09
}

# The chapters as learners have them; the tests with what authors need, which may raise a bound.
stage_lowest() {
    lowest_environment lowest
    step "every chapter at the lowest versions"
    run_chapters "$scratch/lowest/bin/python" "$scratch/lowest-runs"
    lowest_environment lowest-test author test
    step "the package's tests at the lowest versions"
    fast_tests "$scratch/lowest-test/bin/python"
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

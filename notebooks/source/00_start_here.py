# ---
# jupyter:
#   course:
#     chapter: "00"
#     title: Start here
#     requires: []
#     needs: {quick: [], full: []}
#     budget: {seconds: 30, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 00 · Start here
#
# You find out whether everything works on your machine, train a first network in under a minute, and learn how a chapter works.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: Python, nothing else*

# %% [markdown]
# ## You will be able to
#
# * say what a virtual environment is, and why it comes before the first install;
# * have your machine checked, and mend what is missing with one command;
# * train and test a small network, and say what the printed numbers mean;
# * work with a chapter: parameters, predictions, exercises, profiles and backends.

# %% [markdown]
# ### Setup
#
# Each chapter begins with two cells. The first holds its *parameters*: values that you, or a program that runs the chapter, may change.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# The second prepares the kernel and prints one line: which profile runs, on what.

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, doctor, evaluate, figures, setup, training

course = setup("00", profile=profile, seed=seed)

# %% [markdown]
# ## The question
#
# You want to build something with neural networks, in a small company, and not spend your first week on installation. So, before any
# theory: *does everything work here? And if not, which one command mends it?*
# %% [markdown]
# ## 1 · An environment of its own
#
# Python packages need one another, in certain versions. Two projects on one machine soon want two versions of the same package. A
# **virtual environment** is a folder with a Python of its own and packages of its own; what you install there, no other project sees.
#
# The order matters: *make* the environment, *enter* it, *install* into it.
#
# ```bash
# python3 -m venv .venv
# source .venv/bin/activate            # Windows: .venv\Scripts\activate
# python -m pip install -c constraints.txt -e .
# ```
#
# `-c constraints.txt` asks for exactly the versions that the course was tested with. Are you in an environment now?
# %% tags=["nbval-ignore-output"]
import sys

import keras

"inside a virtual environment" if sys.prefix != sys.base_prefix else "in the system's own Python"

# %% [markdown]
# Either is fine for a course on a machine of its own (Colab and Binder have one Python and throw it away afterwards). On your own
# laptop, prefer the first.
#
# ### Check the article
#
# Section B5.1 installs TensorFlow in step 2 and makes the environment in step 5. Does the new environment have what was installed
# before? Make one, and ask it.
#
# **Predict first.** Will a fresh environment, made by this very Python, find Keras?

# %%
import subprocess
import tempfile
import venv
from pathlib import Path


def fresh_environment_finds(package):
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=False)
        python = next(path for path in Path(folder).glob("*/python*") if path.stem == "python")
        question = f"import importlib.util as u; print(u.find_spec({package!r}) is not None)"
        return (
            subprocess.run(
                [python, "-I", "-c", question], capture_output=True, text=True
            ).stdout.strip()
            == "True"
        )


finds_keras, finds_json = fresh_environment_finds("keras"), fresh_environment_finds("json")
finds_keras, finds_json

# %% [markdown]
# It finds `json`, which is part of Python itself, and does not find Keras. What was installed first is invisible inside: all of it
# must be installed again, as the article's own step 6 does. The section also says that Python 3.6 is enough. Today's Keras says in its
# metadata which Pythons it accepts:

# %%
from importlib.metadata import metadata

from packaging.specifiers import SpecifierSet

wants = metadata("keras")["Requires-Python"]
runs_on_36 = "3.6" in SpecifierSet(wants)
claims.record(
    "c43",
    verdict="holds" if finds_keras and runs_on_36 else "wrong",
    evidence=f"a fresh environment finds keras: {finds_keras} (json: {finds_json}); keras {keras.__version__} wants Python {wants}",
)

# %% [markdown]
# Section A5.1 opens with `pip install python tensorflow`. Ask a package index for both names: `tensorflow` is the control that shows
# that the index answers at all. Asking needs a network, which the quick profile never uses; there the chapter shows the evidence that was
# recorded, and says so.


# %%
def on_the_index(name):
    command = [
        sys.executable,
        "-m",
        "pip",
        "index",
        "versions",
        name,
        "--retries",
        "0",
        "--timeout",
        "10",
    ]
    return subprocess.run(command, capture_output=True).returncode == 0


# %% [markdown]
# In the full profile the control decides: where the index answers for `tensorflow`, its answer for `python` counts.

# %%
kept = claims.recorded("c09")
live = course.full and on_the_index("tensorflow")
found = (
    {name: on_the_index(name) for name in ("python", "tensorflow")} if live else kept["found"]
)
claims.record(
    "c09",
    verdict="holds" if all(found.values()) else "wrong",
    evidence=", ".join(
        f"{name}: {'found' if there else 'no such distribution'}"
        for name, there in found.items()
    ),
    recorded=None if live else kept["date"],
)

# %% [markdown]
# There is no distribution called `python`, so pip refuses the whole line. Python itself comes from your system, from python.org or
# from conda.

# %% [markdown]
# ## 2 · Is everything here?
#
# `course doctor` looks at the machine and says what it found. Type it in a terminal, or run it from a cell:

# %% tags=["nbval-ignore-output"]
doctor.report()

# %% [markdown]
# Each line is *ok*, a *notice* (works, but know this) or a *problem*, and a problem comes with the one command that mends it. Ask it
# first whenever something behaves oddly, and put its output into any question you send.

# %% [markdown]
# ## 3 · A first network
#
# The proof of an installation is a training run. The data: small handwritten digits, 28 × 28 pixels, each with its label.

# %%
digits = data.load("digits")
figures.image_grid(
    digits.train.images[:8],
    [f"label {label}" for label in digits.train.labels[:8]],
    alt="Eight handwritten digits, each with the label that a person gave it",
)

# %% [markdown]
# A picture is a grid of grey values from 0 to 255. Divide by 255, lay the rows end to end, and each picture is a row of 784 numbers
# between 0 and 1. The data become a matrix `A` with the shape `(examples, 784)`.


# %%
def as_rows(images):
    return images.reshape(len(images), -1).astype("float32") / 255


A = as_rows(digits.train.images)
A.shape, float(A.min()), float(A.max())

# %% [markdown]
# The smallest network there is has one **dense layer**. It has a weight for each pair of pixel and class, and one bias a class:
#
# $$ Z = A W + b, \qquad P = \operatorname{softmax}(Z). $$
#
# $Z$ holds ten *logits* for each picture; *softmax* turns them into ten probabilities, positive and adding up to one.

# %%
model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# %% [markdown]
# **Predict first.** Before any training, what share of the digits will it get right?
#
# <details><summary>Answer</summary>
#
# About one in ten: it guesses, and there are ten classes. It can be a little above or below, since the random start may favour one
# class.
#
# </details>

# %%
_, before = model.evaluate(A, digits.train.labels, verbose=0)
assert before < 0.35
f"{before:.0%} right before training"

# %% [markdown]
# Training shows it the pictures again and again, in small *batches*, and after each batch moves the weights a little so that the *loss*
# falls. Chapter 02 derives how. One line tells how it goes:

# %% tags=["nbval-ignore-output"]
epochs = 15
A_validation = as_rows(digits.validation.images)
history = model.fit(
    A,
    digits.train.labels,
    epochs=epochs,
    validation_data=(A_validation, digits.validation.labels),
    verbose=0,
    callbacks=[training.progress(epochs)],
)

# %% [markdown]
# An *epoch* has shown every training picture once. Over the epochs:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
curves = training.history_table(history)
figures.training_curves(
    curves,
    alt="Training and validation loss both fall steeply, then slowly; both accuracies rise",
)

# %% [markdown]
# Both losses fall and both accuracies rise: it learns something that also holds for pictures it did not train on. (Training is measured
# *during* an epoch, while the weights still change, validation after it; so validation may look better at first.) How good is it on
# the third part of the data, which nothing has touched so far?

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
A_test = as_rows(digits.test.images)
probabilities = model.predict(A_test, verbose=0)
test = evaluate.accuracy(digits.test.labels, probabilities.argmax(axis=1))
course.headline("test accuracy", test.value, test.low, test.high)

# %% [markdown]
# The bracket is a 95 % confidence interval: with other digits of the same kind the number would have been a little different, and that is
# how much. It lies well below the validation accuracy, because other people wrote these digits; chapter 07 says what to make of that.
# Another processor or seed gives a slightly different number too, so the course holds it within a stated tolerance:

# %%
assert abs(test.value - 0.91) <= 0.04, f"{test.value:.4f} is not within 0.04 of 0.91"

# %% [markdown]
# If you can read this line and no cell above stopped, **your installation works**. The rest of the chapter is how to use it.

# %% [markdown]
# ## 4 · How a chapter works
#
# Every chapter has the same parts: a question; numbered sections that go from idea to formula to code to what you should see; *predict
# first* questions; *check the article*, where a claim is run and a verdict computed; exercises; a recap that answers the goals; limits
# and sources.
#
# Run it top to bottom with Shift+Enter. You work on a copy (`course lab` makes it in the folder `work/`), so break what you like:
# `course reset 00` brings the chapter back and keeps your copy beside it.
#
# ### How exercises report
#
# An exercise cell holds `...` where your code goes, and ends in `check("id", answer)`. There are three verdicts. Untouched, it says
# what to do:

# %%
from course_utils.exercises import preview

preview("00-1")

# %% [markdown]
# A wrong answer is not just refused; where the mistake is a common one, the hint names it. Here somebody adds where
# one should multiply:

# %%
preview("00-1", 784 + 10)

# %% [markdown]
# `preview` only shows a verdict; `check` also writes a right answer into your progress file, which stays on your machine.
# `course progress` shows the table.

# %% [markdown]
# ## 5 · Profiles and backends
#
# The **quick** profile is the default: data that is already on the machine, no network, about a minute a chapter on two cores. The
# **full** profile takes the published data sets and trains in earnest. Only sizes and data differ, never the lesson:

# %%
course.choose(quick="1,797 digits from scikit-learn", full="70,000 digits of MNIST")

# %% [markdown]
# Choose it before the kernel starts (`COURSE_PROFILE=full course lab`), in the parameters cell, or for a run of whole chapters:
# `course run 07 --profile full -p seed=3`.
#
# Keras computes with a **backend**: TensorFlow here, by default. Set `KERAS_BACKEND=jax` before the kernel starts to use JAX instead.
#
# ### Check the article
#
# Section B7.1 calls Keras "the front end of TensorFlow". If that were so, Keras would need TensorFlow, and could use nothing else. Its own
# package metadata lists what it needs, and its own folders what it can use.

# %%
import pkgutil
from importlib.metadata import requires

needs = [line for line in requires("keras") if "extra ==" not in line]
needs_tensorflow = any(line.startswith("tensorflow") for line in needs)
folders = {module.name for module in pkgutil.iter_modules(keras.src.backend.__path__)}
backends = sorted(folders & {"tensorflow", "jax", "torch"})
needs_tensorflow, backends

# %% [markdown]
# A list of folders is a promise, not a run. So every backend installed here computes the same softmax, each in a process of its own:

# %% tags=["nbval-ignore-output"]
import os
from importlib.util import find_spec

program = """
import keras
probabilities = keras.ops.softmax(keras.ops.array([0.0, 1.0, 3.0]))
print(keras.config.backend(), round(float(probabilities[2]), 4))
"""
installed = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
ran = [
    subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    for name in installed
]
ran

# %% [markdown]
# Where more than one is installed, the numbers must agree; where only one is, the list of folders has to carry the claim. Now the
# verdict can be computed.

# %%
others = [name for name in backends if name != "tensorflow"]
assert len({line.split()[1] for line in ran}) == 1, ran
claims.record(
    "c60",
    verdict="wrong" if others and not needs_tensorflow else "holds",
    evidence=f"keras {keras.__version__} brings backends for {', '.join(backends)} and does not require tensorflow: {not needs_tensorflow}",
)

# %% [markdown]
# It was true of Keras 2.4 to 2.15. Keras 3 stands on several backends, and a model saved on one loads on another. The course is written
# in Keras alone, so you may change your mind about the backend later.

# %% [markdown]
# ## 6 · Notation and glossary
#
# Data are rows, as in NumPy and Keras. The same letters mean the same things in every chapter:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $A$, $X$ | `(batch, inputs)` | a batch of inputs or activations, one example a row |
# | $W$, $b$ | `(inputs, outputs)`, `(outputs,)` | weights and biases of a dense layer |
# | $Z = A W + b$ | `(batch, outputs)` | logits: scores before an activation |
# | $\sigma(Z)$ | as $Z$ | an activation function, entry by entry |
# | $P$ | `(batch, classes)` | probabilities; rows add up to one |
# | $y$ | `(batch,)` | true classes, integers from 0 |
# | $L$ | a number | the loss: the mean over the batch |
# | $\nabla_W L$ | as $W$ | the gradient: how $L$ changes with each weight |
# | $\alpha$ | a number | the learning rate |
# | images | `(batch, height, width, channels)` | channels last |
# | sequences | `(batch, time, features)` | time second |
#
# The articles write examples as *columns*, $W a$ instead of $A W$. Where a formula of theirs is checked, both forms stand side by side.
#
# | word | what it means here |
# |---|---|
# | parameters | the numbers that training changes: weights and biases, counted together |
# | hyperparameters | the numbers *you* choose: learning rate, batch size, layers |
# | logits | scores before softmax |
# | loss | what training makes small |
# | step | one change of the parameters, after one batch |
# | epoch | every training example seen once |
# | training set | what the parameters are fitted to |
# | validation set | what hyperparameters are chosen on |
# | test set | touched once, at the end, to estimate how the chosen model does on new data |
# | baseline | the simplest thing that could work; what a model must beat |
# | overfitting | the training loss still falls, the validation loss no longer does |
# | quick, full | the two profiles of this course |
# | backend | the library that computes for Keras: TensorFlow, JAX or PyTorch |

# %% [markdown]
# ## Exercises
#
# Replace the `...`, run the cell, read the verdict.

# %% [markdown]
# ### Exercise 00-1 · Count a dense layer
# *recall · 3 minutes*
#
# How many parameters does the network of section 3 have?

# %% exercise="00-1"
### BEGIN SOLUTION
answer = 784 * 10 + 10
### END SOLUTION
check("00-1", answer)

# %% [markdown]
# ### Exercise 00-2 · The share of right answers
# *modify · 5 minutes*
#
# Write the function that `evaluate.accuracy` begins with: the share of entries in which two arrays agree, a number from 0 to 1.


# %% exercise="00-2"
def accuracy(labels, predictions):
    """Two integer arrays of shape (n,) -> a float."""
    ### BEGIN SOLUTION
    return float((labels == predictions).mean())
    ### END SOLUTION


check("00-2", accuracy)

# %% [markdown]
# ## Recap
#
# * *An environment* is a folder with its own Python and packages. It comes first because it does not see what was installed before.
# * *The doctor* says what is missing and the one command that mends it.
# * *A first network*: one dense layer, trained in seconds; its test accuracy comes with an interval.
# * *A chapter*: parameters on top, predict before you run, `check` your answers; quick by default, full for the real data sets, and the
#   backend is yours to choose.

# %% [markdown]
# ## Limits and next
#
# One dense layer sees every pixel on its own; it has no idea of strokes. And a test of a few hundred digits says little about
# the second decimal. Where to go next:
#
# | you are | read | then |
# |---|---|---|
# | a founder or product manager | chapter 01: what a model costs and when a small one is right; then the question and sections 2, 6 and 9 of chapter 07: what an accuracy is worth | ask your team for its baseline, and for its volume |
# | an engineer in a hurry | chapter 07 from top to bottom, with its exercises | `course run 07 --profile full` |
# | an engineer with messages to sort | chapters 08 and 09: when counted words are enough, and when a pretrained encoder pays | `course compare` on your own file |
# | an engineer who wants to know why | chapters 02 to 06: every formula derived, run and checked; then 07 | the exercises of each |
# | an instructor | `course doctor` on every machine of the room, `course run` the day before | the solved editions in `notebooks/solutions/` |
#
# **Sources.** Python documentation, *venv: Creation of virtual environments* · F. Chollet and others, *Keras 3* (2023), keras.io · E. Alpaydin,
# C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository (1998) · the first article, section 5.1, and
# the second, sections 5.1 and 7.1.

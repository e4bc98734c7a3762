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
# * work with a chapter: roads, predictions, exercises, profiles and backends.

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
from pathlib import Path

import keras

venv_or_conda = sys.prefix != sys.base_prefix or (Path(sys.prefix) / "conda-meta").is_dir()
"inside an environment" if venv_or_conda else "in the system's own Python"

# %% [markdown]
# Either is fine for a course on a machine of its own (Colab and Binder have one Python and throw it away afterwards). On your own laptop, prefer
# the first.
#
# The articles' instructions (B5.1) install TensorFlow in step 2 and make the environment in step 5. Make an environment, and ask it what it has.
#
# **Predict first.** Keras is installed in the Python that runs this cell. Will a fresh environment, made by this very Python, find Keras?

# %%
import subprocess
import tempfile
import venv


def fresh_environment_finds(package):
    question = f"import importlib.util as u; print(u.find_spec({package!r}) is not None)"
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=False)
        python = next(path for path in Path(folder).glob("*/python*") if path.stem == "python")
        asked = [python, "-I", "-c", question]
        return subprocess.run(asked, capture_output=True, text=True).stdout.strip() == "True"


finds_keras, finds_json = fresh_environment_finds("keras"), fresh_environment_finds("json")
finds_keras, finds_json

# %% [markdown]
# <details><summary>What came</summary>
#
# It finds `json`, which is part of Python itself, and does not find Keras.
#
# </details>
#
# What is installed outside must be installed again inside, as the article's own step 6 does. So the environment comes first.

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
# The test of an installation is a training run. The data: small handwritten digits, 28 × 28 pixels, each with its label.

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

# %%
_, before = model.evaluate(A, digits.train.labels, verbose=0)
f"{before:.0%} right before training"

# %% [markdown]
# <details><summary>What came</summary>
#
# About one in ten: it guesses, and there are ten classes. It can be a little above or below, since the random start may favour one class.
#
# </details>

# %%
assert before < 0.35

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
# the third part of the data, which this run has not touched?

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
A_test = as_rows(digits.test.images)
probabilities = model.predict(A_test, verbose=0)
test = evaluate.accuracy(digits.test.labels, probabilities.argmax(axis=1))
course.headline("test accuracy", test.value, test.low, test.high)

# %% [markdown]
# The bracket is a 95 % confidence interval: of a hundred such intervals, about 95 hold the accuracy on all digits of this kind. It lies well below
# the validation accuracy, although other people wrote the validation digits as well: people differ, and each of these two parts has only three
# sheets, filled in by hand. Chapter 07 says what to make of that. Another processor or seed gives a slightly different number, so the course
# holds it within a stated tolerance:

# %%
assert abs(test.value - 0.91) <= 0.04, f"{test.value:.4f} is not within 0.04 of 0.91"

# %% [markdown]
# If you can read this line and no cell above stopped, **your installation works**. The rest of the chapter is how to use it.

# %% [markdown]
# ## 4 · How a chapter works
#
# Every chapter has a **main road** of an hour at most, from its question to its decision and the recap. Headings marked *Side road* deepen, prove
# or check, and may be left out: nothing on the main road needs them. They are closed: "+ cells hidden" below the heading, or the ▸ beside it,
# opens one. (Some viewers cannot close a section. There "skip to …" takes you past it.)
#
# Two more things are closed at first. Under a question *Predict first* the output hides behind a "…": say what you expect, then open it; *What came*
# below has the answer in words. And cells that only check what was said before are folded to a "…".
#
# Where the text says *check the article*, a claim of the two articles behind this course is run, and a verdict computed.
#
# Run a chapter top to bottom with Shift+Enter. You work on a copy (`course lab` makes it in the folder `work/`), so break what you like:
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
# The **quick** profile is the default: small data, no network (but for the encoder of chapter 09, once), a minute or two a chapter on two
# cores. The **full** profile takes the published data sets and trains in earnest. Only sizes and data differ, never the lesson:

# %%
course.choose(quick="1,797 digits from scikit-learn", full="70,000 digits of MNIST")

# %% [markdown]
# Choose it before the kernel starts (`COURSE_PROFILE=full course lab`), in the parameters cell, or for a run of whole chapters:
# `course run 07 --profile full -p seed=3`.
#
# Keras computes with a **backend**: TensorFlow here, by default. Set `KERAS_BACKEND=jax` before the kernel starts to use JAX instead. The course is
# written in Keras alone, so you may change your mind later.

# %% [markdown]
# ## 6 · Notation and glossary
#
# Data are rows, as in NumPy and Keras. Most letters mean the same in every chapter:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $A$, $X$ | `(batch, inputs)` | a batch of inputs or activations, one example a row |
# | $W$, $b$ | `(inputs, outputs)`, `(outputs,)` | weights and biases of a dense layer |
# | $Z = A W + b$ | `(batch, outputs)` | what a layer computes before its activation; in the last layer the logits |
# | $\sigma(Z)$ | as $Z$ | an activation function, entry by entry |
# | $P$ | `(batch, classes)` | probabilities; rows add up to one |
# | $y$, $Y$ | `(batch,)`, `(batch, classes)` | true classes: integers from 0, or rows with a single 1 |
# | $L$ | a number | the loss: the mean over the batch |
# | $\nabla_W L$ | as $W$ | the gradient: how $L$ changes with each weight |
# | $\delta$ | as $Z$ | the gradient $\nabla_Z L$ |
# | $E$ | `(tokens, width)` | a vector for each token |
# | $Q$ | `(time, size)` | the queries of attention |
# | $\alpha$ | a number | the learning rate |
# | images | `(batch, height, width, channels)` | channels last |
# | sequences | `(batch, time, features)` | time second |
#
# The articles write examples as *columns*, $W a$ instead of $A W$.
#
# | word | what it means here |
# |---|---|
# | parameters | the numbers that training changes: weights and biases, counted together |
# | hyperparameters | the numbers *you* choose: learning rate, batch size, layers |
# | logits | the scores that softmax turns into probabilities |
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

# %% [markdown] road="side"
# ### Letters and words that mean several things
#
# An alphabet is short, and papers have habits. What each of these means in which chapter; small letters that are missing here are explained where
# they stand.

# %% [markdown]
# | letter or word | means (in chapter) |
# |---|---|
# | $A$ | activations or inputs (00, 01, 03, 04, 06, 08, 15) · attention weights (09) · LoRA's first thin matrix (09) |
# | $B$ | how many are done together (01, 02) · counts whose rows add up to one (08) · LoRA's second thin matrix (09) · the width of a resonance (14) |
# | $C$ | operations (01) · the weight of the errors against a penalty (02) · channels (04, 07) · counts (08) · the length to which a gradient is cut (15) |
# | $D$ | tokens seen (01, 12) · a discount (12) · the gradient $\nabla_Z L$ (02, 08, 15) · the discriminator (06) |
# | $F$ | a fixed cost (01) · F1, a score (08, 09) · where a resonance lies (14) · a share let through (15) |
# | $G$ | the gradient that comes from above (04, 08, 09) · the generator (06) |
# | $H$ | entropy (02) · the states of a sequence (05) · means of token vectors (08) · what attention gives (09, 12) · how a throat amplifies (14) |
# | $K$ | how many classes (02, 03, 07, 08) · how many kernels (04) · keys (09, 12) · machines (10, 11) |
# | $L$ | the loss (00, 02 to 06, 08 to 12, 15) · blocks of a decoder (01, 12) · the last layer, in an article (03, 04) |
# | $M$ | a convolution as a matrix (04) · a mask (09, 12) · what a yes means (15) |
# | $N$ | how many parameters (01, 07, 09, 12) · the last layer (03) · how many messages (08) |
# | $P$ | probabilities (00, 02, 03, 05, 09, 10, 15) · precision (08) · how many parameters (11) |
# | $S$ | sets, singular values (08) · scores of attention (09) |
# | $T$ | length of a sequence (01, 05, 08, 12) · temperature (02, 10) · targets (03) · all steps of training (07, 09, 15) · transposed, as an exponent (02 to 06) |
# | $V$ | vocabulary (01, 12) · a change of the parameters (02) · the value of a game (06) · singular vectors (08) · values (09, 12) |
# | $Y$ | rows with a single 1 (02, 03, 05, 08, 10, 15) · features of generated images (06) · the middle of a block (09) |
# | $Z$ | before the activation (00 to 06, 08, 10, 15) · what a block gives (09) |
# | $f$ | a width (01) · a function to be minimised, approximated or checked (02, 03, 04) · the forget gate of an LSTM (05) · a frequency (14) · a logit of a picture (15) |
# | $z$ | a score, or one entry of $Z$ (02 to 05, 10, 12) · the zero of whole numbers (10) · a generator's random input (06) · a quantile (07) |
# | $\alpha$ | the learning rate (00, 02, 05, 06, 09, 15) · LoRA's factor (09) · the power of the size in a law of loss (12) |
# | $\beta$ | how much an average keeps (02, 06) · the shift of a normalisation (09) · how firmly a preference holds to the old model (12) |
# | $\varepsilon$ | a short step (02) · what keeps a division from zero (02, 09) · how much label smoothing takes (07) · how far a pixel is moved (11) · how much a promise of privacy lets through (15) |
# | $\lambda$ | curvature (02) · weight decay (09) · an eigenvalue (05) |
# | $\mu$ | momentum (02) · a mean (06, 15) |
# | $\rho$ | how much an average keeps (02) · the spectral radius (05) |
# | $\sigma$ | an activation (00, 03) · the sigmoid (03, 05, 06, 12) · a standard deviation (06, 15) |
# | $\varphi$ | an angle (02) · a kernel's activation, in an article (04) · the activation of a recurrent layer (05) |
# | $\tau$ | the spread of single gradients (02) · how long a memory lasts (05) · temperature (09, 12, 15) |
# | head | one part of an attention (01, 09) · the layers put on top of an encoder (09) |
# | kernel | the program that runs a notebook (00) · the weights that slide over an image (04, 07) · a measure of similarity (06) |

# %% [markdown] road="side"
# ## 7 · Slips of the articles
#
# Three statements about installing and about Keras, run, each in its kindest reading.

# %% [markdown]
# ### What does an index have?
#
# Section A5.1 opens with `pip install python tensorflow`. Section B5.1 says that Python 3.6 is enough for TensorFlow. Ask a package index.
# That needs a network, which the quick profile never uses; there the chapter shows the evidence that was recorded, and says so.


# %%
import re


def newest(name, python=None):
    """The newest version on the index, for one Python; None where there is none, or no index."""
    options = ["--retries", "0", "--timeout", "10"]
    options += ["--python-version", python] if python else []
    command = [sys.executable, "-m", "pip", "index", "versions", name, *options]
    answer = subprocess.run(command, capture_output=True, text=True).stdout
    version = re.match(r"\S+ \((\S+)\)", answer)
    return version[1] if version else None


# %% [markdown]
# In the full profile `tensorflow` is the control that shows whether the index answers at all. Where it does, its other answers count.

# %%
kept = claims.recorded("c09")
live = course.full and newest("tensorflow") is not None
names = ("python", "tensorflow")
found = {name: newest(name) is not None for name in names} if live else kept["found"]
found

# %% [markdown]
# Is the whole line installable?

# %%
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
# There is no distribution called `python`, so pip refuses the whole line. Python itself comes from your system, from python.org or from conda.
#
# Now B5.1: install, make an environment, install again (step 6). Its end state works, since step 6 stands inside; the first install is only
# wasted. And Python 3.6? In the kindest reading any TensorFlow will do, not just today's.

# %%
kept = claims.recorded("c43")
versions = (
    {"this Python": newest("tensorflow"), "3.6": newest("tensorflow", "3.6")}
    if live
    else kept["newest"]
)
steps = ["tensorflow", "numpy pandas", "the environment", "tensorflow numpy pandas"]
inside = steps[steps.index("the environment") + 1 :]
versions, inside

# %% [markdown]
# It holds if 3.6 gets the newest TensorFlow, and with a condition if it gets an older one.

# %%
in_the_end = finds_keras or any("tensorflow" in step for step in inside)
old_is_enough = in_the_end and versions["3.6"] is not None
as_new = old_is_enough and versions["3.6"] == versions["this Python"]
claims.record(
    "c43",
    verdict=["wrong", "holds with a condition", "holds"][old_is_enough + as_new],
    evidence=f"a fresh environment finds keras: {finds_keras}, and gets it inside: {in_the_end}; newest "
    f"tensorflow for Python 3.6: {versions['3.6']}, for this one: {versions['this Python']}",
    recorded=None if live else kept["date"],
)

# %% [markdown]
# On the condition that you want a TensorFlow of 2021, then. This course needs Keras 3, and that needs a newer Python.
#
# ### Whose front end is Keras?
#
# B7.1 calls Keras "the front end of TensorFlow". TensorFlow's own guide says so to this day, "the high-level API for TensorFlow", and one thing
# may be the front end of several. So ask of which. Keras's metadata lists what it needs, its folders what it can use:

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


def run_on(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


ran = [run_on(name) for name in ("tensorflow", "jax", "torch") if find_spec(name)]
ran

# %% [markdown]
# Where more than one is installed, the numbers must agree; where only one is, the list of folders has to carry the claim.

# %%
assert len({line.split()[1] for line in ran}) == 1, ran

# %% [markdown]
# Of TensorFlow alone: it holds; of others too: with a condition; not of TensorFlow: wrong.

# %%
claims.record(
    "c60",
    verdict=["wrong", "holds with a condition", "holds"][
        ("tensorflow" in backends) + (backends == ["tensorflow"])
    ],
    evidence=f"keras {keras.__version__} brings backends for {', '.join(backends)}; "
    f"it requires tensorflow: {needs_tensorflow}",
)

# %% [markdown]
# Keras 2.4 to 2.15 had TensorFlow alone. Keras 3 stands on three backends, and a model saved on one loads on another.

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
# * *A chapter*: the main road first, predict before you open, `check` your answers; quick by default, full for the real data sets, and the
#   backend is yours to choose.

# %% [markdown]
# ## Limits and next
#
# One dense layer sees every pixel on its own; it has no idea of strokes. And a test of a few hundred digits says little about
# the second decimal.
#
# What to read next depends on who you are:
#
# <!-- routes -->
#
# With messages to sort, take 08 and 09 first, then `course compare` on your own file. Engineers go on with `course run 07 --profile full`, founders
# ask their team for its baseline and its volume. Instructors run `course doctor` on every machine of the room and `course run` the day before; the
# solved editions are in `notebooks/solutions/`.
#
# **Sources.** Python documentation, *venv: Creation of virtual environments* · F. Chollet and others, *Keras 3* (2023), keras.io · E. Alpaydin,
# C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository (1998) · the first article, section 5.1, and
# the second, sections 5.1 and 7.1.

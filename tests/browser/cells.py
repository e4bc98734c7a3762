"""What stands on the page that the tests share: one notebook, one kernel, a cell for each explorer, a few more."""

CHAPTER, EXERCISE = "07_mnist_cnn.ipynb", "exercise-07-1"

STAGE = """
import time

import numpy as np
from course_utils.errors import CourseError
from course_utils.explorers.scene import Box, Handle, Line, Panel, Picture, Points, Scene, Text
from course_utils.explorers.stage import Button, Choice, Slider, Stage

place, cell, steps, on = [0.5, 0.5], [0, 0], 0, False


def respond(event):
    global steps, on
    rate, kind = event.values["rate"], event.values["kind"]
    if kind == "error":
        raise CourseError("This cannot be drawn: choose a curve.")
    if kind == "bug":
        raise ZeroDivisionError("by zero")
    if kind == "slow":
        time.sleep(0.15)
    if event.kind == "drag":
        place[:] = event.x, event.y
    if event.kind == "hover":
        cell[:] = event.x, event.y
    if event.kind == "press":
        on = not on if event.name == "play" else False
        steps = 0 if event.name == "reset" else steps
    if event.kind == "tick":
        steps += 1
        on = on and steps < 40
    x = np.linspace(0, 1, 60)
    y = x**rate if kind == "power" else np.sin(rate * x) ** 2
    shades = (np.indices((4, 4)).sum(0)[..., None] * np.array([20, 30, 40])).astype("uint8")
    curve = Panel("curve", (0, 1), (0, 1), [
        Line(x, y, label="curve"), Points(x[::10], y[::10], series=1, label="points"),
        Handle("start", *place, "start"),
    ], x_title="x", y_title="y", title="A curve")
    grid = Panel("grid", (0, 4), (4, 0), [
        Picture(shades, (0, 4), (4, 0)), Box((cell[0], cell[0] + 1), (cell[1], cell[1] + 1), series=1, filled=False),
        Text([2], [2], [str(steps)]),
    ], axes=False, hover=True, aspect=1)
    words = f"rate {rate:g}, start {place[0]:.2f} {place[1]:.2f}, cell {cell[0]:g} {cell[1]:g}, step {steps}"
    return Scene([curve, grid], words, playing=on)


Stage("A test", [
    Slider("rate", "rate", np.linspace(0.1, 5, 50), 1.0),
    Choice("kind", "curve", {
        "power": "A power", "sine": "A sine", "slow": "Slow", "error": "An error", "bug": "A bug"}, "power"),
    Button("play", "Play", playing_label="Pause"), Button("reset", "Reset"),
], respond)
"""
WORDS = """
import numpy as np
from course_utils import explorers

classes = ("bug", "howto", "account", "billing", "integration", "feature", "sales", "security")
random = np.random.default_rng(0)
lean = random.dirichlet(np.full(8, 0.2), 300)
vectors = lean @ random.normal(size=(8, 64)) * random.uniform(0.3, 1.5, (300, 1)) + 0.1 * random.normal(size=(300, 64))
names = [f"{classes[k]}{i}" for i, k in enumerate(lean.argmax(axis=1))]

explorers.words(vectors, names, lean, classes)
"""
ATTENTION = """
import numpy as np
from course_utils import explorers

def weights(t, seed):
    S = np.exp(2 * np.random.default_rng(seed).normal(size=(6, 12, t, t)))
    return S / S.sum(axis=-1, keepdims=True)

words = "[CLS] since the update my bank feed is empty . [SEP]".split()
explorers.attention({
    "Since the update my bank feed is empty.": (words, weights(11, 0)),
    "Wrong invoice!": ("[CLS] wrong invoice ! [SEP]".split(), weights(5, 1)),
})
"""
# Name → source.
EXPLORERS = {
    "stage": STAGE,
    "size_and_cost": "from course_utils import explorers\n\nexplorers.size_and_cost()",
    "descent": "from course_utils import explorers\n\nexplorers.descent()",
    "playground": "from course_utils import explorers\n\nexplorers.playground()",
    "convolution": "from course_utils import explorers\n\nexplorers.convolution()",
    "gradient_over_time": "from course_utils import explorers\n\nexplorers.gradient_over_time()",
    "duel": "from course_utils import explorers\n\nexplorers.duel()",
    "words": WORDS,
    "attention": ATTENTION,
}

ANSWERS = """
import numpy as np
from course_utils import figures

figures.use_template()
images = np.zeros((5, 28, 28), dtype="uint8")
for i in range(5):
    images[i, 6:22, 4 + 4 * i : 8 + 4 * i] = 255
probabilities = np.full((5, 10), 0.02)
probabilities[range(5), range(5)] = 0.82
figures.answers_over(
    images,
    probabilities,
    [f"{i} steps" for i in range(5)],
    range(10),
    slider="moved by",
    alt="As the stroke moves to the right the most probable class goes from 0 to 4",
)
"""

VERDICTS = """
from course_utils.exercises import preview

preview("07-1")
preview("07-1", 93_322)
preview("07-1", 122_570)
"""

# A figure with a slider over made-up probabilities, three verdicts, and what a stored exercise needs.
OTHERS = {"answers": ANSWERS, "verdicts": VERDICTS, "check": "from course_utils import check"}

"""The drawing canvas as a Jupyter widget: strokes come in from the browser, image and probabilities go back."""

from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets

from course_utils.errors import CourseError
from course_utils.explorers import front_end
from course_utils.explorers.digit_answer import Predict, ask, describe
from course_utils.language import say
from course_utils.strokes import SIZE, digit_from_strokes

BRUSH_LIMITS = (12, 40)
BRUSH = 24  # on a digit drawn 170 to 240 units tall this gives MNIST's usual line of two to three pixels


def words() -> dict[str, str]:
    """All that the widget says; drawing.js holds no words, and fills in what stands in braces."""
    return {
        "title": say("Draw a digit"),
        "draw_here": say("Draw a digit"),
        "paper": say("Paper to draw on. Arrow keys move the pen, space puts it down and lifts it."),
        "paper_role": say("drawing area"),
        "sees": say("The network sees"),
        "seen": say("The 28 by 28 pixels that the network sees"),
        "thinks": say("Probability of each class"),
        "undo": say("Undo"),
        "undo_key": say("Take back the last stroke (Ctrl+Z)"),
        "clear": say("Clear"),
        "brush": say("Brush"),
        "keys": say(
            "Mouse, finger or pen. By keyboard: Tab to the paper, arrow keys move the pen (with Shift in small "
            "steps), space puts it down or lifts it, Ctrl+Z takes back, Delete clears."
        ),
        "pen_down": say("Pen down."),
        "pen_up": say("Pen up."),
        "waiting": say("No answer yet: the kernel is busy, or gone. After a restart run this cell again."),
        "latency": say("{milliseconds} ms from pen to answer"),
        "empty": say("Nothing drawn yet: there is nothing to read."),
        "dot": say("Only a dot so far: draw a digit larger than the brush."),
    }


class DigitCanvas(anywidget.AnyWidget):
    """Paper to draw a digit on, the image that the network sees, and its probabilities while the pen moves.

    After a drawing, ``strokes`` holds it, ``image`` what the network saw, uint8 (28, 28), or None, and
    ``probabilities`` the answer, float64 (classes,), or None. Setting ``strokes`` shows them and asks the network.
    """

    _esm = front_end("common.js", "drawing.js")
    _css = front_end("drawing.css")

    words = traitlets.Dict().tag(sync=True)
    class_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    brush = traitlets.Int(BRUSH).tag(sync=True)
    brush_limits = traitlets.List(traitlets.Int(), list(BRUSH_LIMITS)).tag(sync=True)
    # Strokes come from the browser as messages (drawing.js says why) and go there when Python sets them, or when a page
    # that is loaded again asks for its state; an echo of what it just sent would undo what was drawn meanwhile. The
    # version counts drawings, so that an answer names the one that it is for.
    drawing = traitlets.Dict({"version": 0, "strokes": []}).tag(sync=True, echo_update=False)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, predict: Predict, class_names: Sequence[str]) -> None:
        self._predict = predict
        self.image: np.ndarray | None = None
        self.probabilities: np.ndarray | None = None
        super().__init__(class_names=[str(name) for name in class_names], words=words())
        # The first call of a network is slow (it is traced or compiled): not at the reader's first stroke. And a
        # predict that cannot work says so before anything is drawn.
        problem = ""
        try:
            ask(predict, np.zeros((SIZE, SIZE), dtype=np.uint8), len(self.class_names))
        except CourseError as error:
            problem = str(error)
        self.answer = _answer(0, "error" if problem else "prompt", problem or self.words["empty"])
        self.on_msg(self._on_message)

    @property
    def strokes(self) -> list[dict]:
        """The strokes on the paper: ``[{"width": …, "points": [[x, y], …]}, …]`` on paper of 280 by 280."""
        return self.drawing["strokes"]

    @strokes.setter
    def strokes(self, strokes: Sequence[dict]) -> None:
        """Show strokes and read them. Raises CourseError for what is no drawing."""
        digit_from_strokes(strokes)  # refuses what is no drawing, before the browser sees it
        plain = [
            {"width": float(stroke["width"]), "points": np.asarray(stroke["points"], dtype=float).tolist()}
            for stroke in strokes
        ]
        self.drawing = {"version": self.drawing["version"] + 1, "strokes": plain}
        self._read()

    def _on_message(self, _widget: "DigitCanvas", content: dict, _buffers: list) -> None:
        self.set_state({"drawing": {"version": content["version"], "strokes": content["strokes"]}})
        self._read()

    def _read(self) -> None:
        """Read the drawing and send the answer."""
        version, strokes = self.drawing["version"], self.drawing["strokes"]
        self.image = self.probabilities = None
        try:
            self.image = digit_from_strokes(strokes)
            if self.image is None:
                self.answer = _answer(version, "prompt", self.words["dot" if strokes else "empty"])
                return
            self.probabilities = ask(self._predict, self.image, len(self.class_names))
        except CourseError as error:
            self.answer = _answer(version, "error", str(error), self.image)
            return
        sentence = describe(self.probabilities, self.class_names)
        self.answer = _answer(version, "answer", sentence, self.image, self.probabilities)

    def __repr__(self) -> str:
        return say("Draw a digit: run this cell in a live notebook to draw with mouse, finger, pen or arrow keys.")


def _answer(
    version: int, kind: str, sentence: str, image: np.ndarray | None = None, probabilities: np.ndarray | None = None
) -> dict:
    return {
        "version": version,
        "kind": kind,
        "sentence": sentence,
        "image": None if image is None else image.tobytes(),
        "probabilities": [] if probabilities is None else [round(float(value), 4) for value in probabilities],
    }

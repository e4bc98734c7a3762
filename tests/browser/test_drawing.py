"""The drawing canvas in JupyterLab: what the mouse, a finger and the keyboard draw is read while they draw it."""

import math

import pytest

from .conftest import WEAKEST

READER = """
from course_utils import explorers, weights

reader = weights.load("mnist_reader")

def predict(images):  # the canvas gives pixels from 0 to 1, the network wants 0 to 255
    return reader(images * 255)
"""
CELLS = {
    "reader": READER,
    "canvas": "canvas = explorers.draw_digit(predict)\ncanvas",
    "inside": "print(len(canvas.strokes), canvas.image is None, canvas.probabilities.argmax())",
    "python": "canvas.strokes = explorers.example_strokes()",
    "again": "canvas",
    "slow": "import time\n\nexplorers.draw_digit(lambda images: time.sleep(2.5) or predict(images))",
    "broken": 'def broken(images):\n    raise ValueError("no such layer")\n\nexplorers.draw_digit(broken)',
}
# As a person moves the mouse, on paper of 280 by 280.
ONE = [[(146, 40), (142, 120), (136, 236)]]
SEVEN = [[(72, 60), (206, 58), (170, 140), (124, 234)]]
ZERO = [[(140 + 62 * math.sin(t / 3), 140 - 88 * math.cos(t / 3)) for t in range(20)]]
MEASURE = "draw-digit: end of stroke to answer"


class Canvas:
    """The widget in a cell's output, and the hands of a person."""

    def __init__(self, notebook, cell: str) -> None:
        self.page, self.notebook, self.cell = notebook.page, notebook, cell
        self.root = notebook.show(cell).locator(".draw-digit")
        self.root.wait_for(state="visible", timeout=15_000)
        self.paper = self.root.locator(".draw-digit-paper")
        self.paper.scroll_into_view_if_needed()

    def at(self, point) -> tuple[float, float]:
        """A point on the paper → on the page."""
        box = self.paper.bounding_box()
        scale = (box["width"] - 2) / 280
        return box["x"] + 1 + point[0] * scale, box["y"] + 1 + point[1] * scale

    def draw(self, strokes, steps: int = 4, wait: bool = True) -> None:
        for stroke in strokes:
            self.page.mouse.move(*self.at(stroke[0]))
            self.page.mouse.down()
            for point in stroke[1:]:
                self.page.mouse.move(*self.at(point), steps=steps)
            self.page.mouse.up()
        if wait:
            self.settle()

    def settle(self) -> None:
        """Wait until the last drawing has been answered and the answer is on the screen."""
        self.page.wait_for_timeout(60)
        self.page.wait_for_function(
            "root => root.dataset.sent === root.dataset.answered", arg=self.root.element_handle(), timeout=20_000
        )

    @property
    def kind(self) -> str:
        return self.root.get_attribute("data-kind")

    @property
    def sentence(self) -> str:
        return self.root.locator(".draw-digit-sentence").inner_text()

    @property
    def first(self) -> str | None:
        """The name of the class with the longest bar; None when no bar stands out."""
        best = self.root.locator(".draw-digit-best .draw-digit-name")
        return best.inner_text() if best.count() else None

    def bars(self) -> list[float]:
        return [bar.bounding_box()["width"] for bar in self.root.locator(".draw-digit-bar").all()]

    def ink(self, selector: str = ".draw-digit-paper") -> int:
        """How many of a canvas element's pixels are dark."""
        return self.root.locator(selector).evaluate(
            """canvas => {
                const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, i) => i % 4 === 0 && value < 128).length;
            }"""
        )

    def times(self) -> list[float]:
        """Milliseconds from the end of each stroke to its answer on the screen."""
        return self.page.evaluate("name => performance.getEntriesByName(name).map(entry => entry.duration)", MEASURE)

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name).click()
        self.settle()

    def clear(self) -> None:
        if self.root.get_by_role("button", name="Clear").get_attribute("aria-disabled") == "false":
            self.press("Clear")


@pytest.fixture(scope="module")
def drawing(lab, open_notebook):
    """A notebook whose cells make the canvas, and one of a model that fails."""
    opened = open_notebook(lab.write("drawing.ipynb", CELLS))
    opened.run("reader")
    opened.run("canvas")
    return opened


@pytest.fixture
def canvas(drawing) -> Canvas:
    found = Canvas(drawing, "canvas")
    found.clear()
    return found


@pytest.mark.parametrize("digit, strokes", [("1", ONE), ("7", SEVEN), ("0", ZERO)])
def test_a_drawn_digit_is_read(canvas, digit, strokes):
    assert canvas.kind == "prompt" and canvas.first is None and canvas.ink(".draw-digit-seen") == 0
    canvas.draw(strokes)
    assert canvas.first == digit and f" {digit} (" in canvas.sentence
    bars = canvas.bars()
    assert bars.index(max(bars)) == int(digit)
    assert canvas.ink(".draw-digit-seen") > 20 and canvas.ink() > 2000


def test_probabilities_follow_while_the_pen_is_down(canvas):
    page = canvas.page
    page.mouse.move(*canvas.at(SEVEN[0][0]))
    page.mouse.down()
    seen = set()
    for point in SEVEN[0][1:]:
        page.mouse.move(*canvas.at(point), steps=4)
        page.wait_for_timeout(120)
        seen.add(tuple(canvas.bars()))
    answered = canvas.root.get_attribute("data-answered")
    page.mouse.up()
    canvas.settle()
    assert len(seen) == 3, "each leg of the stroke should have moved the bars"
    assert canvas.root.get_attribute("data-answered") > answered, "lifting the pen asks once more"


def test_undo_clear_and_python(canvas, drawing):
    canvas.draw(ONE)
    one = canvas.ink()
    canvas.draw([[(60, 100), (90, 100)]])
    assert canvas.ink() > one
    canvas.page.keyboard.press("Control+z")
    canvas.settle()
    assert canvas.ink() == one and canvas.first == "1"
    assert drawing.run("inside")[0]["text"].split() == ["1", "False", "1"]
    canvas.press("Clear")
    assert canvas.ink() == 0 and canvas.first is None and "Nothing drawn yet" in canvas.sentence
    canvas.press("Undo")
    assert canvas.ink() == one and canvas.first == "1", "undo brings back what was cleared"
    drawing.run("python")
    canvas.settle()
    assert canvas.first == "7" and canvas.ink() > 2000


def test_drawing_out_of_the_paper_and_back(canvas):
    canvas.draw([[(140, 140), (340, 140)]])  # leaves on the right and is lifted outside
    right = canvas.ink()
    canvas.clear()
    canvas.draw([[(140, 140), (340, 140), (340, 400), (340, 200), (140, 200)]])
    both = canvas.ink()
    assert right > 2000 and 1.8 * right < both < 2.2 * right, (
        "what happens outside leaves no ink, not at the edge either"
    )
    canvas.page.mouse.move(*canvas.at((60, 60)), steps=5)
    assert canvas.ink() == both, "the pen was lifted outside of the paper: no ink follows the mouse"
    canvas.press("Undo")
    assert canvas.ink() == 0, "one gesture, one undo"


def test_a_dot_gets_a_sentence_not_a_class(canvas):
    canvas.draw([[(140, 140)]])
    assert canvas.ink() > 300 and canvas.kind == "prompt" and canvas.first is None
    assert "Only a dot" in canvas.sentence and max(canvas.bars()) < 1


def test_each_of_twenty_quick_strokes_is_answered(canvas):
    canvas.page.evaluate("name => performance.clearMeasures(name)", MEASURE)
    for i in range(20):
        x = 20 + 12 * i
        canvas.draw([[(x, 40), (x, 240)]], steps=4, wait=False)
    canvas.settle()
    assert len(canvas.bars()) == 10 and canvas.kind == "answer" and len(canvas.times()) == 20


def test_one_finger_draws_and_a_second_does_not(canvas):
    page = canvas.page
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *points) -> None:
        fingers = [dict(zip(("x", "y"), canvas.at(point), strict=True), id=i) for i, point in enumerate(points)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    canvas.draw(ONE)
    by_mouse = canvas.ink()
    canvas.clear()
    top = canvas.paper.bounding_box()
    touch("touchStart", ONE[0][0])
    touch("touchMove", ONE[0][1])
    touch("touchStart", ONE[0][1], (40, 40))
    touch("touchMove", ONE[0][1], (40, 200))
    touch("touchMove", ONE[0][2], (40, 240))
    touch("touchEnd")
    canvas.settle()
    assert canvas.first == "1" and abs(canvas.ink() - by_mouse) < 0.05 * by_mouse
    assert canvas.paper.bounding_box() == top, "drawing with a finger must not scroll the notebook"
    hand.detach()


def test_keyboard_alone(canvas, drawing):
    """Tab to the paper, space, arrows: a 1. The notebook's own keys do nothing meanwhile."""
    page, cells = canvas.page, len(drawing.code_cells())
    canvas.paper.focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    assert canvas.first is None, "a lifted pen leaves no ink"
    page.keyboard.press("Space")
    for _ in range(24):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    canvas.settle()
    assert canvas.first == "1"
    spoken = canvas.root.locator("[aria-live=polite]").inner_text()
    assert spoken == canvas.sentence
    for key in ("x", "d", "d", "a", "m", "Escape"):
        page.keyboard.press(key)
    assert len(drawing.code_cells()) == cells
    assert canvas.paper.evaluate("paper => paper === document.activeElement")
    page.keyboard.press("Delete")
    canvas.settle()
    assert canvas.first is None
    page.keyboard.press("Tab")
    assert canvas.root.get_by_role("button", name="Undo").evaluate("button => button === document.activeElement")
    page.keyboard.press("Enter")
    canvas.settle()
    assert canvas.first == "1"


def test_brush_width(canvas):
    canvas.draw(ONE)
    thin = canvas.ink()
    canvas.clear()
    brush = canvas.root.get_by_role("slider", name="Brush")
    before = brush.input_value()
    brush.focus()
    for _ in range(4):
        canvas.page.keyboard.press("ArrowRight")
    assert int(brush.input_value()) == int(before) + 8
    canvas.draw(ONE)
    assert canvas.ink() > 1.2 * thin
    for _ in range(4):
        brush.press("ArrowLeft")
    assert brush.input_value() == before


def test_a_second_view_shows_and_draws_the_same(canvas, drawing):
    canvas.draw(ONE)
    ink = canvas.ink()
    drawing.run("again")
    second = Canvas(drawing, "again")
    assert second.ink() == ink and second.first == "1"
    second.press("Clear")
    second.draw(SEVEN)
    assert canvas.first == "7" and canvas.ink() == second.ink() > ink
    second.clear()


def test_an_answer_that_is_late_is_announced_and_comes(drawing):
    """Not a busy kernel: newer ones read the widgets' messages beside a running cell. A slow model."""
    drawing.run("slow")
    canvas = Canvas(drawing, "slow")
    canvas.draw(SEVEN, wait=False)  # each question takes 2.5 s, and after 1.5 the reader is told so
    canvas.root.and_(canvas.page.locator("[data-kind=waiting]")).wait_for(timeout=20_000)
    assert "No answer yet" in canvas.sentence
    canvas.settle()
    assert canvas.first == "7" and canvas.kind == "answer"


def test_a_model_that_fails_says_so(drawing):
    drawing.run("broken")
    canvas = Canvas(drawing, "broken")
    for _ in range(2):
        assert canvas.kind == "error" and "ValueError: no such layer" in canvas.sentence
        canvas.draw(SEVEN)
    assert canvas.first is None and canvas.ink(".draw-digit-seen") > 20, (
        "what the network would see is shown all the same"
    )


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(canvas, drawing, theme):
    drawing.theme(f"JupyterLab {theme}")
    try:
        canvas.draw(SEVEN)
        weakest = canvas.root.evaluate(WEAKEST)
        drawing.screenshot(f"drawing-{theme.lower()}")
    finally:
        drawing.theme("JupyterLab Light")
    assert weakest[0] >= 1, f"the weakest contrast (share of what WCAG wants, ratio, words): {weakest}"

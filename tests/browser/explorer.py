"""The hands and eyes of a person at an explorer (course_utils.explorers.stage) in JupyterLab."""

from .conftest import WEAKEST

MEASURE = "explorer: control to picture"
# Milliseconds. The aim is 100 on average, on a quiet machine (tests/benchmarks/README.md); a test run shares its two
# cores with a server, a kernel and a browser, and must only notice when something has gone wrong.
BUSY = 400


class Explorer:
    """The widget in a cell's output."""

    def __init__(self, notebook, cell: str) -> None:
        self.page, self.notebook, self.cell = notebook.page, notebook, cell
        self.root = notebook.show(cell).locator(".explorer")
        self.root.wait_for(state="visible", timeout=15_000)
        self.root.scroll_into_view_if_needed()
        self.settle()

    def settle(self) -> None:
        """Wait until the last event has been answered and the answer is on the screen."""
        self.page.wait_for_function(
            """root => root.dataset.drawn
                && (root.dataset.sent === root.dataset.answered || root.dataset.playing === 'true')""",
            arg=self.root.element_handle(),
            timeout=15_000,
        )

    # ---- hands

    def control(self, name: str):
        """The locator of a control, by its name in Python."""
        return self.root.locator(f'[data-control="{name}"]')

    def slide(self, name: str, *, to: float, wait: bool = True) -> None:
        """Move a slider to a share of its way, 0 to 1, as an input device would."""
        self.control(name).evaluate(
            """(slider, share) => {
                slider.value = Math.round(share * Number(slider.max));
                slider.dispatchEvent(new Event('input', {bubbles: true}));
            }""",
            to,
        )
        if wait:
            self.settle()

    def choose(self, name: str, option: str) -> None:
        self.control(name).select_option(option)
        self.settle()

    def press(self, name: str, wait: bool = True) -> None:
        self.control(name).click()
        if wait:
            self.settle()

    def canvas(self, panel: str):
        return self.root.locator(f'[data-panel="{panel}"]')

    def at(self, panel: str, across: float, up: float) -> tuple[float, float]:
        """A place in a panel, as shares of its canvas from the left and from the bottom → on the page."""
        box = self.canvas(panel).bounding_box()
        return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]

    def hover(self, panel: str, across: float, up: float) -> None:
        self.page.mouse.move(*self.at(panel, across, up), steps=3)
        self.page.wait_for_timeout(60)
        self.settle()

    # ---- eyes

    @property
    def kind(self) -> str:
        return self.root.get_attribute("data-kind")

    @property
    def sentence(self) -> str:
        return self.root.locator(".explorer-sentence").inner_text()

    @property
    def playing(self) -> bool:
        return self.root.get_attribute("data-playing") == "true"

    @property
    def drawn(self) -> int:
        """How many pictures have been drawn so far."""
        return int(self.root.get_attribute("data-drawn"))

    def picture(self, panel: str) -> str:
        """A panel's pixels, as a text that differs where they differ."""
        return self.canvas(panel).evaluate("canvas => canvas.toDataURL()")

    def colours(self, panel: str) -> int:
        """How many different colours a panel shows: a blank one has one."""
        return self.canvas(panel).evaluate(
            """canvas => {
                const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )

    def assert_readable(self, theme: str, name: str) -> None:
        """Hold every word to WCAG's contrast in "Light" or "Dark", and keep a screenshot as ``name-theme``."""
        self.notebook.theme(f"JupyterLab {theme}")
        try:
            weakest = self.root.evaluate(WEAKEST)
            self.notebook.screenshot(f"{name}-{theme.lower()}")
        finally:
            self.notebook.theme("JupyterLab Light")
        assert weakest[0] >= 1, f"the weakest contrast (share of what WCAG wants, ratio, words): {weakest}"

    def forget_times(self) -> None:
        self.page.evaluate("name => performance.clearMeasures(name)", MEASURE)

    def times(self, kind: str | None = None) -> list[float]:
        """Milliseconds from a control's movement to the picture on the screen, since `forget_times`."""
        return self.page.evaluate(
            """([name, kind]) => performance.getEntriesByName(name)
                .filter(entry => kind === null || entry.detail === kind).map(entry => entry.duration)""",
            [MEASURE, kind],
        )


def open_explorer(lab, open_notebook, name: str, source: str):
    """A notebook of one cell, ``explorer``, run; returns its `Explorer`."""
    import nbformat

    cell = nbformat.v4.new_code_cell(source.strip(), id="explorer")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    opened = open_notebook(f"{name}.ipynb")
    opened.run("explorer")
    return Explorer(opened, "explorer")


def slide_through(explorer: Explorer, name: str, *, moves: int = 20) -> list[float]:
    """Move a slider ``moves`` times over its whole way, each time to a picture, and return the milliseconds it took."""
    explorer.slide(name, to=0)
    explorer.forget_times()
    for i in range(1, moves + 1):
        explorer.slide(name, to=i / moves)
    return explorer.times("change")

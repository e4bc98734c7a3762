"""The hands and eyes of a person at an explorer (course_utils.explorers.stage)."""

from .cells import EXPLORERS

MEASURE = "explorer: control to picture"


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

    def wait(self, condition: str, *, seconds: float = 60) -> None:
        """Wait until a condition (JavaScript, about ``root``) holds."""
        self.page.wait_for_function(
            f"root => {condition}", arg=self.root.element_handle(), timeout=seconds * 1000, polling=20
        )

    # ---- hands

    def controls(self) -> list[str]:
        """The names of all controls, in their order."""
        return self.root.locator("[data-control]").evaluate_all("all => all.map(one => one.dataset.control)")

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

    def choose(self, name: str, key: str) -> None:
        """Choose an option by its key, which is the option's value in the page."""
        self.control(name).select_option(value=key)
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

    def weakest(self) -> tuple[float, float, str]:
        """The word whose contrast falls shortest of what WCAG wants: share of that, contrast, text."""
        from .conftest import WEAKEST

        return tuple(self.root.evaluate(WEAKEST))

    def forget_times(self) -> None:
        self.page.evaluate("name => performance.clearMeasures(name)", MEASURE)

    def times(self, kind: str | None = None) -> list[float]:
        """Milliseconds from a control's movement to the picture on the screen, since `forget_times`."""
        return self.page.evaluate(
            """([name, kind]) => performance.getEntriesByName(name)
                .filter(entry => kind === null || entry.detail === kind).map(entry => entry.duration)""",
            [MEASURE, kind],
        )


class Explorers:
    """The explorers of the page; each cell runs when its explorer is first asked for."""

    def __init__(self, notebook) -> None:
        self.notebook, self._shown = notebook, set()

    def __call__(self, name: str) -> Explorer:
        """The explorer of a cell, on the screen, as it was left."""
        assert name in EXPLORERS, f"no cell makes {name!r}"
        if name not in self._shown:
            self.notebook.run(name)
            self._shown.add(name)
        return Explorer(self.notebook, name)

    def anew(self, name: str) -> Explorer:
        """The explorer of a cell as it begins."""
        self._shown.discard(name)
        return self(name)


def slide_through(explorer: Explorer, name: str, *, moves: int = 20) -> list[float]:
    """Move a slider ``moves`` times over its whole way, each time to a picture, and return the milliseconds it took."""
    explorer.slide(name, to=0)
    explorer.forget_times()
    for i in range(1, moves + 1):
        explorer.slide(name, to=i / moves)
    return explorer.times("change")

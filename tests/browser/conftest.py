"""A real JupyterLab in a real Chromium, for the tests in this folder: fixtures `lab`, `page` and `explorers`.

The server is started as ``course lab`` starts it, over a working copy of the stored learner notebooks in a temporary
checkout. It listens on loopback alone, keeps its settings, cache and progress in the temporary folder, and ends with
the process that runs the tests, however that ends (keeper.py). The browser reaches nothing but loopback; a request
elsewhere fails the test, and so does an error in the browser's console. A failing test leaves a screenshot of each open
page in ``build/browser/``.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .cells import CHAPTER, EXERCISE, EXPLORERS, OTHERS
from .explorer import Explorers

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "browser"
PLOTLY = "application/vnd.plotly.v1+json"
SECONDS_TO_START = 90  # an idle machine needs a few; a busy one with two cores many
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
# What JupyterLab itself writes to the console; anything else of the level "error" fails the test that saw it.
NOISE: tuple[tuple[re.Pattern, str], ...] = ()

# The text inside an element whose contrast (WCAG 2) falls shortest of what it needs: share of that, contrast, text.
# A sign that is hidden from screen readers is a mark, not a word. Colours are resolved by painting them.
WEAKEST = """root => {
    const paint = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const over = (layers) => {
        paint.globalAlpha = 1;
        paint.fillStyle = 'white';
        paint.fillRect(0, 0, 1, 1);
        for (const [colour, opacity] of layers) {
            paint.globalAlpha = opacity;
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
        }
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let weakest = [Infinity, 0, ''];
    for (const element of root.querySelectorAll('*')) {
        const texts = [...element.childNodes].filter(node => node.nodeType === 3);
        const words = texts.map(node => node.data).join('').trim();
        if (!words || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const layers = [];
        let opacity = 1;
        for (let node = element; node; node = node.parentElement) {
            const style = getComputedStyle(node);
            layers.unshift([style.backgroundColor, 1]);
            // plotly draws words on a second, transparent drawing that lies over the one with the background
            const card = node.matches('.svg-container') && node.querySelector('svg.main-svg');
            if (card) layers.splice(1, 0, [getComputedStyle(card).backgroundColor, 1]);
            opacity *= Number(style.opacity);
        }
        const style = getComputedStyle(element);
        const colour = element instanceof SVGElement ? style.fill : style.color;
        const [a, b] = [over(layers), over([...layers, [colour, opacity]])].map(luminance);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const share = ratio / (element.closest('[aria-hidden=true]') ? 3 : 4.5);
        if (share < weakest[0]) weakest = [share, Math.round(ratio * 100) / 100, words];
    }
    return weakest;
}"""

# JavaScript: the open notebook's panel (`--LabApp.expose_app_in_browser` puts the application into the window).
_PANEL = "window.jupyterapp.shell.currentWidget"
_CELL = f"{_PANEL}.content.widgets.find(cell => cell.model.id === id)"


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "browser: opens JupyterLab in a real Chromium")


def pytest_collection_modifyitems(items) -> None:
    """All of this folder is marked; one worker runs it (course_utils.authoring.pytest_plugin): one JupyterLab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """After a failure, keep what the pages looked like."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab is not None:
        for path in lab.screenshots(re.sub(r"\W+", "-", f"{item.name}-{report.when}").strip("-")):
            report.sections.append(("screenshot", str(path.relative_to(ROOT))))
        report.sections.append(("JupyterLab's last lines", lab.log_tail()))
    return report


class Notebook:
    """A notebook open in JupyterLab. Cells are named by their id, or by their index among the code cells (from 0)."""

    def __init__(self, lab: "Lab", page, name: str) -> None:
        self.lab, self.page, self.name = lab, page, name

    # ------------------------------------------------------------------------------------------ cells

    def code_cells(self) -> list[str]:
        """The ids of the code cells, in order."""
        return self.page.evaluate(
            f"() => {_PANEL}.content.widgets.filter(cell => cell.model.type === 'code').map(cell => cell.model.id)"
        )

    def cell_id(self, cell: str | int) -> str:
        """The id of a code cell; raises AssertionError for one that is not in the notebook."""
        known = self.code_cells()
        if isinstance(cell, int):
            return known[cell]
        assert cell in known, f"{self.name} has no code cell {cell!r}; it has {', '.join(known)}"
        return cell

    def source(self, cell: str | int) -> str:
        """The text that stands in a cell now."""
        return self.page.evaluate(f"id => {_CELL}.model.sharedModel.getSource()", self.cell_id(cell))

    def show(self, cell: str | int):
        """Scroll to a cell, make it the active one (in command mode), and return the locator of its element."""
        cell = self.cell_id(cell)
        self.page.evaluate(
            f"""async id => {{
                const notebook = {_PANEL}.content;
                const cell = {_CELL};
                cell.node.dataset.courseCell = id;
                notebook.activeCellIndex = notebook.widgets.indexOf(cell);
                notebook.mode = 'command';
                await notebook.scrollToItem(notebook.activeCellIndex, 'start');
                notebook.activate();
            }}""",
            cell,
        )
        located = self.page.locator(f'[data-course-cell="{cell}"]')
        located.wait_for(state="visible")
        return located

    def run(self, cell: str | int, *, seconds: float = 120) -> list[dict[str, Any]]:
        """Run a cell with Ctrl+Enter, wait until the kernel is idle again, and return its outputs (nbformat's form).

        Raises AssertionError when the cell ends in an error, a Playwright TimeoutError when it takes too long.
        """
        cell = self.cell_id(cell)
        self.show(cell)
        # A stored notebook has counts already; without them the end of this run cannot be mistaken for an earlier one.
        self.page.evaluate(f"id => {{ {_CELL}.model.executionCount = null; }}", cell)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            f"""id => {{
                const model = {_CELL}.model;
                const kernel = {_PANEL}.sessionContext.session?.kernel;
                return model.executionCount !== null && model.executionState === 'idle' && kernel?.status === 'idle';
            }}""",
            arg=cell,
            timeout=seconds * 1000,
            polling=50,  # ms; looking at every frame would take a core from the kernel
        )
        outputs = self.outputs(cell)
        for output in outputs:
            if output["output_type"] == "error":
                trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output["traceback"]))
                raise AssertionError(f"{self.name}, cell {cell}:\n{trace}")
        return outputs

    def outputs(self, cell: str | int) -> list[dict[str, Any]]:
        """A cell's outputs as they would be saved."""
        return self.page.evaluate(f"id => {_CELL}.model.outputs.toJSON()", self.cell_id(cell))

    def wait_for_output(self, cell: str | int, text: str, *, seconds: float = 10):
        """Wait until a cell's output area shows ``text``; returns the locator of that area."""
        area = self.show(cell).locator(".jp-Cell-outputArea")
        area.filter(has_text=text).wait_for(state="visible", timeout=seconds * 1000)
        return area

    def write(self, cell: str | int, text: str) -> None:
        """Replace a cell's text as a person would: click into it, select everything, type (or paste)."""
        editor = self.show(cell).locator(".jp-InputArea .cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        assert self.source(cell) == text

    # ------------------------------------------------------------------------------------------ figures

    def figure(self, cell: str | int):
        """The locator of the live plotly figure in a cell's output: drawn by JupyterLab's renderer, not a picture."""
        area = self.show(cell).locator(".jp-Cell-outputArea")
        figure = area.locator(".js-plotly-plot")
        figure.locator("svg.main-svg").first.wait_for(state="visible", timeout=15_000)
        assert figure.count() == 1, f"cell {cell} shows {figure.count()} live figures"
        # The renderer keeps a hidden picture beside the figure, for the file.
        assert area.locator("img:visible").count() == 0, f"cell {cell} shows a picture instead of the figure"
        figure.scroll_into_view_if_needed()
        return figure

    def hover(self, figure, mark: str = ".scatterlayer .point") -> str:
        """Move the mouse over a figure's first ``mark`` (a CSS selector) and return what its hover label says."""
        x, y = centre(figure.locator(mark).first)
        self.page.mouse.move(x - 25, y - 12)
        self.page.mouse.move(x, y, steps=5)
        label = figure.locator(".hoverlayer .hovertext")
        label.first.wait_for(state="visible", timeout=5_000)
        return " ".join(label.all_text_contents())

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, steps: int = 12) -> None:
        """Press the mouse at one point of the page, move it to another, let it go: for sliders and canvases."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up()

    # ------------------------------------------------------------------------------------------ surroundings

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def screenshot(self, name: str) -> Path:
        """Keep the page as it is now as ``build/browser/<name>.png``."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        """Close the page and end the notebook's kernel; what was typed is not saved."""
        self.page.context.close()
        self.lab.pages.remove(self)
        for session in self.lab.api("sessions"):
            if session["path"] == self.name:
                self.lab.api(f"sessions/{session['id']}", method="DELETE")


class Lab:
    """A running JupyterLab: ``folder`` is its working copy, ``problems`` what the browser complained about."""

    def __init__(self, browser, process: subprocess.Popen, url: str, token: str, folder: Path, log: Path) -> None:
        self.browser, self.process, self.url, self.token = browser, process, url, token
        self.folder, self.log = folder, log
        self.pages: list[Notebook] = []
        self.problems: list[str] = []

    def api(self, path: str, method: str = "GET") -> Any:
        """Call the server's own interface."""
        request = urllib.request.Request(
            f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def write(self, name: str, cells: dict[str, str]) -> str:
        """Write a notebook of code cells, id → source, into ``folder``; returns its name."""
        import nbformat

        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source.strip(), id=cell) for cell, source in cells.items()]
        )
        made.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        nbformat.write(made, self.folder / name)
        return name

    def open(self, name: str, *, seconds: float = 60) -> Notebook:
        """Open a notebook of ``folder`` on a page of its own and wait until its kernel is idle."""
        assert (self.folder / name).is_file(), f"there is no {name} in the working copy"
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        context.route(lambda url: not url.startswith((self.url, "data:", "blob:")), self._refuse)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._complain(f"uncaught: {error}"))
        notebook = Notebook(self, page, name)
        self.pages.append(notebook)
        # A workspace of its own: JupyterLab would else restore what an earlier page had open.
        page.goto(f"{self.url}lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={self.token}")
        page.wait_for_function(
            """name => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                return panel?.context?.path === name && panel.context.isReady
                    && panel.sessionContext?.session?.kernel?.status === 'idle';
            }""",
            arg=name,
            timeout=seconds * 1000,
        )
        return notebook

    def screenshots(self, name: str) -> list[Path]:
        """A picture of every open page."""
        found = []
        for number, notebook in enumerate(self.pages):
            with contextlib.suppress(Exception):  # a page that crashed has no picture; the failure itself is reported
                found.append(notebook.screenshot(f"{name}-{number}" if number else name))
        return found

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that JupyterLab wrote."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def take_problems(self) -> list[str]:
        """What the browser complained about since the last call."""
        found, self.problems = self.problems, []
        return found

    def _refuse(self, route) -> None:
        self._complain(f"asked the network for {route.request.url}")
        route.abort()

    def _console(self, message) -> None:
        if message.type == "error":
            place = message.location
            self._complain(f"console: {message.text} ({place.get('url', '').split('?')[0]}:{place.get('lineNumber')})")

    def _complain(self, text: str) -> None:
        if not any(pattern.search(text) for pattern, _ in NOISE):
            self.problems.append(text)


def centre(located) -> tuple[float, float]:
    """The middle of an element, in the page's pixels."""
    box = located.bounding_box()
    assert box, "the element is not on the page"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ------------------------------------------------------------------------------------------ fixtures


@pytest.fixture(scope="package")
def lab(chromium, tmp_path_factory) -> Iterator[Lab]:
    """JupyterLab and a Chromium, both ended with the last test of this folder."""
    from playwright.sync_api import sync_playwright

    scratch = tmp_path_factory.mktemp("lab")
    folder, command = _working_copy(scratch / "checkout")
    token, log = secrets.token_hex(16), scratch / "jupyterlab.log"
    keeper = Path(__file__).with_name("keeper.py")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(keeper), *command, f"--IdentityProvider.token={token}"],
            cwd=folder,
            env=_environment(scratch),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,  # the keeper ends everything when this closes
            start_new_session=True,  # Ctrl-C is for the tests, which then close it
        )
    try:
        url = _wait_until_it_answers(process, scratch / "runtime", token, log)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
            lab = Lab(browser, process, url, token, folder, log)
            try:
                yield lab
            finally:
                browser.close()
    finally:
        process.stdin.close()
        process.wait(40)


@pytest.fixture(scope="package")
def page(lab) -> Iterator[Notebook]:
    """One notebook for all: the cells of cells.py and chapter 07's first exercise as it is stored. None has run."""
    import nbformat

    stored = nbformat.read(ROOT / "notebooks" / CHAPTER, as_version=4)
    exercise = {cell.id: cell.source for cell in stored.cells if cell.id == EXERCISE}
    notebook = lab.open(lab.write("page.ipynb", EXPLORERS | OTHERS | exercise))
    yield notebook
    notebook.close()


@pytest.fixture(scope="package")
def explorers(page) -> Explorers:
    """The explorers of the page: ``explorers("descent")``."""
    return Explorers(page)


@pytest.fixture(scope="module")
def open_notebook(lab) -> Iterator[Callable[..., Notebook]]:
    """A function from a name to the open `Notebook`, which is closed, with its kernel, after the module's last test."""
    opened = []

    def open_(name: str, **options) -> Notebook:
        opened.append(lab.open(name, **options))
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.close()


@pytest.fixture(autouse=True)
def quiet_console(request) -> Iterator[None]:
    """A test with a browser fails on an error in its console and on a request to anything but loopback."""
    lab = request.getfixturevalue("lab") if "lab" in request.fixturenames else None
    yield
    problems = lab.take_problems() if lab else []
    assert not problems, "the browser complained:\n" + "\n".join(problems)


# ------------------------------------------------------------------------------------------ the server


def _working_copy(checkout: Path) -> tuple[Path, list[str]]:
    """A small checkout with the stored learner notebooks, its working copy, and the command of ``course lab`` on it."""
    from course_utils import workspace

    (checkout / "notebooks" / "source").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    stored = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert stored, "there are no learner notebooks; make them: course build"
    for path in stored:
        shutil.copy(path, checkout / "notebooks")
    workspace.refresh(checkout)
    more = (
        "--ServerApp.ip=127.0.0.1",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",  # the other one asks a package index
        *(("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),
    )
    return workspace.folder(checkout), workspace.lab_command(checkout, browser=False, port=_free_port(), more=more)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(scratch: Path) -> dict[str, str]:
    """The environment of the server and its kernels: nothing of the person who runs the tests, and no way out."""
    ours = ("COURSE_", "JUPYTER", "IPYTHON", "KERAS_", "PLOTLY_", "MPL")
    env = {name: value for name, value in os.environ.items() if not name.upper().startswith(ours)}
    env = {name: value for name, value in env.items() if not name.lower().endswith("_proxy")}
    for name, folder in {
        "COURSE_CACHE": "cache",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "KERAS_HOME": "keras",
    }.items():
        (scratch / folder).mkdir()
        env[name] = str(scratch / folder)
    # Port 9 discards: what asks for the network in spite of everything fails at once instead of reaching it.
    env |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    env |= {"no_proxy": "127.0.0.1,localhost", "PYTHONPATH": str(ROOT), "COURSE_PROFILE": "quick"}
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    settings = scratch / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    return env


def _wait_until_it_answers(process: subprocess.Popen, runtime: Path, token: str, log: Path) -> str:
    """The server's address, from the file that it writes about itself, once it answers."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        for told in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError, urllib.error.URLError):
                url = json.loads(told.read_text())["url"]
                with urllib.request.urlopen(f"{url}api?token={token}", timeout=5):
                    return url
        time.sleep(0.1)
    state = "ended" if process.poll() is not None else f"did not answer within {SECONDS_TO_START} s"
    raise AssertionError(f"JupyterLab {state}:\n{log.read_text('utf-8', 'replace')[-3000:]}")

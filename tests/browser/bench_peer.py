"""Benchmark: the explorers' stage beside plotly's FigureWidget, the same picture, in turn.

    pytest -s tests/browser/bench_peer.py

A field of 50 × 50 colours and a curve of 60 points follow a slider, moved by the arrow keys. Measured is the time from
the key to the finished picture, in the browser.
"""

import statistics

import pytest

FIELD = """
import numpy as np

x = np.linspace(-3, 3, 50)
X, Y = np.meshgrid(x, x)
curve = np.linspace(0, 6, 60)

def field(k):
    return np.sin(X * k / 10) * np.cos(Y * k / 12)

def line(k):
    return np.sin(curve * k / 20)
"""
STAGE = """
from course_utils.explorers.scene import Line, Panel, Picture, Scene
from course_utils.explorers.stage import Slider, Stage

def respond(event):
    k = event.values["k"]
    shade = np.round((field(k) + 1) * 127).astype("uint8")
    pixels = np.stack([shade, 255 - shade, np.full_like(shade, 128)], axis=-1)
    return Scene([
        Panel("field", (-3, 3), (-3, 3), [Picture(pixels, (-3, 3), (-3, 3))]),
        Panel("curve", (0, 6), (-1, 1), [Line(curve, line(k))]),
    ], f"k = {k:g}")

Stage("Stage", [Slider("k", "k", range(1, 101), 10)], respond)
"""
PEER = """
import ipywidgets
import plotly.graph_objects as go
from plotly.subplots import make_subplots

figure = go.FigureWidget(make_subplots(rows=1, cols=2))
figure.add_trace(go.Heatmap(x=x, y=x, z=field(10), zmin=-1, zmax=1, showscale=False), row=1, col=1)
figure.add_trace(go.Scatter(x=curve, y=line(10), mode="lines"), row=1, col=2)
figure.update_yaxes(range=[-1, 1], row=1, col=2)
figure.update_layout(width=900, height=400, showlegend=False)
slider = ipywidgets.IntSlider(10, 1, 100)

def move(change):
    with figure.batch_update():
        figure.data[0].z = field(change["new"])
        figure.data[1].y = line(change["new"])

slider.observe(move, "value")
ipywidgets.VBox([slider, figure])
"""
MOVES = 20


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    opened = open_notebook(lab.write("peer.ipynb", {"field": FIELD, "stage": STAGE, "peer": PEER}))
    for name in ("field", "stage", "peer"):
        opened.run(name)
    return opened


def by_stage(notebook) -> list[float]:
    from .explorer import MEASURE, Explorer

    explorer = Explorer(notebook, "stage")
    explorer.control("k").focus()
    explorer.forget_times()
    for _ in range(MOVES):
        notebook.page.keyboard.press("ArrowRight")
        explorer.settle()
        notebook.page.wait_for_timeout(30)
    return notebook.page.evaluate("n => performance.getEntriesByName(n).map(e => e.duration)", MEASURE)


def by_peer(notebook) -> list[float]:
    area = notebook.show("peer").locator(".jp-Cell-outputArea")
    plot = area.locator(".js-plotly-plot")
    plot.wait_for(state="visible", timeout=30_000)
    plot.evaluate(
        """plot => {
            window.peer = {start: 0, times: []};
            document.addEventListener('keydown', () => { window.peer.start = performance.now(); }, true);
            plot.on('plotly_afterplot', () => {
                if (!window.peer.start) return;
                window.peer.times.push(performance.now() - window.peer.start);
                window.peer.start = 0;
            });
        }"""
    )
    area.locator(".noUi-handle").focus()
    for i in range(MOVES):
        notebook.page.keyboard.press("ArrowRight")
        notebook.page.wait_for_function("i => window.peer.times.length > i", arg=i, timeout=10_000)
        notebook.page.wait_for_timeout(30)
    return notebook.page.evaluate("window.peer.times")


def test_the_stage_beside_its_peer(notebook):
    times: dict[str, list[float]] = {"stage": [], "FigureWidget": []}
    for _ in range(3):
        times["stage"] += by_stage(notebook)
        times["FigureWidget"] += by_peer(notebook)
    from course_utils.explorers import front_end

    for name, found in times.items():
        print(f"{name:13} {statistics.mean(found):5.0f} ms on average, {max(found):5.0f} at most ({len(found)} moves)")
    ours, theirs = (statistics.mean(found) for found in times.values())
    size = len(front_end("common.js", "stage.js")) / 1024
    print(f"ratio: FigureWidget takes {theirs / ours:.1f} times as long; the stage's script has {size:.0f} KB")

"""Benchmark: from a moved slider, a pressed button or the end of a stroke to the new picture, in the browser.

    pytest -s tests/browser/bench_explorers.py

Milliseconds over twenty moves of one slider of each explorer, ten presses for ten steps of training, a second and a
half of playing, and ten sevens on the canvas.
"""

import statistics

import pytest

from .explorer import slide_through
from .test_drawing import MEASURE, SEVEN, Canvas, drawing  # noqa: F401  (a fixture)

SLIDERS = {
    "stage": "rate", "size_and_cost": "size", "descent": "rate", "playground": "noise", "convolution": "column",
    "gradient_over_time": "radius", "duel": "rate_D", "words": "word", "attention": "head",
}  # fmt: skip


def tell(what: str, times: list[float]) -> None:
    print(
        f"\n{what:42} {statistics.mean(times):5.0f} ms on average, {max(times):5.0f} at most, {len(times)} times",
        end="",
    )


@pytest.mark.parametrize("name", SLIDERS)
def test_a_slider(explorers, name):
    tell(f"{name}, {SLIDERS[name]}", slide_through(explorers.anew(name), SLIDERS[name]))


def test_ten_steps_of_training(explorers):
    explorer = explorers.anew("duel")
    explorer.forget_times()
    for _ in range(10):
        explorer.press("step")
    tell("duel, ten steps of both players", explorer.times("press"))


def test_a_frame_while_it_plays(explorers):
    explorer = explorers.anew("playground")
    explorer.press("train", wait=False)
    explorer.page.wait_for_timeout(1500)
    explorer.press("train", wait=False)
    explorer.wait("root.dataset.playing === 'false'")
    tell("playground, a frame of thirty steps", explorer.times("tick"))


def test_the_end_of_a_stroke(drawing):  # noqa: F811
    canvas = Canvas(drawing, "canvas")
    drawing.page.evaluate("name => performance.clearMeasures(name)", MEASURE)
    for _ in range(10):
        canvas.clear()
        canvas.draw(SEVEN)
    tell("draw_digit, the end of a stroke", canvas.times())
    print("\nThe aim is 100 ms on average, on a quiet machine.")

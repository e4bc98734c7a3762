"""The page of a service prepares a drawing as `course_utils.strokes` does: the same strokes, nearly the same image."""

import json

import numpy as np
import pytest

from course_utils.strokes import digit_from_strokes

BRUSH = 18  # of service.js, in the paper's units
# The page averages the browser's soft lines, Python a grid eight times as fine, of which a cell has ink or not: so they
# differ at edges. In one pixel by at most a quarter of the ink; in all on average by less than a hundredth.
ONE, MEAN = 64, 2.5
# The centre of mass, which decides the place by whole pixels, differs by a tenth of one: a pixel's shift is no fault
# where Python's centre is so near the middle between two places.
UNDECIDED = 0.15
DRAWINGS = 40


def drawings() -> list[list[list[list[float]]]]:
    """Strokes as a hand makes them: curves of many points, straight lines, corners, a dot beside, at every size."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(DRAWINGS):
        strokes = []
        for _ in range(random.integers(1, 4)):
            n = random.integers(2, 40)
            turns, way = random.normal(0, 0.4, n).cumsum() + random.uniform(0, 6.3), random.uniform(1, 12)
            steps = np.stack([np.cos(turns), np.sin(turns)], 1) * way
            points = steps.cumsum(0) + random.uniform(60, 220, 2)
            strokes.append(np.clip(points, 0, 280).round(2).tolist())
        if random.random() < 0.2:
            strokes.append([random.uniform(40, 240, 2).round(2).tolist()])
        made.append(strokes)
    seven = [[[80, 60], [200, 60], [110, 230]]]
    return [
        *made,
        seven,
        [[[140, 20], [140, 260]]],
        [[[20, 140], [260, 140]]],
        [[[9, 9], [271, 9], [271, 271], [9, 9]]],
    ]


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def differ(page: list[list[int]], strokes: list) -> tuple[float, float]:
    """The largest and the mean difference of the page's image to Python's."""
    ours = digit_from_strokes([{"points": points, "width": BRUSH} for points in strokes]).astype(float)
    places = [ours]
    for axis in (0, 1):
        profile = ours.sum(1 - axis)
        centre = profile @ np.arange(28) / profile.sum()
        shift = int(centre < 13.5 + UNDECIDED) - int(centre > 14.5 - UNDECIDED)
        places += [np.roll(image, shift, axis) for image in places]
    apart = min((np.abs(np.array(page, float) - image) for image in places), key=np.sum)
    return float(apart.max()), float(apart.mean())


def test_the_same_strokes_give_nearly_the_same_image(stand, browser):
    page = browser.new_page()
    page.goto(stand("images").url)
    found = [differ(page.evaluate("strokes => digit(strokes)", strokes), strokes) for strokes in drawings()]
    assert max(most for most, _ in found) <= ONE, found
    assert max(mean for _, mean in found) <= MEAN, found
    for nothing in ([], [[[140, 140]]], [[[140, 140], [145, 150]]]):
        assert page.evaluate("strokes => digit(strokes)", nothing) is None
        assert digit_from_strokes([{"points": points, "width": BRUSH} for points in nothing]) is None


def test_what_the_mouse_draws_is_what_is_asked_and_shown(stand, browser):
    page = browser.new_page()
    page.goto(stand("images").url)
    box = page.locator("#paper").bounding_box()
    way = [(80, 60), (140, 60), (200, 60), (170, 120), (140, 180), (110, 230)]

    def place(point: tuple[int, int]) -> tuple[float, float]:
        return box["x"] + point[0] * box["width"] / 280, box["y"] + point[1] * box["height"] / 280

    with page.expect_request("**/v1/predict") as asked:
        page.mouse.move(*place(way[0]))
        page.mouse.down()
        for point in way[1:]:
            page.mouse.move(*place(point))
        page.mouse.up()
    (image,) = json.loads(asked.value.post_data)["images"]
    most, mean = differ(image, [way])
    # The canvas may lie between two pixels of the screen: the mouse is then half a unit off.
    assert most <= 2 * ONE and mean <= 2 * MEAN, (most, mean)
    page.locator("#answer").wait_for(state="visible")
    shown = page.evaluate(
        "() => [...document.getElementById('seen').getContext('2d').getImageData(0, 0, 28, 28).data]"
        ".filter((_, k) => k % 4 === 0)"
    )
    assert shown == np.ravel(image).tolist()

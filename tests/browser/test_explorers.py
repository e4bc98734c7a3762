"""What every explorer owes its reader in JupyterLab: it opens, controls, pointer and keys move it, in two themes.

What an explorer shows, and what it says at which extreme, is held without a browser in tests/explorers.
"""

from dataclasses import dataclass

import pytest

from .cells import EXPLORERS


@dataclass(frozen=True)
class Move:
    """A control is moved: a slider to a share of its way, a choice to an option's key, a button (None) is pressed.

    Afterwards the sentence holds ``says``, a name or a number; the answer is of the ``kind`` "answer" or "warning";
    and the ``panels`` have changed, or one of them all. ``still``: this move alone changes no picture.
    """

    name: str
    to: float | str | None
    says: str = ""
    kind: str = "answer"
    panels: tuple[str, ...] = ()
    still: bool = False


@dataclass(frozen=True)
class Case:
    """Panels with the number of colours that each shows at least, what the first sentence holds, and the moves."""

    panels: dict[str, int]
    opens: tuple[str, ...]
    moves: tuple[Move, ...]


CASES = {
    "size_and_cost": Case(
        {"memory": 5, "hours": 5, "money": 5},
        ("7 B", "24 GB GPU"),
        (
            Move("size", 1, "1 T", "warning", ("memory", "hours", "money")),
            Move("size", 0, "1 M"),
            Move("size", 31 / 48, "7 B"),
            Move("tokens", 1, "100 T", panels=("hours", "money")),
            Move("tokens", 15 / 50, "10 M"),
            Move("task", "train", "7 B", "warning"),
            Move("device", "8 × 80 GB", "8 × 80 GB", panels=("memory",)),
            Move("task", "answer", "bfloat16", panels=("memory",)),
            Move("precision", "int4", "int4", panels=("memory",)),
        ),
    ),
    "descent": Case(
        {"surface": 20, "loss": 5},
        ("2/λ = 0.2",),
        (
            Move("rate", 1, "2/λ = 0.2", "warning", ("surface", "loss")),
            Move("rate", 0, "0"),
            Move("rate", 0.4, "2/λ = 0.2"),
            Move("steps", 0),
            Move("steps", 1, panels=("loss",)),
            Move("optimiser", "Adam", panels=("surface", "loss")),
            *(
                Move("surface", name, panels=("surface",))
                for name in ("curved valley", "log cosh", "plateau", "logistic", "round bowl")
            ),
            Move("surface", "two minima", "0.299", "warning", panels=("surface",)),
            Move("surface", "saddle", "0.25", "warning", panels=("surface",)),
        ),
    ),
    "playground": Case(
        {"field": 5, "neurons": 5, "loss": 5},
        ("4 tanh", "22 parameters", "0 steps"),
        (
            Move("depth", 1, "4 layers of 4", panels=("field", "neurons")),
            Move("width", 1, "4 layers of 8"),
            Move("noise", 0.5, "0 steps", panels=("field",)),
            Move("data", "spirals", "0 steps", panels=("field",)),
            Move("activation", "relu", "4 layers of 8 relu"),
            Move("step", None, "1 step"),
            Move("decay", "0.01", still=True),
            Move("new", None, "0 steps"),
            Move("rate", 0, "0", still=True),
        ),
    ),
    "convolution": Case(
        {"image": 5, "sum": 5, "map": 5},
        ("Row 5, column 5",),
        (
            Move("padding", 1, panels=("image", "map")),
            Move("padding", 0),
            Move("stride", 0.5, panels=("image", "map")),
            Move("stride", 0),
            Move("dilation", 1, panels=("image",)),
            Move("dilation", 0),
            Move("row", 0.4, "Row 7, column 5", panels=("image",)),
            Move("column", 0.4, "Row 7, column 7", panels=("image",)),
            Move("kernel", "blur", "÷ 9", panels=("sum", "map")),
            Move("kernel", "vertical edges", panels=("map",)),
            Move("direction", "convolution", panels=("map",)),
            Move("image", "photograph", panels=("image",)),
            Move("image", "scratch", panels=("image",)),
        ),
    ),
    "gradient_over_time": Case(
        {"gradient": 5, "eigenvalues": 5},
        ("tanh", "1.00", "100"),
        (
            Move("radius", 1, "2.00", panels=("gradient", "eigenvalues")),
            Move("radius", 0, "0.00"),
            Move("radius", 0.6, "1.20"),
            Move("network", "ReLU", "ReLU", panels=("gradient",)),
            Move("network", "linear", "linear", "warning", panels=("gradient",)),
            Move("network", "LSTM", "LSTM", panels=("gradient",)),
            Move("start", "orthogonal", panels=("gradient",)),
            Move("forget", 0.8, panels=("gradient",)),
            Move("length", 0.25, "20", panels=("gradient",)),
            Move("draw", None, panels=("gradient",)),
            Move("network", "tanh", "tanh", panels=("gradient",)),
        ),
    ),
    "duel": Case(
        {"plane": 20, "curves": 5},
        ("Step 0", "of 8"),
        (
            Move("step", None, "Step 10", panels=("plane", "curves")),
            Move("data", "two blobs", "Step 0", panels=("plane",)),
            Move("data", "line", "of 8", panels=("plane",)),
            Move("data", "one point", "of 1 ", panels=("plane",)),
            Move("data", "ring of eight", "of 8", panels=("plane",)),
            Move("loss", "printed", panels=("plane",)),
            Move("turns", 1, still=True),
            Move("rate_D", 0, "0", still=True),
            Move("step", None, "Step 3", panels=("plane",)),
            Move("noise", 1, "Step 0", panels=("plane",)),
            Move("rate_G", 0, "0", still=True),
            Move("rate_D", 0.5, still=True),
            Move("step", None, "Step 3", panels=("plane", "curves")),
            Move("restart", None, "Step 0", panels=("plane",)),
        ),
    ),
    "words": Case(
        {"map": 5, "nearest": 3},
        ("300",),
        (
            Move("show", "security", "security", panels=("map",)),
            Move("show", "", "300", panels=("map",)),
            Move("word", 0, panels=("map", "nearest")),
            Move("word", 0.5, panels=("map", "nearest")),
            Move("count", 0, "37", panels=("map",)),
            Move("count", 1, "300", panels=("map",)),
        ),
    ),
    "attention": Case(
        {"lines": 5, "map": 5},
        ("1", "“since”"),
        (
            Move("layer", 1, "6", panels=("lines", "map")),
            Move("head", 1, "12", panels=("lines", "map")),
            Move("token", 0, "“[CLS]”", panels=("lines",)),
            Move("sentence", "Wrong invoice!", panels=("lines", "map")),
            Move("sentence", "Since the update my bank feed is empty.", panels=("map",)),
        ),
    ),
}
PLAYING = {"playground": "train", "duel": "play"}


def test_the_cases_are_the_explorers():
    from course_utils import explorers

    live = {name for name in explorers.__all__ if f"{name}_picture" in explorers.__all__}
    assert set(CASES) == live == set(EXPLORERS) - {"stage"}


def pictures(explorer, panels) -> dict[str, str]:
    return {panel: explorer.picture(panel) for panel in panels}


@pytest.mark.parametrize("name", CASES)
def test_it_opens_and_each_control_moves_it(explorers, name):
    case, explorer = CASES[name], explorers.anew(name)
    for panel, colours in case.panels.items():
        assert explorer.colours(panel) > colours, panel
    assert explorer.kind == "answer" and all(words in explorer.sentence for words in case.opens), explorer.sentence
    moved = {move.name for move in case.moves} | {PLAYING.get(name)} - {None}
    assert moved == set(explorer.controls()), "each control has a move in CASES"
    for move in case.moves:
        before = pictures(explorer, case.panels)
        if move.to is None:
            explorer.press(move.name)
        elif isinstance(move.to, str):
            explorer.choose(move.name, move.to)
        else:
            explorer.slide(move.name, to=move.to)
        after = pictures(explorer, case.panels)
        changed = {panel for panel in case.panels if after[panel] != before[panel]}
        assert set(move.panels) <= changed and (changed or move.still), (move, changed)
        assert explorer.kind == move.kind and move.says in explorer.sentence, (move, explorer.kind, explorer.sentence)


@pytest.mark.parametrize("name", PLAYING)
def test_it_plays_and_pauses(explorers, name):
    explorer, button = explorers.anew(name), PLAYING[name]
    at_rest, before, drawn = (
        explorer.control(button).inner_text(),
        pictures(explorer, CASES[name].panels),
        explorer.drawn,
    )
    explorer.press(button, wait=False)
    explorer.wait(f"root.dataset.playing === 'true' && Number(root.dataset.drawn) >= {drawn + 5}")
    assert explorer.control(button).inner_text() != at_rest
    explorer.press(button, wait=False)
    explorer.wait("root.dataset.playing === 'false'")
    explorer.settle()
    drawn = explorer.drawn
    assert all(explorer.picture(panel) != picture for panel, picture in before.items())
    explorer.page.wait_for_timeout(200)
    assert explorer.drawn == drawn and explorer.control(button).inner_text() == at_rest


@pytest.mark.parametrize(("name", "slider"), [("playground", "rate"), ("duel", "rate_G")])
def test_a_learning_rate_too_large_stops_it_with_a_warning_and_a_picture(explorers, name, slider):
    explorer = explorers.anew(name)
    if name == "playground":
        explorer.choose("activation", "relu")  # tanh only jumps about
    explorer.slide(slider, to=1)
    explorer.press(PLAYING[name], wait=False)
    explorer.wait("root.dataset.kind === 'warning' && root.dataset.playing === 'false'")
    explorer.settle()
    for panel, colours in CASES[name].panels.items():
        assert explorer.colours(panel) > min(colours, 4), panel


# Shares of a panel from the left and from the bottom; on the map of words some of them lie on words.
PLACES = ((0.35, 0.35), (0.45, 0.6), (0.55, 0.45), (0.65, 0.65), (0.75, 0.5), (0.5, 0.5))


@pytest.mark.parametrize(
    ("name", "panel", "slider"),
    [("attention", "lines", "token"), ("attention", "map", "token"), ("convolution", "map", "row"),
     ("words", "map", "word")],
)  # fmt: skip
def test_the_pointer_moves_it_and_the_keys_go_on(explorers, name, panel, slider):
    explorer, seen = explorers(name), set()
    for across, up in PLACES:
        explorer.hover(panel, across, up)
        seen.add((explorer.sentence, *pictures(explorer, CASES[name].panels).values()))
    assert len(seen) >= 3 and len({sentence for sentence, *_ in seen}) >= 3
    before = explorer.sentence
    explorer.control(slider).focus()
    explorer.page.keyboard.press("ArrowLeft")
    explorer.settle()
    assert explorer.sentence != before


def test_the_keys_drag_the_start_of_a_descent(explorers):
    explorer = explorers("descent")
    before = explorer.picture("surface")
    explorer.canvas("surface").focus()
    explorer.page.keyboard.press("ArrowLeft")
    explorer.settle()
    assert explorer.picture("surface") != before


@pytest.fixture(scope="module", params=["Light", "Dark"])
def theme(explorers, request):
    explorers.notebook.theme(f"JupyterLab {request.param}")
    yield request.param
    explorers.notebook.theme("JupyterLab Light")


@pytest.mark.parametrize("name", EXPLORERS)
def test_readable_in_both_themes(explorers, theme, name):
    share, ratio, words = explorers(name).weakest()
    assert share >= 1, f"contrast {ratio} for {words!r}, {share:.2f} of what WCAG wants"

"""What every explorer owes: finite pictures at its controls' ends, a picture with alt, controls that move, refusals."""

import importlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers import costs, gan_game, gradient_flow, word_map
from course_utils.explorers.scene import Scene, for_browser

from .drawable import assert_drawable

# Three modules have the name of their function, which is what the package gives.
attention, convolution, descent, playground = (
    importlib.import_module(f"course_utils.explorers.{name}")
    for name in ("attention", "convolution", "descent", "playground")
)
CLASSES = ("bug", "howto", "account", "billing", "integration", "feature", "sales", "security")


def words_of(n=60, d=8, classes=CLASSES, seed=0, width=1.0) -> tuple:
    """Vectors, names and leanings of n made-up words, and the classes."""
    random = np.random.default_rng(seed)
    lean = random.dirichlet(np.full(len(classes), 0.3), n)
    return width * random.normal(size=(n, d)), [f"word{i}" for i in range(n)], lean, classes


def weights(t, layers=2, heads=3, seed=0) -> np.ndarray:
    S = np.exp(np.random.default_rng(seed).normal(size=(layers, heads, t, t)))
    return S / S.sum(axis=-1, keepdims=True)


ATTENDED = {
    "The export is the same": (["[CLS]", "the", "export", "is", "the", "same", "[SEP]"], weights(7)),
    "short": (["[CLS]", "[SEP]"], weights(2, seed=1)),
    "a long one " * 12: (["[CLS]", *(f"##word{i}oflength" for i in range(38)), "[SEP]"], weights(40, seed=2)),
}

# ---------------------------------------------------------------------------------------- the ends of all controls


def ends_of_costs() -> Iterator[Scene]:
    devices = costs.EXAMPLE_DEVICES
    for case in itertools.product((1e6, 1e12), (1e4, 1e14), costs.TASKS, devices, costs.BYTES):
        yield costs.scene(devices, *case)


def ends_of_descent() -> Iterator[Scene]:
    for surface, optimiser in itertools.product(descent.SURFACES, descent.OPTIMISERS):
        low, high = descent.SURFACES[surface].window
        starts = [descent.SURFACES[surface].start, (low, low), (high, high), (0.0, 0.0)]
        for case in itertools.product(starts, (0.0, 0.001, 0.2, 2.0, 100.0), (0, 1, 300)):
            yield descent.scene(surface, optimiser, *case)


def ends_of_playground() -> Iterator[Scene]:
    """Every combination of the ends; and a learning rate at which tanh jumps about without diverging."""
    stage, kinds = explorers.playground(), playground.ACTIVATIONS
    ends = itertools.product(playground.DATA, (0, 50), (0, 4), (1, 8), kinds, (0.0, 1000.0), ("none", "0.1"))
    jumps = itertools.product(["spirals"], (5,), (1,), (1, 8), kinds, (10.0,), ("none", "0.1"))
    controls = ("data", "noise", "depth", "width", "activation", "rate", "decay")
    for case in itertools.chain(ends, jumps):
        stage.values.update(zip(controls, case, strict=True))
        for kind, name in (("press", "new"), ("press", "step"), ("press", "train"), ("tick", "")):
            yield stage.send_event(kind, name)


def ends_of_convolution() -> Iterator[Scene]:
    pictures = convolution.images()
    images = zip(itertools.cycle(pictures), convolution.KERNELS, strict=False)
    directions, places = (convolution.AS_IT_IS, convolution.FLIPPED), ((0, 0), (17, 17), (3, 40))
    for (image, kernel), direction, padding, stride, dilation, place in itertools.product(
        images, directions, range(3), range(1, 4), range(1, 4), places
    ):
        settings = convolution.Settings(image, kernel, direction, padding, stride, dilation, *place)
        yield convolution.scene(settings, pictures)


def ends_of_gradient() -> Iterator[Scene]:
    radii, biases = gradient_flow.RADII, gradient_flow.BIASES
    yield from (
        gradient_flow.scene(*case)
        for case in itertools.product(
            gradient_flow.NETWORKS, gradient_flow.STARTS, (radii[0], radii[1], 1.0, radii[-1]), (biases[0], biases[-1]),
            (10, 200),
        )
    )  # fmt: skip


def ends_of_duel() -> Iterator[Scene]:
    rates, turns = gan_game.RATES, gan_game.TURNS
    for data, loss, rate_G, rate_D, turn, noise in itertools.product(
        gan_game.DATA, gan_game.LOSSES, (rates[0], rates[-1]), (rates[0], rates[-1]), (turns[0], turns[-1]), (1, 8)
    ):
        game = gan_game.Game(data, noise)
        for _ in range(3):
            game.advance(4, rate_G=rate_G, rate_D=rate_D, loss=loss, turns=turn)
            scene = gan_game.scene_of(game, loss, rate_G=rate_G, rate_D=rate_D)
            assert scene.warning == game.broken
            yield scene


def ends_of_words() -> Iterator[Scene]:
    fourteen = tuple("abcdefghijklmn")
    for n, d, classes, width in (
        (2, 1, CLASSES[:2], 1.0), (2, 64, CLASSES, 1.0), (400, 64, CLASSES, 1e-9), (9, 3, CLASSES[:1], 1e6),
        (12, 5, fourteen, 1.0), (5, 2, CLASSES, 0.0),
    ):  # fmt: skip
        made = word_map.Words.of(*words_of(n, d, classes, width=width))
        for show, shown, k in itertools.product((word_map.ALL, *classes), (2, n), (0, n - 1)):
            yield word_map.scene(made, show, shown, k)


def ends_of_attention() -> Iterator[Scene]:
    for attended in (ATTENDED, {"sure": (["a", "b", "c"], np.eye(3)[None, None])}):
        known = attention.checked(attended)
        for case in itertools.product(known, (0, 1, 99), (0, 1, 99), (-1, 0, 1, 99)):
            yield attention.scene(attention.Settings(*case), known)


# ---------------------------------------------------------------------------------------- the explorers


@dataclass(frozen=True)
class Case:
    """A live explorer, its picture, the scenes at its controls' ends, and calls with a word that their refusal holds.

    ``still`` are controls that show nothing before the next step; with ``inside`` all lies within the axes.
    """

    live: Callable
    picture: Callable
    ends: Callable[[], Iterator[Scene]]
    refused: dict[str, Callable] = field(default_factory=dict)
    still: tuple[str, ...] = ()
    inside: bool = False


def costs_picture(**changed):
    given = {"size": 7e9, "tokens": 1e7, "task": "train", "device": "laptop", "alt": "x"}
    return explorers.size_and_cost_picture(**given | changed)


def descent_picture(surface="saddle", optimiser="Adam", alt="x"):
    return explorers.descent_picture(surface, optimiser, 0.1, 300, alt=alt)


def words_picture(alt="x", **changed):
    return explorers.words_picture(*words_of(), alt=alt, **changed)


CASES = {
    "size_and_cost": Case(
        explorers.size_and_cost,
        costs_picture,
        ends_of_costs,
        {
            "train": lambda: costs_picture(task="trane"),
            "laptop": lambda: costs_picture(device="laptob"),
            "int8": lambda: costs_picture(precision="int9"),
        },
        inside=True,
    ),
    "descent": Case(
        explorers.descent,
        descent_picture,
        ends_of_descent,
        {"long bowl": lambda: explorers.descent("long bowel"), "Adam": lambda: descent_picture(optimiser="Adan")},
    ),
    "playground": Case(
        explorers.playground,
        lambda **given: explorers.playground_picture(depth=2, steps=60, **given),
        ends_of_playground,
        {
            "circles": lambda: explorers.playground_picture(data="circle", alt="x"),
            "tanh": lambda: explorers.playground_picture(activation="tan", alt="x"),
        },
        still=("decay",),
    ),
    "convolution": Case(
        explorers.convolution,
        explorers.convolution_picture,
        ends_of_convolution,
        {
            "digit": lambda: explorers.convolution_picture(image="digits", alt="x"),
            "blur": lambda: explorers.convolution_picture(kernel="blurr", alt="x"),
            "correlation": lambda: explorers.convolution_picture(direction="corelation", alt="x"),
        },
    ),
    "gradient_over_time": Case(
        lambda: explorers.gradient_over_time("LSTM"),
        explorers.gradient_over_time_picture,
        ends_of_gradient,
        {
            "LSTM": lambda: explorers.gradient_over_time("LSTN"),
            "orthogonal": lambda: explorers.gradient_over_time_picture(start="ortogonal", alt="x"),
        },
    ),
    "duel": Case(
        explorers.duel,
        lambda **given: explorers.duel_picture(steps=20, **given),
        ends_of_duel,
        {
            "ring of eight": lambda: explorers.duel_picture(data="ring of nine", alt="x"),
            "non-saturating": lambda: explorers.duel_picture(loss="non saturating", alt="x"),
        },
        still=("turns",),
    ),
    "words": Case(
        lambda: explorers.words(*words_of(400)),
        words_picture,
        ends_of_words,
        {
            "security": lambda: explorers.words(*words_of(), show="securty"),
            "word6": lambda: words_picture(word="word61"),
        },
    ),
    "attention": Case(
        lambda: explorers.attention(ATTENDED),
        lambda **given: explorers.attention_picture(ATTENDED, layer=2, token=2, **given),
        ends_of_attention,
    ),
}  # fmt: skip


def test_every_explorer_has_a_case():
    assert set(CASES) == {name for name in explorers.__all__ if f"{name}_picture" in explorers.__all__}


@pytest.mark.parametrize("name", CASES)
def test_the_ends_of_all_controls_give_a_finite_picture_and_a_sentence(name):
    with np.errstate(all="ignore"):
        for scene in CASES[name].ends():
            assert_drawable(scene, inside=CASES[name].inside)


@given(
    st.sampled_from(gradient_flow.NETWORKS),
    st.sampled_from(gradient_flow.STARTS),
    st.sampled_from(gradient_flow.RADII),
    st.sampled_from(gradient_flow.BIASES),
    st.sampled_from(gradient_flow.LENGTHS),
    st.integers(0, 50),
)
def test_any_gradient_over_time_is_finite(network, start, radius, forget, length, draw):
    assert_drawable(gradient_flow.scene(network, start, radius, forget, length, draw))


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 6), st.integers(1, 9), st.integers(2, 40))
def test_any_map_of_words_is_finite(seed, n, d, classes, shown):
    names = tuple(f"class {c}" for c in range(classes))
    made = word_map.Words.of(*words_of(n, d, names, seed))
    for show in (word_map.ALL, names[-1]):
        assert_drawable(word_map.scene(made, show, shown, seed % n))


@pytest.mark.parametrize("name", CASES)
def test_each_control_moves_it(name):
    for control in CASES[name].live().controls:
        if control["kind"] == "button":
            continue
        a_choice = control["kind"] == "choice"
        values = [key for key, _ in control["options"]] if a_choice else [control["values"][0], control["values"][-1]]
        stage = CASES[name].live()
        seen = [for_browser(stage.scene)]
        for value in values:
            seen.append(for_browser(stage.send_event("change", control["name"], value)))
            assert not a_choice or stage.values[control["name"]] == value
        moved = any(one != seen[0] for one in seen)
        assert moved != (control["name"] in CASES[name].still), control["name"]


@pytest.mark.parametrize("name", CASES)
def test_the_picture_has_its_alt_and_is_small(name):
    figure = CASES[name].picture(alt="What it shows")
    assert figure.layout.meta == {"alt": "What it shows"} and len(figure.to_json()) < 60_000
    assert len(figure.data) + len(figure.layout.images) >= 1
    with pytest.raises(CourseError, match="alt"):
        CASES[name].picture(alt=" ")


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, case in CASES.items() for words in case.refused])
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(name, words):
    with pytest.raises(CourseError, match=words):
        CASES[name].refused[words]()


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        (costs.TASKS, costs.task_labels), (descent.SURFACES, descent.surface_labels),
        (descent.OPTIMISERS, descent.optimiser_labels), (playground.DATA, playground.data_labels),
        (playground.ACTIVATIONS, playground.activation_labels), (playground.DECAYS, playground.decay_labels),
        (convolution.KERNELS, convolution.kernel_labels), (gradient_flow.NETWORKS, gradient_flow.network_labels),
        (gradient_flow.STARTS, gradient_flow.start_labels), (gan_game.DATA, gan_game.data_labels),
        (gan_game.LOSSES, gan_game.loss_labels),
    ],
)  # fmt: skip
def test_every_key_has_a_label_in_its_order(keys, labels):
    assert list(labels()) == list(keys) and all(labels().values())


def test_keys_stay_where_a_catalogue_changes_the_labels(monkeypatch):
    """As in another language: each label is another, and every key still does what it did."""
    import gettext

    from course_utils import language

    class Upper(gettext.NullTranslations):
        def gettext(self, message):
            return message.upper() if "{" not in message else message

    before = {name: for_browser(CASES[name].live().scene) for name in CASES}
    monkeypatch.setattr(language, "_catalogue", Upper())
    for name, case in CASES.items():
        stage = case.live()
        for control in stage.controls:
            assert control["label"] == control["label"].upper()
            for key, _ in control.get("options", ()):
                stage.send_event("change", control["name"], key)
        fresh = for_browser(case.live().scene)
        assert [panel["name"] for panel in fresh["panels"]] == [panel["name"] for panel in before[name]["panels"]]
        titles = [panel["title"] for panel in fresh["panels"]]
        assert titles != [panel["title"] for panel in before[name]["panels"]], name


def test_importing_the_explorers_loads_no_widgets_and_no_plotting():
    modules = ", ".join(f"course_utils.explorers.{name}" for name in sorted(set(explorers.MODULES.values())))
    heavy = {"anywidget", "ipywidgets", "plotly", "scipy", "pandas", "keras", "tensorflow", "jax", "torch"}
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"

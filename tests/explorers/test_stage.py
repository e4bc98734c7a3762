"""The stage without a browser: events in, scenes out, errors as sentences."""

import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import Line, Panel, Scene
from course_utils.explorers.stage import Button, Choice, Slider, Stage

CONTROLS = [
    Slider("rate", "rate", [0.1, 1, 10], 1),
    Choice("kind", "kind", {"a": "first", "b": "second"}, "a"),
    Button("play", "Play", playing_label="Pause"),
]


def stage(respond=None) -> Stage:
    seen = []

    def answer(event):
        seen.append(event)
        panel = Panel("p", (0, 1), (0, 1), [Line([0, 1], [0, event.values["rate"]])])
        return Scene([panel], f"rate {event.values['rate']:g}", playing=event.name == "play" or None)

    made = Stage("A test", CONTROLS, respond or answer)
    made.seen = seen
    return made


def test_it_starts_with_a_scene_of_the_first_values():
    made = stage()
    assert [event.kind for event in made.seen] == ["start"]
    assert made.values == {"rate": 1.0, "kind": "a"} and made.scene.sentence == "rate 1"
    assert made.answer["kind"] == "answer" and made.answer["panels"][0]["name"] == "p"


def test_a_message_of_the_browser_changes_a_value_and_is_answered_by_its_number():
    made = stage()
    made.receive({"kind": "change", "name": "rate", "value": 10, "view": "v", "number": 3})
    assert made.answer["values"] == {"rate": 10.0, "kind": "a"}
    assert (made.answer["view"], made.answer["number"], made.answer["sentence"]) == ("v", 3, "rate 10")


def test_a_slider_takes_the_nearest_of_its_values():
    made = stage()
    made.send_event("change", "rate", 7)
    assert made.values["rate"] == 10


def test_python_gets_the_key_of_a_choice_and_the_browser_shows_its_label():
    made = stage()
    assert made.controls[1]["options"] == [["a", "first"], ["b", "second"]] and made.controls[1]["start"] == "a"
    made.send_event("change", "kind", "b")
    assert made.seen[-1].values["kind"] == "b" and made.answer["values"]["kind"] == "b"


def test_playing_is_kept_until_a_scene_says_otherwise():
    made = stage()
    made.send_event("press", "play")
    assert made.playing
    made.send_event("tick")
    assert made.playing, "None leaves it as it is"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (("change", "speed", 1), "no control 'speed' here; there are rate, kind"),
        (("change", "kind", "c"), "'c' is none of the options of kind: a, b"),
        (("change", "kind", "first"), "'first' is none of the options of kind: a, b"),
        (("press", "stop"), "no button 'stop' here; there are play"),
    ],
)
def test_an_unknown_event_is_refused_and_shown_as_a_sentence(event, message):
    made = stage()
    with pytest.raises(CourseError, match=message):
        made.send_event(*event)
    made.receive(dict(zip(("kind", "name", "value"), event, strict=False)))
    assert made.answer["kind"] == "error" and made.answer["panels"], "the last picture stays"


def test_an_error_of_the_explorer_becomes_a_sentence_and_stops_it_playing():
    def respond(event):
        if event.kind == "tick":
            raise ZeroDivisionError("by zero")
        return Scene([], "fine", playing=True)

    made = stage(respond)
    assert made.playing
    made.receive({"kind": "tick"})
    assert made.answer["sentence"] == "This explorer stopped: ZeroDivisionError: by zero" and not made.playing


def test_an_error_at_the_start_is_the_authors_and_is_raised():
    def respond(event):
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        stage(respond)


def test_what_is_no_scene_is_refused():
    with pytest.raises(TypeError, match="must return a Scene; it returned str"):
        stage(lambda event: "a text")


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (Slider("s", "s", [1], 1), "two or more"),
        (Slider("s", "s", [1, 2], 1, texts=["one"]), "2 values and 1 texts"),
        (Choice("c", "c", {"a": "A"}, "b"), "starts with 'b'"),
        (Choice("c", "c", {"a": "A", "b": "A"}, "b"), "look the same: A, A"),
    ],
)
def test_impossible_controls_are_refused(control, message):
    with pytest.raises(CourseError, match=message):
        Stage("t", [control], lambda event: Scene([], ""))


def test_two_controls_of_one_name_are_refused():
    with pytest.raises(CourseError, match="same name: play, play"):
        Stage("t", [Button("play", "Play"), Button("play", "Stop")], lambda event: Scene([], ""))


def test_without_a_front_end_it_says_how_to_see_it():
    assert repr(stage()) == "A test: run this cell in a live notebook to move the controls."


def test_every_explorer_that_is_promised_is_there():
    for name in explorers.__all__:
        assert callable(getattr(explorers, name)), name

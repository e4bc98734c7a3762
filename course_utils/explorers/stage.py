"""The widget on which explorers play: controls in the browser, a function in Python that answers with a `Scene`.

An explorer is a list of controls and a function ``respond(event) -> Scene``. The browser sends an event when a control
moves, a handle is dragged or the pointer comes over another cell; it waits for the picture before it sends the next, so
a slow machine gets fewer pictures, never a queue of old ones. While a scene is ``playing`` it sends tick after tick.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anywidget
import numpy as np
import traitlets

from course_utils.errors import CourseError
from course_utils.explorers import front_end
from course_utils.explorers.scene import Scene, for_browser
from course_utils.language import say


def words() -> dict[str, str]:
    """All that the widget says by itself; stage.js holds no words, and fills in what stands in braces."""
    return {
        "waiting": say("No answer yet: the kernel is busy, or gone. After a restart run this cell again."),
        "handle": say("{label}: drag it, or move it with the arrow keys (with Shift in small steps)"),
        "latency": say("{milliseconds} ms"),
        "controls": say("Controls"),
    }


@dataclass(frozen=True)
class Slider:
    """A slider over a list of values, in their order. ``texts`` are what is shown for them; by default ``f"{v:g}"``."""

    name: str
    label: str
    values: Sequence[float]
    value: float
    texts: Sequence[str] | None = None

    def described(self) -> dict:
        """The slider as stage.js reads it. Raises CourseError for fewer than two values, or as many texts as not."""
        values = [float(v) for v in self.values]
        texts = [f"{v:.4g}".replace("-", "−") for v in values] if self.texts is None else [str(t) for t in self.texts]
        if len(texts) != len(values) or len(values) < 2:
            raise CourseError(
                say(
                    "The slider {slider} has {values} values and {texts} texts: two or more of each, and as many.",
                    slider=self.name, values=len(values), texts=len(texts),
                )
            )  # fmt: skip
        nearest = int(np.argmin([abs(v - self.value) for v in values]))
        return {
            "kind": "slider",
            "name": self.name,
            "label": self.label,
            "values": values,
            "texts": texts,
            "start": values[nearest],
        }


@dataclass(frozen=True)
class Choice:
    """A choice among options, key → label: the label is what a reader sees, the key what Python gets.

    Keys stay the same in every language; ``value`` is the first one.
    """

    name: str
    label: str
    options: Mapping[str, str]
    value: str

    def described(self) -> dict:
        """The choice as stage.js reads it. Raises CourseError for a first value that is no key, and equal labels."""
        if self.value not in self.options:
            raise CourseError(
                say(
                    "The choice {choice} starts with {value!r}, which is none of its options.",
                    choice=self.name, value=self.value,
                )
            )  # fmt: skip
        if len(set(self.options.values())) < len(self.options):
            raise CourseError(
                say("Two options of the choice {choice} look the same: {labels}.",
                    choice=self.name, labels=", ".join(self.options.values()))
            )  # fmt: skip
        options = [[key, label] for key, label in self.options.items()]
        return {"kind": "choice", "name": self.name, "label": self.label, "options": options, "start": self.value}


@dataclass(frozen=True)
class Button:
    """A button. With ``playing_label`` it shows that text while the scene plays."""

    name: str
    label: str
    playing_label: str | None = None

    def described(self) -> dict:
        """The button as stage.js reads it."""
        return {
            "kind": "button",
            "name": self.name,
            "label": self.label,
            "playing_label": self.playing_label or self.label,
        }


Control = Slider | Choice | Button


@dataclass(frozen=True)
class Event:
    """What happened: ``kind`` is "start", "change", "press", "tick", "drag" or "hover".

    ``values`` holds every slider's value (a float) and every choice's key; ``name`` the control or handle; ``panel``,
    ``x`` and ``y`` where the pointer is, in the panel's own units (drag and hover).
    """

    kind: str
    values: dict
    name: str = ""
    panel: str = ""
    x: float = 0.0
    y: float = 0.0


Respond = Callable[[Event], Scene]


class Stage(anywidget.AnyWidget):
    """Controls, panels and a sentence. ``scene`` is the `Scene` on the screen, ``values`` the controls' values.

    `send_event` does from Python what the browser does, `receive` takes a message of the browser. An error in
    ``respond`` becomes a sentence; the last picture stays.
    """

    _esm = front_end("common.js", "stage.js")
    _css = front_end("stage.css")

    words = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List(traitlets.Dict()).tag(sync=True)
    # The answer to an event, which `view` and `number` name: {…, kind, sentence, values, playing, panels}.
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, title: str, controls: Sequence[Control], respond: Respond) -> None:
        described = [control.described() for control in controls]
        names = [control["name"] for control in described]
        if len(set(names)) < len(names):
            raise CourseError(say("Two controls have the same name: {names}.", names=", ".join(names)))
        self._respond = respond
        self._choices = {
            c["name"]: c["values"] if c["kind"] == "slider" else [key for key, _ in c["options"]]
            for c in described
            if "start" in c
        }
        self._buttons = {c["name"] for c in described if c["kind"] == "button"}
        self.values: dict = {c["name"]: c["start"] for c in described if "start" in c}
        self.scene: Scene | None = None
        self.playing = False
        super().__init__(title=title, controls=described, words=words())
        self.receive({"kind": "start"})
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    def send_event(
        self, kind: str, name: str = "", value: object = None, *, panel: str = "", x: float = 0.0, y: float = 0.0
    ) -> Scene:
        """Do what the browser does, and return the `Scene` that came of it; errors are raised, not shown."""
        content = {"kind": kind, "name": name, "panel": panel, "x": x, "y": y}
        if kind == "change":
            content["value"] = value
        self.receive(content, show_errors=False)
        return self.scene

    def receive(self, content: dict, *, show_errors: bool = True) -> None:
        """Answer a message of the browser: ``kind``, and as it needs ``name``, ``value``, ``panel``, ``x``, ``y``.

        ``view`` and ``number`` go back with the `answer`. With ``show_errors`` False what goes wrong is raised.
        """
        kind = content["kind"]
        problem = ""
        try:
            self.scene = self._scene(kind, content)
            if self.scene.playing is not None:
                self.playing = bool(self.scene.playing)
        except Exception as error:
            # In a widget a traceback would vanish in a log, so whatever went wrong becomes a sentence.
            if not show_errors or (kind == "start" and not isinstance(error, CourseError)):
                raise
            known = isinstance(error, CourseError)
            problem = (
                str(error)
                if known
                else say("This explorer stopped: {kind}: {error}", kind=type(error).__name__, error=str(error)[:200])
            )
            self.playing = False
        # The panels are drawn even when they are the old ones: a view may have missed them.
        drawn = for_browser(self.scene) if self.scene is not None else {"panels": [], "sentence": "", "warning": False}
        self.answer = {
            "view": content.get("view", ""),
            "number": content.get("number", 0),
            "kind": "error" if problem else "warning" if drawn["warning"] else "answer",
            "sentence": problem or drawn["sentence"],
            "values": dict(self.values),
            "playing": self.playing,
            "panels": drawn["panels"],
        }

    def _scene(self, kind: str, content: dict) -> Scene:
        name = content.get("name", "")
        if kind == "change":
            self._set(name, content["value"])
        elif kind == "press" and name not in self._buttons:
            raise CourseError(
                say("There is no button {name!r} here; there are {names}.", name=name,
                    names=", ".join(sorted(self._buttons)) or "–")
            )  # fmt: skip
        place = {axis: float(content.get(axis, 0.0)) for axis in ("x", "y")}
        with np.errstate(
            all="ignore"
        ):  # extremes are what an explorer is for; what comes of them is checked, not warned of
            scene = self._respond(Event(kind, dict(self.values), name, content.get("panel", ""), **place))
        if not isinstance(scene, Scene):
            raise TypeError(say("respond must return a Scene; it returned {kind}", kind=type(scene).__name__))
        return scene

    def _set(self, name: str, value: object) -> None:
        if name not in self._choices:
            names = ", ".join(self._choices)
            raise CourseError(say("There is no control {name!r} here; there are {names}.", name=name, names=names))
        allowed = self._choices[name]
        if isinstance(self.values[name], float):
            value = min(allowed, key=lambda one: abs(one - float(value)))
        elif value not in allowed:
            raise CourseError(
                say("{value!r} is none of the options of {name}: {options}.", value=value, name=name,
                    options=", ".join(allowed))
            )  # fmt: skip
        self.values[name] = value

    def __repr__(self) -> str:
        return say("{title}: run this cell in a live notebook to move the controls.", title=self.title)

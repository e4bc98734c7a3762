"""The widget on which explorers play: controls in the browser, a function in Python that answers with a `Scene`.

An explorer is a list of controls and a function ``respond(event) -> Scene``. The browser sends an event when a control
moves, a handle is dragged or the pointer comes over another cell; it waits for the picture before it sends the next, so
a slow machine gets fewer pictures, never a queue of old ones. While a scene is ``playing`` it sends tick after tick.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anywidget
import numpy as np
import traitlets

from course_utils.errors import CourseError
from course_utils.explorers import front_end
from course_utils.explorers.scene import Scene, for_browser

# All that the widget says by itself. stage.js holds no words.
WORDS = {
    "waiting": "No answer yet: the kernel is busy, or gone. After a restart run this cell again.",
    "handle": "{label}: drag it, or move it with the arrow keys (with Shift in small steps)",
    "latency": "{milliseconds} ms",
    "controls": "Controls",
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
        values = [float(v) for v in self.values]
        texts = [f"{v:.4g}".replace("-", "−") for v in values] if self.texts is None else [str(t) for t in self.texts]
        if len(texts) != len(values) or len(values) < 2:
            raise CourseError(
                f"The slider {self.name} has {len(values)} values and {len(texts)} texts: two or more of each."
            )
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
    """A choice among named options; its value is the option's text."""

    name: str
    label: str
    options: Sequence[str]
    value: str

    def described(self) -> dict:
        if self.value not in self.options:
            raise CourseError(f"The choice {self.name} starts with {self.value!r}, which is none of its options.")
        return {
            "kind": "choice", "name": self.name, "label": self.label, "options": list(self.options),
            "start": self.value,
        }  # fmt: skip


@dataclass(frozen=True)
class Button:
    """A button. With ``playing_label`` it shows that text while the scene plays."""

    name: str
    label: str
    playing_label: str | None = None

    def described(self) -> dict:
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

    ``values`` holds every slider's and choice's value; ``name`` the control or handle; ``panel``, ``x`` and ``y`` where
    the pointer is, in the panel's own units (drag and hover).
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

    ``send_event(kind, name, …)`` does from Python what the browser does. An error in ``respond`` becomes a sentence;
    the last picture stays.
    """

    _esm = front_end("common.js", "stage.js")
    _css = front_end("stage.css")

    words = traitlets.Dict(WORDS).tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List(traitlets.Dict()).tag(sync=True)
    # The answer to an event, which `view` and `number` name: {…, kind, sentence, values, playing, panels}.
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, title: str, controls: Sequence[Control], respond: Respond) -> None:
        described = [control.described() for control in controls]
        names = [control["name"] for control in described]
        if len(set(names)) < len(names):
            raise CourseError(f"Two controls have the same name: {', '.join(names)}.")
        self._respond = respond
        self._choices = {
            c["name"]: c["values"] if c["kind"] == "slider" else c["options"] for c in described if "start" in c
        }
        self._buttons = {c["name"] for c in described if c["kind"] == "button"}
        self.values: dict = {c["name"]: c["start"] for c in described if "start" in c}
        self.scene: Scene | None = None
        self.playing = False
        super().__init__(title=title, controls=described)
        self._handle({"kind": "start"})
        self.on_msg(lambda _widget, content, _buffers: self._handle(content))

    def send_event(
        self, kind: str, name: str = "", value: object = None, *, panel: str = "", x: float = 0.0, y: float = 0.0
    ):
        """Do what the browser does, and return the `Scene` that came of it; errors are raised, not shown."""
        content = {"kind": kind, "name": name, "panel": panel, "x": x, "y": y}
        if kind == "change":
            content["value"] = value
        self._handle(content, show_errors=False)
        return self.scene

    def _handle(self, content: dict, show_errors: bool = True) -> None:
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
            problem = str(error) if known else f"This explorer stopped: {type(error).__name__}: {str(error)[:200]}"
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
                f"There is no button {name!r} here; there are {', '.join(sorted(self._buttons)) or 'none'}."
            )
        place = {axis: float(content.get(axis, 0.0)) for axis in ("x", "y")}
        with np.errstate(
            all="ignore"
        ):  # extremes are what an explorer is for; what comes of them is checked, not warned of
            scene = self._respond(Event(kind, dict(self.values), name, content.get("panel", ""), **place))
        if not isinstance(scene, Scene):
            raise TypeError(f"respond must return a Scene; it returned {type(scene).__name__}")
        return scene

    def _set(self, name: str, value: object) -> None:
        if name not in self._choices:
            raise CourseError(f"There is no control {name!r} here; there are {', '.join(self._choices)}.")
        allowed = self._choices[name]
        if isinstance(self.values[name], float):
            value = min(allowed, key=lambda one: abs(one - float(value)))
        elif value not in allowed:
            raise CourseError(f"{value!r} is none of the options of {name}: {', '.join(allowed)}.")
        self.values[name] = value

    def __repr__(self) -> str:
        return f"{self.title}: run this cell in a live notebook to move the controls."

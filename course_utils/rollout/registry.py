"""The registry: a folder with every version of a model, and the log that says which of them answers.

``versions/<version>/`` are bundles, copied in whole and never changed; ``log.jsonl`` is what was done, and the only
truth: the champion, the challenger and what is done with it are derived from it, never kept beside it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from course_utils import bundles, paths
from course_utils.bundles import decoder, files, signature
from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.rollout.log import Log
from course_utils.serving.answers import version_of

Mode = Literal["shadow", "canary"] | None
_SHORTEST = 4  # digits that a version may be named by


@dataclass(frozen=True)
class State:
    """Who answers: the versions of ``champion`` and ``challenger`` (None: there is none).

    ``mode`` is what the challenger does, ``share`` how much of the requests it answers (0 in shadow). ``auto``: a test
    that decides for it promotes it. ``test`` has the settings of the test: alpha, and margin or ratio. ``since`` is the
    number of the log's line by which the challenger came, or its share was last changed; ``stages`` has the lines that
    belong to one trial, each with its share: a canary that grows is tried by one test.
    """

    champion: str | None = None
    challenger: str | None = None
    mode: Mode = None
    share: float = 0.0
    auto: bool = False
    test: dict[str, float] = field(default_factory=dict)
    since: int = 0
    stages: tuple[tuple[int, float], ...] = ()
    past: tuple[str, ...] = field(default=(), repr=False)  # champions before, the last one at the end
    versions: tuple[str, ...] = field(default=(), repr=False)

    @property
    def alone(self) -> "State":
        """The same without a challenger."""
        return State(champion=self.champion, past=self.past, versions=self.versions)

    def after(self, event: dict[str, Any]) -> "State":
        """The state after one more event of the log."""
        name, version = event["event"], event.get("version")
        if name == "add":
            return replace(self, versions=tuple(dict.fromkeys([*self.versions, version])))
        if name in ("shadow", "canary"):
            share = event.get("share", 0.0)
            goes_on = (self.challenger, self.mode, self.test) == (version, name, event["test"])
            return replace(
                self,
                challenger=version,
                mode=name,
                share=share,
                auto=event["auto"],
                test=event["test"],
                since=event["n"],
                stages=(*(self.stages if goes_on else ()), (event["n"], share)),
            )
        if name == "promote":
            past = self.past if self.champion is None else (*self.past, self.champion)
            return replace(self.alone, champion=version, past=past)
        if name == "rollback":
            return replace(self.alone, champion=version, past=self.past[:-1])
        return self.alone if name == "stop" else self


def state_after(events: Iterable[dict[str, Any]]) -> State:
    """The state that a log's events lead to."""
    state = State()
    for event in events:
        state = state.after(event)
    return state


class Registry:
    """The registry in ``folder``, which the first `add` makes.

    With the public ``key`` (a file) only bundles are taken, and given out, that its private counterpart has signed. A
    version may be named by its first digits, four or more. Every method raises CourseError for what cannot be meant and
    for a disk that takes nothing; then nothing has changed. Several processes may use one registry.
    """

    def __init__(self, folder: Path | str, key: Path | str | None = None) -> None:
        self.folder = Path(folder).expanduser()
        self.key = None if key is None else Path(key).expanduser()
        self.log = Log(self.folder / "log.jsonl")

    @classmethod
    def is_one(cls, folder: Path | str) -> bool:
        """Whether a folder is a registry."""
        return (Path(folder).expanduser() / "log.jsonl").is_file()

    @property
    def state(self) -> State:
        """Who answers now."""
        return state_after(self.log.read())

    @property
    def head(self) -> str:
        """The hash of the log's last line; kept elsewhere, it is what `verify` can hold the log against."""
        return self.log.head

    def verify(self, head: str) -> int:
        """Check that the log still holds the line whose hash is ``head``, and return how many lines came after it.

        Raises CourseError where it does not: lines were taken off its end, or it was written anew.
        """
        return self.log.verify(head)

    def history(self) -> list[dict[str, Any]]:
        """What was done, in its order: time (UTC), event, version, why, evidence, and what else the event has."""
        left_out = ("n", "before", "sha256")
        return [
            {"time": event["time"], "event": event["event"], "version": None, "why": "", "evidence": None}
            | {key: value for key, value in event.items() if key not in left_out}
            for event in self.log.read()
        ]

    def folder_of(self, version: str) -> Path:
        """The bundle of a version; raises CourseError where it is not the one that was added."""
        version = self._known(version, self.state)
        folder = self._place(version)
        self._check(folder, version)
        return folder

    def add(self, bundle: Path | str, note: str = "") -> str:
        """Copy a bundle in and return its version; one that is there already stays, or is mended.

        Raises CourseError for a folder that is no bundle, is not whole, or is not signed as the key wants it.
        """
        bundle = Path(bundle).expanduser()
        version = self._check(bundle)
        if self.folder.is_dir() and not self.is_one(self.folder) and self._others():
            raise CourseError(
                say(
                    "{folder} holds other files and is no registry; give a new folder.",
                    folder=paths.display(self.folder),
                )
            )
        with self.log.lock():
            known = version in self.state.versions
            if known and self._is_whole(version):
                return version
            try:
                self._copy(bundle, version)
            except OSError as error:
                raise self.log.not_written(error) from error
            if not known:
                self.log.append("add", version=version, why=note)
        return version

    def shadow(
        self, version: str, *, alpha: float = 0.01, margin: float = 0.0, auto: bool = False, why: str = ""
    ) -> None:
        """Let a version answer each request as well, for comparison only.

        ``alpha`` and ``margin`` are those of `sequential.Paired`; with ``auto`` the test may promote.
        """
        from course_utils.rollout.sequential import Paired

        Paired(alpha, margin)
        self._challenge("shadow", version, {"alpha": alpha, "margin": margin}, auto=auto, why=why)

    def canary(
        self,
        version: str,
        share: float = 0.1,
        *,
        alpha: float = 0.01,
        ratio: float = 1.0,
        auto: bool = False,
        why: str = "",
    ) -> None:
        """Let a version answer a ``share`` of the requests; ``alpha`` and ``ratio`` are `sequential.Canary`'s.

        Called again for the same challenger with another share, and the same ``alpha`` and ``ratio``, it lets the
        canary grow: the test goes on with what it knows.
        """
        from course_utils.rollout.sequential import Canary

        Canary(alpha, share, ratio)
        self._challenge("canary", version, {"alpha": alpha, "ratio": ratio}, share=share, auto=auto, why=why)

    def stop(self, why: str = "", *, evidence: dict[str, Any] | None = None, since: int | None = None) -> str:
        """End the challenger's time, and return its version.

        With ``since`` (`State.since`) only the challenger that came by that line is stopped.
        """
        with self.log.lock():
            state = self._state()
            if state.challenger is None or since not in (None, state.since):
                raise CourseError(say("There is no challenger to stop."))
            self.log.append("stop", version=state.challenger, why=why, evidence=evidence)
            return state.challenger

    def promote(
        self, version: str, why: str = "", *, evidence: dict[str, Any] | None = None, since: int | None = None
    ) -> str:
        """Make a version the champion, and return it; a challenger's time is over then, whoever it was.

        With ``since`` (`State.since`) only while the challenger is the one that came by that line.
        """
        with self.log.lock():
            state = self._state()
            version = self._known(version, state)
            if version == state.champion:
                raise CourseError(say("{version} is the champion already.", version=version))
            if since not in (None, state.since):
                raise CourseError(say("{version} is not the challenger any more.", version=version))
            self._check(self._place(version), version)
            self.log.append("promote", version=version, why=why, evidence=evidence)
            return version

    def rollback(self, why: str = "") -> str:
        """Make the champion before the champion again, and return it; a challenger's time is over then."""
        with self.log.lock():
            state = self._state()
            if not state.past:
                raise CourseError(say("There is no champion before this one to go back to."))
            version = state.past[-1]
            self._check(self._place(version), version)
            self.log.append("rollback", version=version, why=why, evidence=None)
            return version

    def _challenge(self, mode: str, version: str, test: dict[str, float], *, auto: bool, why: str, **more: Any) -> None:
        with self.log.lock():
            state = self._state()
            version = self._known(version, state)
            if state.champion is None:
                raise CourseError(say("There is no champion to compare {version} with; promote one.", version=version))
            if version == state.champion:
                raise CourseError(say("{version} is the champion; a challenger is another version.", version=version))
            if state.challenger not in (None, version):
                raise CourseError(
                    say("{other} is the challenger now; stop or promote it first.", other=state.challenger)
                )
            self._check(self._place(version), version)
            self.log.append(mode, version=version, why=why, auto=bool(auto), test=test, **more)

    def _state(self) -> State:
        """The state, of a registry that there is."""
        state = self.state
        if not state.versions:
            raise CourseError(
                say(
                    "The registry {folder} has no version yet; add one: course registry {folder} add BUNDLE",
                    folder=paths.display(self.folder),
                )
            )
        return state

    def _known(self, version: str, state: State) -> str:
        found = [one for one in state.versions if one.startswith(version) and len(version) >= _SHORTEST]
        if len(found) != 1:
            raise CourseError(
                say("The registry has no version {version}.", version=version)
                + near_misses(version, list(state.versions))
            )
        return found[0]

    def _place(self, version: str) -> Path:
        return self.folder / "versions" / version

    def _check(self, bundle: Path, version: str | None = None) -> str:
        """The version of a bundle that is whole and signed as wanted; CourseError for another one."""
        if self.key is not None:
            bundles.check_signature(bundle, self.key)
        card = bundles.read_card(bundle)
        decoder.must_have_classes(card["kind"])
        files.verify(bundle, card)
        found = version_of(card)
        if version not in (None, found):
            raise CourseError(
                say(
                    "{folder} holds another model than the one that was added; add the right one again.",
                    folder=paths.display(bundle),
                )
            )
        return found

    def _is_whole(self, version: str) -> bool:
        try:
            return bool(self._check(self._place(version), version))
        except CourseError:
            return False

    def _others(self) -> bool:
        """Whether the folder holds what a registry does not; a torn beginning is none."""
        return any(file.name not in ("versions", f".{self.log.file.name}.lock") for file in self.folder.iterdir())

    def _copy(self, bundle: Path, version: str) -> None:
        """Copy what the card names, check the copy, give it its name; no half bundle ever has it."""
        place = self._place(version)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".adding."))
        try:
            for name in (files.CARD, *bundles.read_card(bundle)["files"], signature.SIGNATURE):
                if name != signature.SIGNATURE or (bundle / name).is_file():
                    shutil.copyfile(bundle / name, beside / name)
            self._check(beside, version)
            for file in beside.iterdir():
                _settle(file)
            _settle(beside)
            beside.chmod(0o755)
            files.replace_folder(beside, place)
            _settle(place.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _settle(path: Path) -> None:
    """Have the system put a file, or a folder's names, on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such call for folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

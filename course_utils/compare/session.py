"""Candidates trained and judged one after another, and what an earlier run kept taken as it is."""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course_utils import bundles, paths, runtime
from course_utils.compare import candidates, findings, jobs
from course_utils.compare.candidates import Candidate
from course_utils.compare.comparison import SCHEMA, Outcome
from course_utils.compare.display import Display
from course_utils.compare.folder import writing
from course_utils.compare.split import Part, Split, fingerprint
from course_utils.data import fetch
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.recipes import encoder_source

LEAST = 200  # messages that a candidate learns from, however long they are
LIMIT_SECONDS = {"quick": 1_800, "full": 6 * 3600}  # for each candidate, training and judging each


class Session:
    """Trains and judges candidates, or finds what an earlier run kept."""

    def __init__(
        self,
        compared: Split,
        folder: Path,
        profile: str,
        seed: int,
        display: Display,
        *,
        named: bool,
        encoder: str | None = None,
    ) -> None:
        self.compared, self.folder, self.profile, self.seed = compared, folder, profile, seed
        self.display = display
        self.named = named or encoder is not None  # whoever names an encoder means that it be tried
        self.encoder = encoder or candidates.ENCODER
        self.cost = candidates.cost_of(self.encoder)

    @functools.cached_property
    def _identity(self) -> dict[str, Any]:
        """The encoder with its files' hashes, of which one takes seconds: asked for once."""
        return encoder_source.identity(self.encoder)

    def outcome(self, candidate: Candidate) -> Outcome:
        """What became of the candidate; what is skipped or fails is tried again by the next run."""
        settings = candidate.settings[self.profile]
        key = fingerprint(
            {
                "schema": [SCHEMA, bundles.SCHEMA],
                "data": self.compared.fingerprint,
                "candidate": candidate.name,
                "settings": settings,
                "seed": self.seed,
                "versions": bundles.versions(),
                "backend": jobs.backend() if candidate.framework else None,
                "encoder": self._identity if candidate.encoder else None,
            }
        )
        kept = self._kept(candidate, key)
        if kept is not None:
            return Outcome(candidate, "done", kept, kept=True)
        reason = self._obstacle(candidate)
        if reason:
            return Outcome(candidate, "skipped", reason=reason)
        try:
            result = self._measure(candidate, settings)
        except jobs.Failed as failed:
            return Outcome(candidate, "failed", reason=str(failed))
        record = {"schema": SCHEMA, "candidate": candidate.name, "fingerprint": key, "settings": settings, **result}
        with writing(self.folder):
            paths.write_atomic(self._record(candidate), json.dumps(record, indent=1) + "\n")
        return Outcome(candidate, "done", record)

    def _record(self, candidate: Candidate) -> Path:
        return self.folder / "candidates" / f"{candidate.name}.json"

    def _model(self, candidate: Candidate) -> Path:
        return self.folder / "candidates" / candidate.name

    def _kept(self, candidate: Candidate, key: str) -> dict[str, Any] | None:
        try:
            record = json.loads(self._record(candidate).read_text("utf-8"))
            right = record["fingerprint"] == key
            bundles.read_card(self._model(candidate))
        except (OSError, ValueError, KeyError, TypeError, CourseError):
            return None
        return record if right else None

    def _obstacle(self, candidate: Candidate) -> str | None:
        """Why the candidate cannot or should not be run here."""
        if candidate.encoder:
            problem = findings.language_problem(self.compared)
            if problem and not self.named:
                return say(
                    "{problem} For another, say --encoder and a folder with a BERT for your language, or a preset of "
                    "keras_hub (bert_base_zh, bert_base_multi); to try it all the same: --only {name}",
                    problem=problem,
                    name=candidate.name,
                )
            if encoder_source.in_registry(self.encoder):
                self.display.detail(say("fetching the encoder"))
                try:
                    fetch.fetch(self.encoder, self.display.shown)
                except CourseError as error:
                    return say("The encoder cannot be had. {why}", why=str(error))
        free = runtime.free_memory()
        needed = candidate.memory * (max(1.0, self.cost / 3) if candidate.encoder else 1.0)
        if free < needed:
            return say(
                "It needs about {needed:.1f} GiB of free memory, and {free:.1f} GiB are free. Close other programs, or "
                "use a machine with more.",
                needed=needed / 2**30,
                free=free / 2**30,
            )
        return None

    def _measure(self, candidate: Candidate, settings: dict[str, Any]) -> dict[str, Any]:
        outside = self.compared.outside
        splits, most = [], self._most(candidate, settings)
        for fold, held in enumerate(self.compared.folds):
            rows = self.compared.learnt_from(fold)
            splits.append((rows[candidates.sample(outside.labels[rows], most, self.seed)].tolist(), held.tolist()))
        final = candidates.sample(outside.labels, most, self.seed).tolist()
        if len(splits) == 1 and len(final) <= len(splits[0][0]):
            final = splits[0][0]  # as many as it learns from in any case: what was chosen is what is saved
        folder = self._model(candidate)
        trained = self._trained(candidate, folder, outside, splits, final)
        judged = self._done({**self._job(candidate, folder), "phase": "judge", "texts": self.compared.test.texts})
        trained["train_memory_mib"] = trained.pop("memory_mib")
        judged.pop("memory_mib")
        return {**trained, **judged, "left_out": len(outside) - trained["trained_on"]}

    def _trained(
        self,
        candidate: Candidate,
        folder: Path,
        part: Part,
        splits: list[tuple[list[int], list[int]]],
        final: list[int],
    ) -> dict[str, Any]:
        """What training brought; each split in a process of its own where what one leaves behind would add up."""
        if not candidate.apart or len(splits) < 2:
            return self._done(self._training(candidate, folder, part, splits, final))
        jobs_of = [
            {**self._training(candidate, folder, part, [split], None), "first": number, "of": len(splits)}
            for number, split in enumerate(splits, 1)
        ]
        done = [self._done(job) for job in jobs_of]
        whole = self._done(self._training(candidate, folder, part, [], final))
        validation = [fold for one in done for fold in one["validation"]]
        return {**whole, "validation": validation, "memory_mib": _most(one["memory_mib"] for one in [*done, whole])}

    def refitted(self, candidate: Candidate) -> Path:
        """The candidate trained once more, on the test messages too, as its folder: what is shipped is then unmeasured.

        Raises CourseError where it fails.
        """
        whole, settings = self.compared.all(), candidate.settings[self.profile]
        folder = self.folder / "candidates" / f"{candidate.name}-all"
        final = candidates.sample(whole.labels, self._most(candidate, settings), self.seed).tolist()
        try:
            self._done(self._training(candidate, folder, whole, [], final))
        except jobs.Failed as failed:
            raise CourseError(
                say(
                    "The recommended model could not be trained on all labels: {why} The one that was measured is had "
                    "without --refit all.",
                    why=str(failed),
                )
            ) from failed
        return folder

    def _job(self, candidate: Candidate, folder: Path) -> dict[str, Any]:
        """What every job of a candidate says."""
        return {"candidate": candidate.name, "folder": str(folder.resolve()), "seed": self.seed}

    def _training(
        self,
        candidate: Candidate,
        folder: Path,
        part: Part,
        splits: list[tuple[list[int], list[int]]],
        final: list[int] | None,
    ) -> dict[str, Any]:
        """The job of training a candidate on messages (see `course_utils.compare.worker.train`)."""
        return {
            **self._job(candidate, folder),
            "phase": "train",
            "texts": part.texts,
            "labels": part.labels.tolist(),
            "splits": splits,
            "final": final,
            "class_names": self.compared.class_names,
            "language": self.compared.language,
            "settings": candidate.settings[self.profile],
            "encoder": self.encoder,
        }

    def _most(self, candidate: Candidate, settings: dict[str, Any]) -> int | None:
        """How many messages the candidate learns from: with an encoder, fewer of long ones, and of a large one."""
        most = settings.get("most")
        if most is None or not candidate.encoder:
            return most
        windows = candidates.windows_of(self.compared.outside.texts, settings["length"])
        return max(LEAST, round(most / windows / self.cost))

    def _done(self, job: dict[str, Any]) -> dict[str, Any]:
        return jobs.run(job, limit=LIMIT_SECONDS[self.profile], tell=self.display.detail)


def _most(values: Iterable[float | None]) -> float | None:
    """The largest of what is known."""
    return max((value for value in values if value is not None), default=None)

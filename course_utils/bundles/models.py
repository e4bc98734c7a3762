"""What every model of a bundle has, and the two that are no networks: always the same answer, and TF-IDF.

No file of a model is a pickle: arrays are ``.npz``, words JSON, networks ONNX (`course_utils.bundles.networks`). Every
model has ``class_names`` and ``predict_proba(examples) -> float (n, classes)``.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.recipes.encoder import softmax

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

_VECTORIZER = ("analyzer", "ngram_range", "sublinear_tf", "lowercase", "norm", "smooth_idf", "token_pattern")


def linear_head(fitted: "LogisticRegression", classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A logistic regression as (coefficients (d, classes), intercepts (classes,)); a class it never saw gets none."""
    coefficients, intercepts = fitted.coef_.T, fitted.intercept_
    if coefficients.shape[1] == 1:  # two classes: scikit-learn keeps the second's logit, the first's is 0
        coefficients = np.hstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.array([0.0, intercepts[0]])
    weights = np.zeros((len(coefficients), classes), np.float32)
    offsets = np.full(classes, -np.inf, np.float32)
    weights[:, fitted.classes_], offsets[fitted.classes_] = coefficients, intercepts
    return weights, offsets


def decision_of(model: Any) -> tuple[float, dict[int, float]]:
    """A model's threshold and its limits, by the number of the class, as `to_person` takes them.

    A model of somebody else's may have neither: then nobody is asked.
    """
    limits = getattr(model, "limits", None) or {}
    names = list(model.class_names)
    return float(getattr(model, "threshold", None) or 0.0), {names.index(name): float(x) for name, x in limits.items()}


def to_person(shares: np.ndarray, threshold: float, limits: Mapping[int, float]) -> np.ndarray:
    """Which messages people read, bool (n,), of probabilities float (n, classes).

    Those where the largest is below ``threshold``, and those where a class reaches its limit; ``limits`` has the number
    of each class that must not be missed.
    """
    person = shares.max(axis=1) < threshold
    for number, limit in limits.items():
        person |= shares[:, number] >= limit
    return person


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """What every model has; ``language`` is "en" or "zh" and says how its texts are cut into words.

    ``threshold`` and ``limits`` are what was decided about it: below which probability, and from which probability of a
    class on, a person should read a message.
    """

    kind: ClassVar[str] = ""
    files: ClassVar[tuple[str, ...]] = ()  # without those of a network
    inputs: ClassVar[str] = "texts"  # or "images"
    class_names: tuple[str, ...]
    language: str = "en"
    threshold: float = 0.0
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → probabilities (n, classes), in the order of ``class_names``."""
        if isinstance(texts, str):
            raise CourseError(say('predict_proba wants a list of texts; for a single one write ["…"].'))
        texts = list(texts)
        wrong = next((one for one in texts if not isinstance(one, str)), None)
        if wrong is not None:
            raise CourseError(
                say(
                    "predict_proba wants texts; it got {kind} {value:.60}.",
                    kind=type(wrong).__name__,
                    value=repr(wrong),
                )
            )
        return self._probabilities(texts) if texts else np.zeros((0, len(self.class_names)))

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Texts → the name of the likeliest class of each."""
        return [self.class_names[k] for k in self.predict_proba(texts).argmax(axis=1)]

    def decide(self, texts: Sequence[str]) -> list[str | None]:
        """Texts → the class of each that the model answers alone, None for each that a person should read."""
        shares = self.predict_proba(texts)
        person = to_person(shares, *decision_of(self))
        return [None if ask else self.class_names[k] for ask, k in zip(person, shares.argmax(axis=1), strict=True)]

    def cut(self, texts: Sequence[str]) -> int:
        """How many texts have an end that the model does not read."""
        return 0

    def settings(self) -> dict[str, Any]:
        """What ``model.json`` says beside the files."""
        return {}

    def all_files(self) -> tuple[str, ...]:
        """The files that `write` writes."""
        return self.files

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        raise NotImplementedError

    def write(self, folder: Path) -> None:
        """Write the model's ``files`` into a folder."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Majority(Model):
    """Always the same answer: the share of each class in training."""

    kind: ClassVar[str] = "majority"
    files: ClassVar[tuple[str, ...]] = ("shares.json",)
    shares: np.ndarray

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        return np.tile(self.shares, (len(texts), 1))

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        (folder / "shares.json").write_text(json.dumps(self.shares.tolist()), "utf-8")

    @classmethod
    def read(cls, folder: Path, card: dict) -> "Majority":
        """The model in a folder whose hashes were found right."""
        return cls(shares=np.array(json.loads((folder / "shares.json").read_text("utf-8"))), **from_card(card))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Tfidf(Model):
    """TF-IDF with logistic regression, rebuilt from its vocabularies, weights and coefficients."""

    kind: ClassVar[str] = "tfidf"
    files: ClassVar[tuple[str, ...]] = ("vocabulary.json", "weights.npz")
    vectorizers: tuple
    weights: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, fitted: "Pipeline", class_names: tuple[str, ...], language: str) -> "Tfidf":
        """From the fitted pipeline of ``recipes.text.tfidf``."""
        features = fitted[0]
        union = getattr(features, "transformer_list", None)
        vectorizers = tuple(one for _, one in union) if union else (features,)
        weights, offsets = linear_head(fitted[-1], len(class_names))
        return cls(
            class_names=class_names,
            language=language,
            vectorizers=vectorizers,
            weights=weights.astype(np.float64),  # as the features are: else every message would convert all of them
            offsets=offsets,
        )

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        from scipy.sparse import hstack

        features = hstack([one.transform(texts) for one in self.vectorizers], format="csr")
        return softmax(features @ self.weights + self.offsets)

    def settings(self) -> dict[str, Any]:
        """How each vectorizer cuts a text."""
        options = [{name: one.get_params()[name] for name in _VECTORIZER} for one in self.vectorizers]
        return {"vectorizers": [{**each, "ngram_range": list(each["ngram_range"])} for each in options]}

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        words = [sorted(one.vocabulary_, key=one.vocabulary_.get) for one in self.vectorizers]
        (folder / "vocabulary.json").write_text(json.dumps(words, separators=(",", ":")), "utf-8")
        idf = {f"idf_{k}": one.idf_.astype(np.float32) for k, one in enumerate(self.vectorizers)}
        np.savez(folder / "weights.npz", weights=self.weights.astype(np.float32), offsets=self.offsets, **idf)

    @classmethod
    def read(cls, folder: Path, card: dict) -> "Tfidf":
        """The model in a folder whose hashes were found right."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = json.loads((folder / "vocabulary.json").read_text("utf-8"))
        arrays = read_arrays(folder / "weights.npz")
        made = []
        for k, (options, known) in enumerate(zip(card["settings"]["vectorizers"], words, strict=True)):
            options = {name: options[name] for name in _VECTORIZER}
            options["ngram_range"] = tuple(options["ngram_range"])
            one = TfidfVectorizer(vocabulary={word: n for n, word in enumerate(known)}, **options)
            one.idf_ = arrays[f"idf_{k}"].astype(np.float64)
            made.append(one)
        weights = arrays["weights"].astype(np.float64)
        return cls(vectorizers=tuple(made), weights=weights, offsets=arrays["offsets"], **from_card(card))


def from_card(card: dict[str, Any]) -> dict[str, Any]:
    """What a card says of every model, as its fields."""
    decided = card.get("decision") or {}
    return {
        "class_names": tuple(card["class_names"]),
        "language": card["language"],
        "threshold": float(decided.get("threshold", 0.0)),
        "limits": {str(name): float(limit) for name, limit in decided.get("limits", {}).items()},
    }


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a ``.npz`` file; pickles are none."""
    with np.load(path, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}

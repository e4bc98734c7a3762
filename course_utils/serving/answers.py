"""From a model's probabilities to what a client is told."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.bundles.models import decision_of, to_person


def version_of(card: Mapping[str, Any]) -> str:
    """Twelve digits of the hash of a card, which has the hashes of the bundle's files: another model has others.

    What it is called does not count: a bundle is the same one in another folder.
    """
    said = {key: value for key, value in card.items() if key != "name"}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


class Answering:
    """A model's classes and what was decided about it: which answers a person should give."""

    def __init__(self, model: Any) -> None:
        self.names = [str(name) for name in model.class_names]
        self.threshold, self.limits = decision_of(model)

    def labels(self, shares: np.ndarray) -> list[str | None]:
        """Probabilities float (n, classes) → the label of each item; None: a person should read it."""
        person = to_person(shares, self.threshold, self.limits).tolist()
        best = shares.argmax(axis=1).tolist()
        return [None if ask else self.names[k] for ask, k in zip(person, best, strict=True)]

    def answers(self, shares: np.ndarray) -> list[dict[str, Any]]:
        """Probabilities float (n, classes) → an answer for each item."""
        return [
            {"label": label, "person": label is None, "probabilities": dict(zip(self.names, row, strict=True))}
            for label, row in zip(self.labels(shares), shares.tolist(), strict=True)
        ]

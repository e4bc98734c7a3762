"""Made messages and images, right models for them, and models that are wrong in one way each."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.serving.gate import Data

CLASSES = ("billing", "bug", "account", "security")
WORDS = {
    "billing": ["invoice", "refund", "charged", "payment", "receipt", "discount", "price", "money"],
    "bug": ["crash", "broken", "freezes", "blank", "button", "screen", "exception", "update"],
    "account": ["password", "login", "profile", "invite", "locked", "owner", "access", "délégué"],
    "security": ["hacked", "phishing", "stolen", "breach", "attack", "virus", "leak", "fraud"],
}
FILLER = [
    "please",
    "since",
    "monday",
    "our",
    "with",
    "after",
    "again",
    "today",
    "colleague",
    "always",
    "thanks",
    "café",
]
_WORD = re.compile(r"\w+")
SUMS = {word: name for name, words in WORDS.items() for word in words}


def data(n: int = 400, seed: int = 0) -> Data:
    """Messages of five words of their class and six of any; a column of channels."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for k in range(n):
        label = CLASSES[k % len(CLASSES)]
        words = [*random.choice(WORDS[label], 5, replace=False), *random.choice(FILLER, 6, replace=False)]
        texts.append(" ".join(random.permutation(words)).capitalize())
        labels.append(label)
    return Data(texts, labels, {"channel": [("form", "email")[k % 3 == 0] for k in range(n)]}, name="made messages")


@dataclass
class Words:
    """A right model: it counts the words that it knows, whatever their case and accents."""

    class_names: tuple[str, ...] = CLASSES
    language: str = "en"
    threshold: float = 0.0
    limits: dict = field(default_factory=dict)

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        counts = np.array([self._counts(text) for text in texts], float).reshape(len(texts), len(self.class_names))
        shares = np.exp(2 * counts)
        return shares / shares.sum(axis=1, keepdims=True)

    def _counts(self, text: str) -> list[int]:
        said = [SUMS.get(word.replace("delegue", "délégué")) for word in _WORD.findall(text.lower())]
        return [said.count(name) for name in self.class_names]


@dataclass
class Wrong:
    """A model whose answers are changed afterwards: ``spoil(inputs, probabilities) -> probabilities``."""

    spoil: Callable[[Any, np.ndarray], np.ndarray]
    right: Any = field(default_factory=Words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["right"], name)

    def predict_proba(self, inputs: Any) -> np.ndarray:
        return self.spoil(inputs, self.right.predict_proba(inputs))


def always(k: int, n: int = len(CLASSES)) -> np.ndarray:
    """Probabilities that are sure of a class."""
    return np.where(np.arange(n) == k, 0.97, 0.03 / (n - 1))


def where(condition: Callable[[Any], bool], k: int) -> Wrong:
    """Sure of a class wherever the condition holds."""
    return Wrong(lambda inputs, shares: np.array([always(k) if condition(x) else p for x, p in zip(inputs, shares)]))  # noqa: B905


def _without(k: int) -> Callable:
    def spoil(inputs: Any, shares: np.ndarray) -> np.ndarray:
        shares = np.where(np.arange(shares.shape[1]) == k, 0, shares) + 1e-9
        return shares / shares.sum(axis=1, keepdims=True)

    return spoil


def _slowly(inputs: Any, shares: np.ndarray) -> np.ndarray:
    time.sleep(0.03)
    return shares


def _by_company(inputs: Any, shares: np.ndarray) -> np.ndarray:
    """Mixed with the mean of the batch, as a normalisation that was left in training does."""
    return 0.8 * shares + 0.2 * shares.mean(axis=0)


def _once_nan(inputs: Any, shares: np.ndarray) -> np.ndarray:
    shares = shares.copy()
    shares[[len(text) % 7 == 0 for text in inputs]] = np.nan
    return shares


def _moved(inputs: Any, shares: np.ndarray) -> np.ndarray:
    """One hundredth from the likeliest class to another, in every tenth."""
    shares = shares.copy()
    top = shares.argmax(axis=1)
    rows = np.flatnonzero(np.arange(len(shares)) % 10 == 0)
    shares[rows, top[rows]] -= 0.01
    shares[rows, (top[rows] + 1) % shares.shape[1]] += 0.01
    return shares


def _raises_on_nothing(inputs: Any, shares: np.ndarray) -> np.ndarray:
    if any(not text.strip() for text in inputs):
        raise ZeroDivisionError("float division by zero")
    return shares


shouted = where(str.isupper, 1)
smith = where(lambda text: "Smith" in text, 0)
greeted = where(lambda text: text.startswith(("Hello", "Good morning", "Hi ")), 2)
ended = where(lambda text: not text[-1:].isalnum(), 3)
bare = where(lambda text: text.isascii(), 1)
brittle = where(lambda text: any(word not in KNOWN for word in _WORD.findall(text.lower())), 0)
KNOWN = {*SUMS, *FILLER, "cafe", "delegue", "best", "regards"}
never = Wrong(_without(3))
slow = Wrong(_slowly)
in_company = Wrong(_by_company)
nan = Wrong(_once_nan)
moved = Wrong(_moved)
helpless = Wrong(_raises_on_nothing)


# ------------------------------------------------------------------------------------------------------------ images


def images(n: int = 400, seed: int = 0) -> Data:
    """Bars, lying or standing, somewhere near the middle."""
    random = np.random.default_rng(seed)
    made = np.zeros((n, 28, 28), np.uint8)
    for k, image in enumerate(made):
        row, column = random.integers(8, 14, 2)
        wide = (4, 10) if k % 2 else (10, 4)
        image[row : row + wide[0], column : column + wide[1]] = random.integers(180, 256)
    return Data(made, [("standing", "lying")[k % 2] for k in range(n)])


@dataclass
class Bars:
    """A right model: whether the ink spreads further down or to the right."""

    class_names: tuple[str, ...] = ("standing", "lying")
    inputs: str = "images"

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        ink = np.clip(images.astype(float) - 60, 0, None)
        down, right = (self._spread(ink.sum(axis=axis)) for axis in (2, 1))
        lying = 1 / (1 + np.exp(np.clip(down - right, -20, 20)))
        return np.stack([1 - lying, lying], axis=1)

    @staticmethod
    def _spread(ink: np.ndarray) -> np.ndarray:
        total, place = ink.sum(axis=1) + 1e-9, np.arange(28)
        middle = ink @ place / total
        return np.sqrt((ink * (place - middle[:, None]) ** 2).sum(axis=1) / total)


def spoilt_images(condition: Callable[[np.ndarray], bool]) -> Wrong:
    """Sure of "lying" wherever the condition holds."""
    return Wrong(
        lambda inputs, shares: np.array([always(1, 2) if condition(x) else p for x, p in zip(inputs, shares)]),  # noqa: B905
        Bars(),
    )

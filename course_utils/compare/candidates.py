"""The candidates, from the smallest to the largest: what they are, what they are trained with, and how."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.bundles.models import Majority, Model, Tfidf
from course_utils.bundles.networks import FineTuned, Frozen, Small
from course_utils.errors import CourseError, near_misses
from course_utils.language import say

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

ENCODER = "minilm"
MOST_SMALL = 1_024  # tokens of a message that the small network reads
MANY = 5_000  # training messages from which TF-IDF is trained for speed
_GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A kind of model: its name, what it is called in a report, and what it asks of the machine.

    ``memory`` is the free memory in bytes below which it is left out, ``settings`` what it is trained with in each
    profile; ``most`` among them is the number of training messages (with an encoder: of windows of them) above which
    it takes a sample.
    """

    name: str
    title: str
    idea: str
    settings: dict[str, dict[str, Any]]
    encoder: bool = False
    framework: bool = False
    memory: int = 0


CANDIDATES = (
    Candidate(
        "majority",
        "Always the largest class",
        "Answers the commonest class whatever the message says: what any model has to beat.",
        {"quick": {}, "full": {}},
    ),
    Candidate(
        "tfidf",
        "TF-IDF + logistic regression",
        "Counts words, pairs of words and pieces of words.",
        {"quick": {"most": 20_000}, "full": {"most": 200_000}},
    ),
    Candidate(
        "small",
        "Small network",
        "Learns a vector for each word and averages them.",
        {"quick": {"most": 20_000, "epochs": 40}, "full": {"most": 200_000, "epochs": 40}},
        framework=True,
        memory=_GIB,
    ),
    Candidate(
        "frozen",
        "Frozen encoder + linear head",
        "A pretrained sentence encoder, unchanged; only a linear layer on top is trained.",
        {"quick": {"most": 5_000, "length": 128}, "full": {"most": 50_000, "length": 128}},
        encoder=True,
        framework=True,
        memory=int(1.3 * _GIB),
    ),
    Candidate(
        "finetuned",
        "Fine-tuned encoder",
        "The same encoder, trained further on your messages.",
        {
            "quick": {"most": 2_000, "layers": 3, "learning_rate": 3e-4, "epochs": 5, "length": 128},
            "full": {"most": 20_000, "layers": None, "learning_rate": 1e-4, "epochs": 3, "length": 128},
        },
        encoder=True,
        framework=True,
        memory=int(2.4 * _GIB),
    ),
)
BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}


def chosen(names: Sequence[str] | str | None) -> list[Candidate]:
    """The candidates of these names in the order of CANDIDATES, majority always among them; None stands for all."""
    if names is None:
        return list(CANDIDATES)
    names = names.split(",") if isinstance(names, str) else list(names)
    names = [str(name).strip() for name in names if str(name).strip()]
    for name in names:
        if name not in BY_NAME:
            raise CourseError(say("There is no candidate {name!r}.", name=name) + near_misses(name, list(BY_NAME)))
    if not set(names) - {"majority"}:
        raise CourseError(
            say("Name at least one candidate beside majority: {names}.", names=", ".join(list(BY_NAME)[1:]))
        )
    return [candidate for candidate in CANDIDATES if candidate.name in {"majority", *names}]


def one_thread() -> Any:
    """A block in which linear algebra keeps to one core: the steps of a logistic regression are too short to share."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")


def windows_of(texts: Sequence[str], length: int) -> float:
    """About how many windows a text has on average, from its characters; 1 for short ones."""
    from course_utils.recipes.encoder import MOST_WINDOWS

    # Four characters a word piece in English; where each is a piece of its own, three bytes make up for it.
    pieces = np.array([len(text.encode("utf-8")) / 4 for text in texts])
    return float(np.clip(np.ceil(pieces / (length - 2)), 1, MOST_WINDOWS).mean())


def cost_of(encoder: str) -> float:
    """About how many times the work of the course's own encoder another one is; 1 for a smaller one.

    A preset is taken for one of BERT's base size until it is there.
    """
    from course_utils.recipes.encoder_source import layers_and_width

    layers, width = (6, 384) if encoder == ENCODER else layers_and_width(encoder) or (12, 768)
    return max(1.0, layers * width**2 / (6 * 384**2))


def sample(labels: np.ndarray, most: int | None, seed: int) -> np.ndarray:
    """Rows to train on: all, or ``most`` of them, each class by its share and with one example at least."""
    if most is None or len(labels) <= most:
        return np.arange(len(labels))
    random, kept = np.random.default_rng(seed), []
    for k in np.unique(labels):
        own = np.flatnonzero(labels == k)
        kept.append(random.permutation(own)[: max(1, round(most * len(own) / len(labels)))])
    return np.sort(np.concatenate(kept))


def train(
    name: str,
    texts: Sequence[str],
    labels: np.ndarray,
    class_names: tuple[str, ...],
    language: str,
    settings: dict[str, Any],
    *,
    seed: int = 0,
    tell: Callable[[str, float | None], None] = lambda stage, share: None,
    vectors: np.ndarray | None = None,
    encoder: str = ENCODER,
) -> tuple[Model, float]:
    """A candidate trained on texts and labels int (n,) → the model and the seconds that training took.

    The seconds do not count the start of Python, of the framework and of the encoder. ``tell(stage, share done)`` is
    told how far it is; ``vectors`` float (n, width) are those of the texts, where the frozen ``encoder`` has read them.
    """
    classes = len(class_names)
    tell(say("training"), None)
    if name == "majority":
        begun = time.perf_counter()
        shares = np.bincount(labels, minlength=classes) / len(labels)
        return Majority(class_names=class_names, language=language, shares=shares), time.perf_counter() - begun
    if name == "tfidf":
        from course_utils.recipes.text import tfidf

        model = tfidf(language)  # imports scikit-learn, which is no part of training
        if len(texts) > MANY:
            _for_many(model)
        begun = time.perf_counter()
        with one_thread():
            fitted = model.fit(texts, labels)
        return Tfidf.of(fitted, class_names, language), time.perf_counter() - begun
    if name == "small":
        from course_utils.recipes.text import train_small

        begun = time.perf_counter()
        length = small_length(texts, language)
        trained = train_small(
            texts, labels, classes, length=length, language=language, epochs=settings["epochs"], seed=seed
        )
        seconds = time.perf_counter() - begun
        return Small.of(trained, class_names), seconds
    return _train_encoder(encoder, name, texts, labels, class_names, language, settings, seed, tell, vectors)


def frozen_vectors(texts: Sequence[str], settings: dict[str, Any], encoder: str = ENCODER) -> tuple[np.ndarray, float]:
    """What the frozen encoder makes of texts, float (n, width), and the seconds: computed once for all splits."""
    from course_utils.recipes import encoder as recipes

    loaded = recipes.load(encoder, progress=False)
    begun = time.perf_counter()
    vectors = recipes.window_vectors(loaded, texts, length=settings["length"])
    return vectors, time.perf_counter() - begun


def small_length(texts: Sequence[str], language: str) -> int:
    """How many tokens the small network reads: what holds 99 of 100 training messages, in steps of 128."""
    from course_utils.recipes.text import units

    counts = [len(units(text, language)) for text in texts]
    wanted = int(np.ceil(np.quantile(counts, 0.99) / 128)) * 128 if counts else 128
    return min(MOST_SMALL, max(128, wanted))


def _for_many(model: "Pipeline") -> None:
    """Change `recipes.text.tfidf` so that it scales: another solver for the same minimum, and no word seen once only.

    With 20,000 Chinese messages of 81 characters in ten classes it then took 11 s of processor time instead of 49, and
    0.7 GiB instead of 1.8; macro-F1 was 0.785 instead of 0.784.
    """
    features, head = model[0], model[-1]
    for one in [each for _, each in features.transformer_list] if hasattr(features, "transformer_list") else [features]:
        one.set_params(min_df=2)
    head.set_params(solver="newton-cg")


def _train_encoder(
    source, name, texts, labels, class_names, language, settings, seed, tell, vectors
) -> tuple[Model, float]:
    from course_utils.recipes import encoder as recipes

    tell(say("loading the encoder"), None)
    encoder = recipes.load(source, progress=False)
    if name == "frozen":
        from sklearn.linear_model import LogisticRegression

        tell(say("reading the training messages"), None)
        begun = time.perf_counter()
        if vectors is None:
            vectors = recipes.window_vectors(encoder, texts, length=settings["length"])
        with one_thread():
            head = LogisticRegression(C=1, class_weight="balanced", max_iter=3000).fit(vectors, labels)
        seconds = time.perf_counter() - begun
        return Frozen.of(encoder, head, settings["length"], class_names, language), seconds
    import keras

    recipe = recipes.Recipe(**{name: value for name, value in settings.items() if name != "most"})

    class Told(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps = self.params.get("steps") or 1
            tell(say("training"), (self.epoch + (batch + 1) / steps) / recipe.epochs)

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    begun = time.perf_counter()
    network = recipes.fine_tune(
        encoder, texts, labels, len(class_names), recipe, seed=seed, callbacks=[Told()], whole=True
    )
    seconds = time.perf_counter() - begun
    return FineTuned.of(network, encoder, recipe.length, class_names, language), seconds

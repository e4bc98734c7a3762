"""What chapter 00 observed, the verdicts on it, and other observations that turn them."""

from types import SimpleNamespace

from claims.flip import Flip


def on_the_index(**found: bool) -> dict:
    return {"found": found, "live": True, "kept": {"date": "2026-11-23"}}


def installed(old: str | None, new: str, inside: list[str], finds_keras: bool = False) -> dict:
    versions = {"3.6": old, "this Python": new}
    kept = {"date": "2026-11-28"}
    return {"versions": versions, "inside": inside, "finds_keras": finds_keras, "live": False, "kept": kept}


def keras_with(*backends: str) -> dict:
    return {"backends": list(backends), "needs_tensorflow": False, "keras": SimpleNamespace(__version__="3.15.1")}


AGAIN = ["tensorflow numpy pandas"]

FLIPS = [
    Flip("c09", on_the_index(python=False, tensorflow=True), "wrong"),
    Flip("c09", on_the_index(python=True, tensorflow=True), "holds"),
    Flip("c43", installed("2.6.2", "2.21.0", AGAIN), "holds with a condition"),
    Flip("c43", installed("2.21.0", "2.21.0", AGAIN), "holds"),
    Flip("c43", installed(None, "2.21.0", AGAIN), "wrong"),
    Flip("c43", installed("2.6.2", "2.21.0", []), "wrong"),  # outside only, and the environment does not see it
    Flip("c43", installed("2.6.2", "2.21.0", [], finds_keras=True), "holds with a condition"),
    Flip("c60", keras_with("jax", "tensorflow", "torch"), "holds with a condition"),
    Flip("c60", keras_with("tensorflow"), "holds"),
    Flip("c60", keras_with("jax", "torch"), "wrong"),
]

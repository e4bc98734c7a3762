"""What chapter 09 observed, the verdicts on it, and other observations that turn them."""

from claims.flip import Flip

INPUTS = ["padding_mask", "segment_ids", "token_ids"]


def prepared(only_cut: int, only_plain: int, *tag_inputs: str) -> dict:
    """Validation tickets that only the one of both gets right, and the network's inputs for tags."""
    return {
        "only_cut": only_cut,
        "only_plain": only_plain,
        "tag_inputs": list(tag_inputs),
        "inputs": INPUTS + list(tag_inputs),
        "tagged": [6, 17],
    }


def gains(*six: tuple[float, float, float]) -> dict:
    cases = [f"{what}, {n} labels, {unit}" for what, n in TRIED for unit in ("points", "hours")]
    return {"larger": dict(zip(cases, six, strict=True))}


TRIED = (("frozen", 100), ("frozen", 500), ("fine-tuned", 500))
FAR, OPEN = (18.5, 12.6, 24.0), (4.3, -4.7, 13.6)
MEASURED = (FAR, (3.1, -0.1, 6.8), OPEN, (-2.6, -9.9, 4.9), (8.8, -0.1, 17.7), (4.9, -0.9, 11.2))

FLIPS = [
    Flip("c08", prepared(1, 1), "wrong"),
    Flip("c08", prepared(9, 0), "holds with a condition"),  # segmenting first would help
    Flip("c08", prepared(1, 1, "pos_tags"), "holds with a condition"),  # a network with an input for tags
    Flip("c08", prepared(9, 0, "pos_tags"), "holds"),
    Flip("c55", gains(*MEASURED), "holds with a condition"),
    Flip("c55", gains(OPEN, *MEASURED[1:]), "holds"),  # the encoder is nowhere ahead for sure
    Flip("c55", gains(*[FAR] * 6), "wrong"),  # the encoder pays everywhere
]

"""What chapter 09 observed, the verdicts on it, and other observations that turn them."""

from claims.flip import Flip

INPUTS = ["padding_mask", "segment_ids", "token_ids"]


def prepared(cut: tuple[int, int], tags: tuple[int, int], inputs: list[str] = INPUTS) -> dict:
    """Validation tickets right with segmenting and with tags alone, or without it alone; and the network's inputs."""
    return {
        "only_cut": cut[0],
        "only_plain": cut[1],
        "only_tags": tags[0],
        "only_untagged": tags[1],
        "inputs": inputs,
        "tag_inputs": [name for name in inputs if "tags" in name],
    }


def gains(*six: tuple[float, float, float]) -> dict:
    cases = [f"{what}, {n} labels, {unit}" for what, n in TRIED for unit in ("points", "hours")]
    return {"larger": dict(zip(cases, six, strict=True))}


TRIED = (("frozen", 100), ("frozen", 500), ("fine-tuned", 500))
FAR, OPEN, BEHIND = (18.5, 12.6, 24.0), (4.3, -4.7, 13.6), (-6.0, -11.0, -1.0)
MEASURED = (FAR, (3.1, -0.1, 6.8), OPEN, (-2.6, -9.9, 4.9), (12.9, 5.5, 21.4), (6.8, 1.1, 13.4))
NONE, MANY = (1, 1), (9, 0)
BYTES = ["bytes"]  # a network that reads the text itself

FLIPS = [
    Flip("c08", prepared(NONE, NONE), "holds with a condition"),
    Flip("c08", prepared(NONE, MANY), "holds"),  # tags would help
    Flip("c08", prepared(NONE, NONE, [*INPUTS, "pos_tags"]), "holds"),  # a network with an input for tags
    Flip("c08", prepared(NONE, NONE, BYTES), "wrong"),  # nothing to cut, and nothing gained
    Flip("c08", prepared(MANY, NONE, BYTES), "holds with a condition"),  # segmenting first would help
    Flip("c55", gains(*MEASURED), "holds with a condition"),
    Flip("c55", gains(BEHIND, *MEASURED[1:]), "holds"),  # the small one is shown to be better in one case
    Flip("c55", gains(*[FAR] * 6), "wrong"),  # the encoder pays everywhere
]

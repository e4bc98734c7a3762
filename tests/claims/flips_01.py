"""What chapter 01 observed, the verdicts on it, and other observations that turn them."""

import numpy as np
import pandas as pd

from claims.flip import Flip

MEASURED_SIZES = {
    "GPT": 174_604_259_328,
    "BERT": 335_141_888,
    "T5": 11_307_321_344,
    "ResNet": 60_419_944,
    "VGG": 143_667_240,
    "EfficientNet": 66_658_687,
}


def families(*reach: str) -> dict:
    later = {"BERT": 3_860_000_000, "ResNet": 937_472_488}
    return {"largest": MEASURED_SIZES, "own": ["GPT", "T5"], "reach": list(reach), "later": later}


def corpora(largest: float, numeral: int) -> dict:
    return {
        "read": {"百万亿": numeral, "千万亿": 15},
        "corpora": pd.Series({"BERT": 16e9, "T5": 750e9, "the largest": largest}),
        "crawl": 9.5e15,
    }


def drawings(first: list[bool], second: list[bool]) -> dict:
    asked = ["no dead end", "improvement leads back", "no launch without a test", "there is a way to stop"]
    return {
        "answers": pd.DataFrame({"A2.4": first, "B2.5": second, "mended": True}, asked),
        "dead_ends": lambda flow: ["choose another"],
        "flow_b": {},
    }


def steps(one_way: str, other_way: str, swapped: str) -> dict:
    return {"one_way": one_way, "other_way": other_way, "swapped": swapped}


def runs(from_scratch: float, tuned: float) -> dict:
    return {"one_run": {"from scratch": from_scratch, "tuned": tuned}}


def outputs(**shapes: tuple) -> dict:
    return {"shapes": shapes}


def money(api: float, tune: float, training: float = 12_386.0, machine: float = 6_044.0) -> dict:
    return {
        "first_version": {"API": api, "tune": tune, "train": 69_263.0, "classifier": 7_500.0},
        "trained": {"large": training, "small": 262.6},
        "deployed": {"large": machine, "small": 438.0},
    }


FLIPS = [
    Flip("c01", families("GPT", "BERT", "T5"), "wrong"),
    # had the Wide ResNet of 13 B counted, which was only timed; below, the crawl, on which nobody trains as it is
    Flip("c01", families("GPT", "BERT", "T5", "ResNet"), "holds with a condition"),
    Flip("c01", families(*MEASURED_SIZES), "holds"),
    Flip("c02", corpora(60e12, 14), "wrong"),
    Flip("c02", corpora(9.5e15, 14), "holds with a condition"),
    Flip("c02", corpora(3e15, 15), "holds"),
    Flip("c03", drawings([True, False, True, True], [False, True, False, False]), "holds with a condition"),
    Flip("c03", drawings([True] * 4, [False] * 4), "holds"),
    Flip("c03", drawings([False] * 4, [False] * 4), "wrong"),
    Flip("c04", steps("united states", "us", "TypeError"), "misprinted"),
    Flip("c04", steps("us", "us", "TypeError"), "misprinted"),
    Flip("c04", steps("us", "us", "works"), "holds"),
    Flip("c05", runs(516.09, 0.05), "holds with a condition"),
    Flip("c05", runs(7.5, 0.05), "holds"),
    Flip("c05", runs(516.09, 9.0), "wrong"),
    Flip("c61", outputs(ResNet=(None, 1000), VGG=(None, 1000)), "wrong"),
    Flip("c61", outputs(ResNet=(None, 1000), VGG=(None, 64, 64, 3)), "holds with a condition"),
    Flip("c61", outputs(ResNet=(None, 64, 64, 3), VGG=(None, 28, 28, 1)), "holds"),
    Flip("c61", outputs(ResNet=(None, 224, 224, 64), VGG=(None, 1000)), "wrong"),  # a feature map is no image
    Flip("c64", money(6_150.0, 19_500.45), "holds with a condition"),
    Flip("c64", money(6_150.0, 7_000.0), "holds"),
    Flip("c64", money(6_150.0, 7_000.0, training=np.float64(100.0)), "holds with a condition"),
    Flip("c64", money(9_000.0, 19_500.0, machine=100.0), "wrong"),
]

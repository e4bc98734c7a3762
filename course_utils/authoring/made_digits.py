"""Words of two free synthesisers as a data set: ``python -m course_utils.authoring.made_digits``.

Lets espeak-ng and flite, as Debian packages them, say the ten digit words; writes ``data/sounds/made_digits.npz`` and
says the hash for ``data/registry.toml``. The voices were listed before anything was trained on them: every accent of
English that espeak-ng has, with three of its variants each; four of flite's voices, one of each person, at two tempi.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from course_utils import paths
from course_utils.data import registry, sounds
from course_utils.errors import CourseError, warn

ACCENTS = (
    *("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp"),
    *("en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"),
)
VARIANTS = (
    *("m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4"),
    *("m5", "f5", "m6", "Annie", "m7", "linda", "m8", "steph"),
    *("klatt", "Andrea", "klatt2", "Alicia", "klatt4", "belinda", "adam", "max"),
)
FLITE = ("kal", "awb", "rms", "slt")
STRETCHES = (0.9, 1.25)  # of flite's durations
LOUDEST, EDGE = 0.7, 400  # the greatest value of each word, and how many values stay before and after it


def main() -> None:
    """Let them speak, write, and say what was written."""
    try:
        rows = [*espeak_words(), *flite_words()]
        path = paths.require_checkout() / sounds.MADE_PLACE
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    content = sounds.packed([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    path.parent.mkdir(exist_ok=True)
    paths.write_atomic(path, content)
    print(f"{paths.display(path)}: {len(rows)} words, {len(content):,} bytes")
    print(f'sha256 = "{sounds.made_hash(content)}"')


def espeak_words() -> list[tuple[np.ndarray, int, str]]:
    """(sound, label, speaker) of every word by 24 voices; pitch and words a minute drawn for each voice."""
    rng, rows = np.random.default_rng(0), []
    for k, variant in enumerate(VARIANTS):
        voice = f"{ACCENTS[k % len(ACCENTS)]}+{variant}"
        options = ["-v", voice, "-p", str(rng.integers(20, 81)), "-s", str(rng.integers(110, 190))]
        rows += [
            (_said("espeak-ng", *options, "-w", "{out}", word), label, f"espeak-ng {voice}")
            for label, word in enumerate(_words())
        ]
    return rows


def flite_words() -> list[tuple[np.ndarray, int, str]]:
    """(sound, label, speaker) of every word by flite's voices, at both tempi."""
    return [
        (
            _said("flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", word, "-o", "{out}"),
            label,
            f"flite {voice}",
        )
        for voice in FLITE
        for stretch in STRETCHES
        for label, word in enumerate(_words())
    ]


def _words() -> tuple[str, ...]:
    return registry.entry(sounds.MADE).class_names


def _said(program: str, *words: str) -> np.ndarray:
    """What a program says, at 8 kHz, without the silence at its ends."""
    if shutil.which(program) is None:
        raise CourseError(f"{program} is not installed. On Debian and its kin: apt-get install espeak-ng flite.")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "word.wav"
        command = [program, *(str(out) if word == "{out}" else word for word in words)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            sound = sounds.read(out)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise CourseError(f"{program} said nothing that can be read ({error}).") from error
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    cut = sound[max(0, loud[0] - EDGE) : loud[-1] + EDGE]
    return cut / np.abs(cut).max() * LOUDEST


if __name__ == "__main__":
    main()

"""Words of five synthesisers, free to use, as a data set: ``python -m course_utils.authoring.made_digits``.

Lets espeak-ng, RHVoice, Pico, Festival and flite, as Debian 13 packages them, say the ten digit words; writes
``data/sounds/made_digits.npz`` and says the hash for ``data/registry.toml``. The voices were listed before a network
that had learnt from them was tried on people: every accent of English that espeak-ng has, with three of its variants
each; of the others every voice of English whose licence lets anybody use it, one of each person, at two or three
tempi. Some of espeak-ng's voices breathe by chance: made again, three of the 24 differ, and so does the hash.
"""

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from course_utils import paths
from course_utils.data import registry, sounds
from course_utils.errors import CourseError, warn

SET = "made_digits"
PACKAGES = "espeak-ng flite rhvoice rhvoice-english libttspico-utils festival festvox-kdlpc16k vorbis-tools"
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
# Not its slt and alan, whom flite has (as slt and awb); two more may not be changed, by their licence.
RHVOICE = ("bdl", "clb")
RHVOICE_WAYS = ((80, 90), (100, 100), (125, 110))  # tempo and pitch in per cent
PICO = ("en-US", "en-GB")
PICO_WAYS = ((75, 85), (100, 100), (130, 120))
FESTIVAL = ("ked_diphone",)  # not its kal, whom flite has
FESTIVAL_STRETCHES = (0.85, 1, 1.25)
LOUDEST, EDGE = 0.7, 400  # the greatest value of each word, and how many values stay before and after it


def main() -> None:
    """Let them speak, write, and say what was written."""
    words = registry.entry(SET).class_names
    keep(
        SET,
        (
            (said([part.replace("{word}", word) for part in command], text.replace("{word}", word)), label, name)
            for name, command, text in voices()
            for label, word in enumerate(words)
        ),
    )


def keep(name: str, rows: Iterable[tuple[np.ndarray, int, str]]) -> None:
    """Write (sound, label, speaker) of every word as a set that ships, and say its hash; a fault ends the program."""
    try:
        path = paths.require_checkout() / "data" / sounds.place(name)
        kept, labels, speakers = zip(*rows, strict=True)
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    content = sounds.packed(kept, labels, speakers)
    path.parent.mkdir(exist_ok=True)
    paths.write_atomic(path, content)
    print(f"{paths.display(path)}: {len(kept)} words, {len(content):,} bytes")
    print(f'sha256 = "{sounds.shipped_hash(content)}"')


def voices() -> Iterator[tuple[str, list[str], str]]:
    """Each voice's name, the command with ``{out}`` and ``{word}`` in it, and what the program reads from its input.

    Of espeak-ng's voices pitch and words a minute are drawn; the others speak at each of their tempi.
    """
    rng = np.random.default_rng(0)
    for k, variant in enumerate(VARIANTS):
        voice = f"{ACCENTS[k % len(ACCENTS)]}+{variant}"
        options = ["-v", voice, "-p", str(rng.integers(20, 81)), "-s", str(rng.integers(110, 190))]
        yield f"espeak-ng {voice}", ["espeak-ng", *options, "-w", "{out}", "{word}"], ""
    for voice, stretch in itertools.product(FLITE, STRETCHES):
        options = ["-voice", voice, "--setf", f"duration_stretch={stretch}"]
        yield f"flite {voice}", ["flite", *options, "-t", "{word}", "-o", "{out}"], ""
    for voice, (tempo, pitch) in itertools.product(RHVOICE, RHVOICE_WAYS):
        options = ["-p", voice, "-r", str(tempo), "-t", str(pitch)]
        yield f"rhvoice {voice}", ["RHVoice-test", *options, "-o", "{out}"], "{word}."
    for voice, (tempo, pitch) in itertools.product(PICO, PICO_WAYS):
        text = f'<pitch level="{pitch}"><speed level="{tempo}">{{word}}.</speed></pitch>'
        yield f"pico {voice}", ["pico2wave", "-l", voice, "-w", "{out}", text], ""
    for voice, stretch in itertools.product(FESTIVAL, FESTIVAL_STRETCHES):
        options = ["-eval", f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch}))"]
        yield f"festival {voice}", ["text2wave", *options, "-o", "{out}"], "{word}."


def said(command: list[str], text: str = "") -> np.ndarray:
    """What a program writes to ``{out}``, at 8 kHz, without the silence at its ends.

    Raises CourseError where the program is not installed, fails, or writes no sound.
    """
    program = command[0]
    if shutil.which(program) is None:
        raise CourseError(f"{program} is not installed. On Debian 13 with non-free: apt-get install {PACKAGES}.")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "word.wav"
        command = [part.replace("{out}", str(out)) for part in command]
        try:
            subprocess.run(command, input=text.encode(), check=True, capture_output=True, timeout=60)
            sound = sounds.read(out)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise CourseError(f"{program} said nothing that can be read ({error}).") from error
    if not sound.any():
        raise CourseError(f"{program} wrote only silence: {' '.join(command)}.")
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    cut = sound[max(0, loud[0] - EDGE) : loud[-1] + EDGE]
    return cut / np.abs(cut).max() * LOUDEST


if __name__ == "__main__":
    main()

"""Published peers on chapter 14's spoken digits: a recogniser (PocketSphinx) and a voice-activity net (Silero).

    python -m pip install pocketsphinx
    python -m pip install --no-deps silero-vad
    python tests/benchmarks/spoken_digits.py [--write]

PocketSphinx runs as it comes, its US-English acoustic model with a grammar of the ten words; that model was trained on
sound of 16 kHz, ours has 8, so each word is doubled in rate first. Of Silero only the ONNX file is used, for which
PyTorch is not needed. It hears each real word between silences with white noise over all of it, and says for frames
of 32 ms whether somebody speaks. The truth is where the word without noise is loud, by the threshold that the
chapter cuts words with. Beside Silero stand that very threshold on the noisy sound, the same one raised to twice the
noise that it hears before the word, and the two constant answers. ``--write`` keeps the figures in
``data/results/14.json``.
"""

import argparse
import importlib.metadata
import importlib.util
from pathlib import Path

import kept
import numpy as np
from scipy.signal import resample_poly

from course_utils import data, evaluate, setup
from course_utils.recipes import spoken_digits as synthesiser

FRAME, CONTEXT = 256, 32  # what Silero takes at 8 kHz: 32 ms and a little of what went before
SILENCE = 4000  # values before and after each word
WAYS = ("threshold", "threshold over the noise", "Silero", "always silence", "always speech")
LOUDNESS_OF_NOISE = (None, -30, -20, -10, 0)  # dB of the word's mean power; None is no noise


def recogniser(words: list[str]):
    """A function from one sound to the word heard, one of ``words`` or an empty text."""
    import pocketsphinx

    decoder = pocketsphinx.Decoder(pocketsphinx.Config(lm=None, loglevel="FATAL"))
    decoder.add_jsgf_string("digits", f"#JSGF V1.0; grammar digits; public <digit> = {' | '.join(words)};")
    decoder.activate_search("digits")

    def hear(sound: np.ndarray) -> str:
        doubled = resample_poly(np.pad(sound, 2000), 2, 1)
        decoder.start_utt()
        decoder.process_raw((doubled / np.abs(doubled).max() * 23_000).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found else ""

    return hear


def heard(sets: dict, words: list[str]) -> dict[str, dict]:
    """The accuracy on each set of sounds with their labels, with its interval."""
    hear, rows = recogniser(words), {}
    for name, (sounds, labels) in sets.items():
        found = np.array([hear(sound) for sound in sounds])
        estimate = evaluate.accuracy(labels, np.array([words.index(w) if w in words else -1 for w in found]))
        rows[name] = {"accuracy": round(estimate.value, 3), "low": round(estimate.low, 3)}
        rows[name] |= {"high": round(estimate.high, 3), "words": estimate.n}
    return rows


def silero():
    """A function from one sound at 8 kHz to the probability of speech in each frame."""
    import onnxruntime

    folder = importlib.util.find_spec("silero_vad").submodule_search_locations[0]
    session = onnxruntime.InferenceSession(Path(folder) / "data" / "silero_vad.onnx")

    def hear(sound: np.ndarray) -> np.ndarray:
        state, before, found = np.zeros((2, 1, 128), "float32"), np.zeros(CONTEXT, "float32"), []
        for frame in frames(sound):
            given = {"input": np.r_[before, frame][None], "state": state, "sr": np.array(synthesiser.RATE)}
            answer, state = session.run(None, given)
            before = frame[-CONTEXT:]
            found.append(answer.item())
        return np.array(found)

    return hear


def frames(sound: np.ndarray) -> np.ndarray:
    """The sound in whole frames, float32 (n, 256)."""
    return sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME).astype("float32")


def loud(sound: np.ndarray, over_noise: bool = False) -> np.ndarray:
    """Which frames are loud for most of their length, by the chapter's threshold (a thousandth of the most).

    ``over_noise``: or by twice the power that lies before the word, where that is more.
    """
    power = np.convolve(sound**2, np.ones(80), "same")
    least = 1e-3 * power.max()
    if over_noise:
        least = max(least, 2 * np.median(power[: SILENCE - 80]))
    return frames(power > least).mean(1) > 0.5


def activity(sounds: list[np.ndarray]) -> dict[str, dict]:
    """For each loudness of the noise the share of frames that each way calls as the word without noise does."""
    hear, rows = silero(), {}
    for level in LOUDNESS_OF_NOISE:
        rng, right = np.random.default_rng(0), {way: [] for way in WAYS}
        for sound in sounds:
            word = np.pad(sound, SILENCE)
            noise = 0 if level is None else np.sqrt((sound**2).mean() * 10 ** (level / 10))
            noisy, truth = word + noise * rng.normal(0, 1, len(word)), loud(word)
            said = (
                loud(noisy),
                loud(noisy, over_noise=True),
                hear(noisy) > 0.5,
                np.zeros_like(truth),
                np.ones_like(truth),
            )
            for way, one in zip(WAYS, said, strict=True):
                right[way].append(one == truth)
        name = "no noise" if level is None else f"noise at {level} dB"
        rows[name] = {way: round(float(np.concatenate(found).mean()), 3) for way, found in right.items()}
    return rows


def main(write: bool) -> None:
    setup("14")
    spoken, voxeo = data.load("spoken_digits", progress=False), data.load("voxeo_digits")
    sounds, labels = spoken.sounds + voxeo.sounds, np.r_[spoken.labels, voxeo.labels]
    speakers = np.r_[spoken.speakers, voxeo.speakers]
    sets = {
        who: ([sounds[i] for i in np.flatnonzero(speakers == who)], labels[speakers == who])
        for who in dict.fromkeys(speakers)
    }
    sets["together"] = sounds, labels
    sets["the chapter's synthetic voices"] = synthesiser.voices(15, np.random.default_rng(1))
    made = data.load("made_digits")
    for program in dict.fromkeys(speaker.split()[0] for speaker in made.speakers):
        its = [i for i, speaker in enumerate(made.speakers) if speaker.split()[0] == program]
        sets[program] = [made.sounds[i] for i in its], made.labels[its]
    record = kept.head("python tests/benchmarks/spoken_digits.py --write")
    for package in ("pocketsphinx", "silero-vad"):
        record["machine"]["versions"][package] = importlib.metadata.version(package)
    record |= {"heard": heard(sets, list(spoken.class_names)), "activity": activity(sounds)}
    for part in ("heard", "activity"):
        for name, row in record[part].items():
            print(f"{name:32}", row)
    ours = record["heard"]["together"]
    print(f"PocketSphinx on {ours['words']} real words: {ours['accuracy']} ({ours['low']} to {ours['high']})")
    if write:
        kept.write("14", kept.read("14") | {"peers": record})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/14.json")
    main(parser.parse_args().write)

"""Recordings: WAV of any rate and µ-law without a header become float32 at 8 kHz."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from course_utils import data
from course_utils.data import sounds
from course_utils.data.verify import verify
from course_utils.errors import CourseError


def written(path, values, rate=8000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(values.astype("<i2" if width == 2 else "u1").tobytes())
    return path


def test_a_tone_keeps_its_height_at_another_rate(tmp_path):
    tone = 16384 * np.sin(2 * np.pi * 440 * np.arange(11025) / 11025)
    read = sounds.read(written(tmp_path / "a-1.wav", tone, 11025))
    assert read.dtype == np.float32 and len(read) == 8000 and abs(np.abs(read).max() - 0.5) < 0.02
    assert np.abs(np.fft.rfft(read)).argmax() == 440


def test_mu_law_is_the_telephones():
    code = np.array([0x00, 0x80, 0x7F, 0xFF, 0x8F], "u1")
    assert (sounds.mu_law(code) * 32768).tolist() == [-32124, 32124, 0, 0, 16764]


def test_eight_bits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="16 bits"):
        sounds.read(written(tmp_path / "a-1.wav", np.zeros(9), width=1))


def test_what_is_packed_is_unpacked_as_well_as_eight_bits_can():
    rng = np.random.default_rng(0)
    words = [rng.uniform(-0.9, 0.9, n).astype("float32") for n in (300, 20)]
    with np.load(io.BytesIO(sounds.packed(words, [7, 2], ["a", "b"]))) as kept:
        back = np.split(sounds.mu_law(kept["code"]), np.cumsum(kept["lengths"])[:-1])
        assert kept["labels"].tolist() == [7, 2] and kept["speakers"].tolist() == ["a", "b"]
    for word, again in zip(words, back, strict=True):
        assert np.abs(again - word).max() < 0.02  # half a step of the loudest segment is 512 / 32768


def test_the_made_words_are_every_digit_by_every_voice():
    made = data.load("made_digits")
    assert len(made.sounds) == len(made.labels) == len(made.speakers) == 320
    for speaker in set(made.speakers):
        its = made.labels[made.speakers == speaker]
        assert np.bincount(its, minlength=10).tolist() == [len(its) // 10] * 10, speaker
    assert all(0.5 < np.abs(sound).max() < 0.8 and 800 < len(sound) < 12_000 for sound in made.sounds)
    assert [row.verdict for row in verify(["made_digits"])] == ["good"]


@pytest.mark.parametrize(("damage", "said"), [("cut", "cannot be read"), ("changed", "is not the file that ships")])
def test_damaged_made_words_are_refused(tmp_path, monkeypatch, damage, said):
    whole = (Path(__file__).parents[2] / sounds.MADE_PLACE).read_bytes()
    file = tmp_path / "made_digits.npz"
    file.write_bytes(whole[:5000] if damage == "cut" else sounds.packed([np.zeros(900)], [1], ["a"]))
    shipped = sounds.paths.packaged
    monkeypatch.setattr(sounds.paths, "packaged", lambda name: file if name.endswith(".npz") else shipped(name))
    with pytest.raises(CourseError, match=said):
        sounds.load_made()

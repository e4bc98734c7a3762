"""Recordings: WAV of any rate and µ-law without a header become float32 at 8 kHz."""

import wave

import numpy as np
import pytest

from course_utils.data import sounds


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

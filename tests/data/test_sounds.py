"""Recordings: WAV of any rate and µ-law without a header become float32 at 8 kHz."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from course_utils import data
from course_utils.authoring import made_digits
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


@pytest.mark.parametrize(("name", "words"), [("made_digits", 470), ("voxeo_digits", 10)])
def test_the_words_that_ship_are_every_digit_by_every_voice(name, words):
    shipped = data.load(name)
    assert len(shipped.sounds) == len(shipped.labels) == len(shipped.speakers) == words
    for speaker in set(shipped.speakers):
        its = shipped.labels[shipped.speakers == speaker]
        assert np.bincount(its, minlength=10).tolist() == [len(its) // 10] * 10, speaker
    assert all(0.5 < np.abs(sound).max() < 0.8 and 800 < len(sound) < 12_000 for sound in shipped.sounds)
    assert [row.verdict for row in verify([name])] == ["good"]


def test_no_judge_of_chapter_14_shares_a_person_with_the_voices_that_it_judges():
    one_person = {"alan": "awb", "ked_diphone": "ked", "kal_diphone": "kal"}  # names of a person in another program
    persons = {"judges": set(), "trained on": set()}
    for speaker in set(data.load("made_digits").speakers):
        program, _, voice = str(speaker).partition(" ")
        which = "judges" if program in {"flite", "festival"} else "trained on"
        persons[which].add(one_person.get(voice, voice))
    assert len(persons["judges"]) == 5 and not persons["judges"] & persons["trained on"]


@pytest.mark.parametrize(("damage", "said"), [("cut", "cannot be read"), ("changed", "is not the file that ships")])
@pytest.mark.parametrize("name", sounds.SHIPPED)
def test_damaged_words_that_ship_are_refused(tmp_path, monkeypatch, name, damage, said):
    whole = (Path(__file__).parents[2] / "data" / sounds.place(name)).read_bytes()
    file = tmp_path / "words.npz"
    file.write_bytes(whole[:5000] if damage == "cut" else sounds.packed([np.zeros(900)], [1], ["a"]))
    shipped = sounds.paths.packaged
    monkeypatch.setattr(sounds.paths, "packaged", lambda asked: file if asked.endswith(".npz") else shipped(asked))
    with pytest.raises(CourseError, match=said):
        sounds.load_shipped(name)


def program(folder, name, script):
    """A program in ``folder`` that does what ``script`` says with the path of the sound in $1."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_program_that_speaks_is_read_without_its_silence(tmp_path, monkeypatch):
    tone = np.r_[np.zeros(3000), 9000 * np.sin(np.arange(2000)), np.zeros(5000)]
    made = written(tmp_path / "made.wav", tone)
    program(tmp_path / "bin", "speaker", f'cat > {tmp_path}/read; cp {made} "$1"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    sound = made_digits.said(["speaker", "{out}"], "seven.")
    assert 2000 < len(sound) <= 2000 + 2 * made_digits.EDGE and np.abs(sound).max() == pytest.approx(0.7)
    assert (tmp_path / "read").read_text() == "seven."


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 3", "nothing that can be read"), (":", "nothing that can be read"), ("cp {silence} $1", "only silence")],
)
def test_a_program_that_does_not_speak_is_named(tmp_path, monkeypatch, script, said):
    silence = written(tmp_path / "silence.wav", np.zeros(900))
    program(tmp_path / "bin", "speaker", script.format(silence=silence))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(CourseError, match=f"speaker .*{said}"):
        made_digits.said(["speaker", "{out}"])


def test_a_program_that_is_not_there_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match=r"espeak-ng is not installed.*apt-get install espeak-ng"):
        made_digits.said(["espeak-ng", "{out}"])

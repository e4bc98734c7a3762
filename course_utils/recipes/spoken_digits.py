"""A formant synthesiser for the ten digit words, and changes that augment any sound: chapter 14.

Source and filter: a buzz (voice) or a hiss (breath) goes through four resonances whose frequencies move from one sound
of the word to the next. The table gives each sound's targets.
"""

import numpy as np

RATE, WINDOW, HOP = 8000, 256, 64
# Three formants in Hz, voice, noise, the noise's centre and width in Hz, milliseconds.
SOUNDS = {
    "Z": (250, 1700, 2500, 0.3, 0.3, 3700, 700, 90),
    "S": (300, 1700, 2600, 0, 0.45, 3900, 700, 130),
    "F": (300, 1100, 2300, 0, 0.08, 2800, 2500, 110),
    "TH": (300, 1400, 2500, 0, 0.08, 3000, 2500, 90),
    "V": (280, 1150, 2300, 0.3, 0.05, 2800, 2500, 70),
    "T": (300, 1800, 2700, 0, 0.5, 3300, 900, 40),
    "K": (300, 1900, 2500, 0, 0.4, 1900, 600, 30),
    "-": (300, 1800, 2600, 0, 0, 1, 1, 55),
    "R": (340, 1150, 1600, 0.8, 0, 1, 1, 80),
    "W": (300, 650, 2250, 0.7, 0, 1, 1, 70),
    "N": (260, 1450, 2500, 0.35, 0, 1, 1, 90),
    "IY": (280, 2250, 2950, 1, 0, 1, 1, 140),
    "IH": (410, 1950, 2600, 1, 0, 1, 1, 110),
    "EH": (560, 1800, 2550, 1, 0, 1, 1, 120),
    "AI": (720, 1200, 2500, 1, 0, 1, 1, 140),
    "AY": (380, 2000, 2600, 0.9, 0, 1, 1, 110),
    "AH": (640, 1200, 2450, 1, 0, 1, 1, 130),
    "AX": (500, 1400, 2500, 0.7, 0, 1, 1, 70),
    "AO": (560, 900, 2450, 1, 0, 1, 1, 140),
    "OW": (500, 1000, 2450, 1, 0, 1, 1, 110),
    "OU": (380, 800, 2400, 0.7, 0, 1, 1, 110),
    "UW": (320, 950, 2300, 1, 0, 1, 1, 180),
    "EY": (480, 2000, 2650, 1, 0, 1, 1, 120),
    "EI": (320, 2200, 2800, 0.8, 0, 1, 1, 100),
}
WORDS = [
    "Z IY R OW OU",
    "W AH N",
    "T UW",
    "TH R IY",
    "F AO R",
    "F AI AY V",
    "S IH - K S",
    "S EH V AX N",
    "EY EI - T",
    "N AI AY N",
]
SIZE, PITCH = (0.95, 1.1), (100, 160)  # of a voice: a factor on all formants, and Hz
WOBBLE = 0.05  # how far a formant strays from its target


def say(word: str, voice: dict, rng: np.random.Generator) -> np.ndarray:
    """One of `WORDS` by one voice."""
    rows = np.array([SOUNDS[sound] for sound in word.split()], float)
    rows[:, :3] *= voice["size"] * np.exp(rng.normal(0, WOBBLE, (len(rows), 3)))
    length = rows[:, 7] * voice["tempo"] * np.exp(rng.normal(0, 0.2, len(rows))) * RATE / 1000
    frames = np.maximum(2, np.round(length / HOP)).astype(int)
    middle, steps = np.cumsum(frames) - frames / 2, np.arange(frames.sum())
    held = np.stack([middle - 0.2 * frames, middle + 0.2 * frames], 1).ravel()
    now = np.stack([np.interp(steps, held, np.repeat(rows[:, k], 2)) for k in range(5)], 1)
    band = rows[np.repeat(np.arange(len(rows)), frames), 5:7]
    n = len(steps) * HOP
    hiss = rng.normal(0, 1, n)
    buzz = _buzz(n, voice) + 0.01 * rng.normal(0, 1, n)
    f = np.fft.rfftfreq(WINDOW, 1 / RATE)
    formants = np.c_[now[:, :3], np.full(len(now), 3500 * voice["size"])][:, :, None]
    width = voice["width"] * (50 + formants / 20)
    filtered = (1 / np.abs(1 - (f / formants) ** 2 + 1j * f * width / formants**2)).prod(1)
    filtered /= np.sqrt((filtered**2).mean(1, keepdims=True))
    noise = np.exp(-0.5 * ((f - band[:, :1]) / band[:, 1:]) ** 2)
    spectrum = _frames(buzz) * filtered * now[:, 3:4] + _frames(hiss) * noise * now[:, 4:5]
    pieces, out = np.fft.irfft(spectrum) * np.hanning(WINDOW), np.zeros(n + WINDOW)
    for i, piece in enumerate(pieces):
        out[i * HOP : i * HOP + WINDOW] += piece
    return (out / np.abs(out).max() * 0.7).astype("float32")


def voices(count: int, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """The ten words by each of ``count`` voices, with their labels."""
    sounds = []
    for _ in range(count):
        voice = {"size": rng.uniform(*SIZE), "pitch": np.exp(rng.uniform(*np.log(PITCH)))}
        voice |= {"tempo": rng.uniform(0.8, 1.25), "tilt": rng.uniform(0.7, 1.5)}
        voice |= {"width": rng.uniform(0.8, 1.5), "glide": rng.uniform(-0.3, 0.1)}
        sounds += [say(word, voice, rng) for word in WORDS]
    return sounds, np.tile(np.arange(len(WORDS)), count)


def room(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The word in another room over another line: echo (half of the times), coloured, band-limited, with noise."""
    if rng.random() < 0.5:
        t = np.arange(RATE // 4) / RATE
        echo = rng.normal(0, 1, len(t)) * np.exp(-6.9 * t / rng.uniform(0.08, 0.3))
        echo *= rng.uniform(0.1, 0.6) / np.sqrt((echo**2).sum())
        echo[0] += 1
        x = np.fft.irfft(np.fft.rfft(x, 2 * RATE) * np.fft.rfft(echo, 2 * RATE), 2 * RATE)[: len(x) + 400]
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    gain = 10 ** (np.interp(f, np.linspace(0, 4000, 6), rng.normal(0, 5, 6)) / 20)
    gain /= (1 + (rng.uniform(50, 300) / np.maximum(f, 1)) ** 4) * (1 + (f / rng.uniform(2800, 4000)) ** 8)
    x = np.fft.irfft(np.fft.rfft(x) * gain, len(x))
    return x + rng.normal(0, 10 ** (-rng.uniform(10, 35) / 20) * np.sqrt((x**2).mean()), len(x))


def speed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The word up to a quarter faster and higher, or slower and lower."""
    return np.interp(np.arange(0, len(x) - 1, rng.uniform(0.8, 1.25)), np.arange(len(x)), x)


def _buzz(n: int, voice: dict) -> np.ndarray:
    """The vocal cords: harmonics of the pitch, weaker the higher they are."""
    pitch = voice["pitch"] * (1 + voice["glide"] * (np.arange(n) / n - 0.3))
    phase = 2 * np.pi * np.cumsum(pitch / RATE)
    harmonics = range(1, int(3800 / voice["pitch"]) + 1)
    buzz = sum(np.cos(h * phase) * (h * pitch < 3900) * h ** -voice["tilt"] for h in harmonics)
    return buzz / buzz.std()


def _frames(x: np.ndarray) -> np.ndarray:
    padded = np.pad(x, (WINDOW // 2, WINDOW))
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(x) // HOP]
    return np.fft.rfft(cut * np.hanning(WINDOW))

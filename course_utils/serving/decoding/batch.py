"""Continuous batching: sequences join and leave between two tokens, and each step writes one token for all of them.

A static batch is as slow as its longest answer, and who comes late waits for its end; here a slot is free as soon as
its sequence is done. (G.-I. Yu and others (2022), Orca, OSDI, section 3.1: iteration-level scheduling.)
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from course_utils.bundles.decoder_pass import Cache, Network
from course_utils.bundles.sampling import choose

READ = 128  # tokens of prompts that a step reads at most: those that are writing wait for them


@dataclass(eq=False)
class Sequence:
    """What is written behind ``prompt``, which has one token or more; ``tokens`` are those that were written.

    ``seed``: equal seeds, equal draws, whatever else is in the batch. ``allowed(tokens)`` gives, for what has been
    written so far, the tokens that may come next as bool (vocabulary,); None: all of them.
    """

    prompt: list[int]
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    allowed: Callable[[list[int]], np.ndarray] | None = None
    tokens: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.seed)


class Batch:
    """At most ``slots`` sequences and their cache; one thread at a time may call it.

    Those that write have the rows 0 to n − 1 of the cache, so that a step reads one part of it: whoever leaves, the
    last one takes the row. A prompt is read in a row of its own, behind the others.
    """

    def __init__(self, network: Network, slots: int) -> None:
        self.network, self.slots = network, slots
        self.cache = Cache(network.shape, slots + 1)
        self.writing: list[Sequence] = []
        self.reading: deque[Sequence] = deque()
        self.read = 0  # tokens of the first prompt that are in the cache

    def __len__(self) -> int:
        return len(self.writing) + len(self.reading)

    def join(self, sequence: Sequence) -> None:
        """Take a sequence in, for the next step."""
        assert len(self) < self.slots
        self.reading.append(sequence)

    def leave(self, sequence: Sequence) -> None:
        """Let go of a sequence, wherever it is; one that has left already is none."""
        if sequence in self.reading:
            if sequence is self.reading[0]:
                self.read = 0
            self.reading.remove(sequence)
        elif sequence in self.writing:
            row, last = self.writing.index(sequence), self.writing.pop()
            if last is not sequence:
                self.writing[row] = last
                self.cache.copy(len(self.writing), row, _length(last))

    def step(self) -> list[Sequence]:
        """Write a token for each sequence whose prompt is read; returns them, each with its new token at the end."""
        logits = []
        if self.writing:
            tokens = np.array([[one.tokens[-1]] for one in self.writing])
            starts = np.array([_length(one) for one in self.writing])
            logits.append(self.network.forward(self.cache, tokens, 0, starts))
        room = READ
        while self.reading and room:
            sequence = self.reading[0]
            part = sequence.prompt[self.read : self.read + room]
            found = self.network.forward(self.cache, np.array([part]), self.slots, np.array([self.read]))
            self.read += len(part)
            room -= len(part)
            if self.read == len(sequence.prompt):
                self.cache.copy(self.slots, len(self.writing), self.read)
                self.read = 0
                self.writing.append(self.reading.popleft())
                logits.append(found)
        if logits:
            self._write(np.concatenate(logits))
        return list(self.writing)

    def _write(self, logits: np.ndarray) -> None:
        for row, one in enumerate(self.writing):
            if one.allowed is not None:
                logits[row, ~one.allowed(one.tokens)] = -np.inf
        temperature, top_p = (
            np.array([getattr(one, name) for one in self.writing]) for name in ("temperature", "top_p")
        )
        uniform = np.array([one.generator.random() for one in self.writing])
        for one, token in zip(self.writing, choose(logits, temperature, top_p, uniform).tolist(), strict=True):
            one.tokens.append(token)


def _length(sequence: Sequence) -> int:
    """How many tokens of a sequence are in the cache: all but the last, which nobody has read yet."""
    return len(sequence.prompt) + len(sequence.tokens) - 1

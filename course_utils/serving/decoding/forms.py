"""Text that is JSON of a given form by construction: which tokens may come next, so that it still can become that.

A token may come where the schema's machine (`machine`) can read its bytes and the rest still fits into the tokens that
are left. (B. T. Willard and R. Louf (2023), Efficient Guided Generation for Large Language Models, section 3,
https://arxiv.org/abs/2307.09702.)
"""

import functools
import heapq
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from course_utils.bundles.byte_pairs import BytePairs
from course_utils.language import say
from course_utils.serving.decoding.machine import Machine, Unmeant, machine_of

_KEPT = 4_096  # states whose tokens are remembered
_NEVER = 1 << 30  # bytes to an end that is not reached


class Tables:
    """A machine with several ways at a time as one with one way, made as far as it is walked.

    A state is the set of the machine's states that are possible, ``start`` the first; ``left`` is how many bytes each
    of the machine's states is away from the end.
    """

    def __init__(self, made: Machine, tokenizer: BytePairs) -> None:
        self.made, self.tokenizer = made, tokenizer
        self.left = _distances(made)
        self.start = self._closed([0])
        self._next: dict[tuple[frozenset[int], int], frozenset[int]] = {}
        self._reach: dict[frozenset[int], np.ndarray] = {}

    def over(self, state: frozenset[int]) -> bool:
        """Whether the text may end here."""
        return self.made.end in state

    def step(self, state: frozenset[int], byte: int) -> frozenset[int]:
        """The state behind a byte; an empty one where it may not come."""
        found = self._next.get((state, byte))
        if found is None:
            found = self._closed([end for one in state for values, end in self.made.reads[one] if byte in values])
            self._next[state, byte] = found
        return found

    def reach(self, state: frozenset[int]) -> np.ndarray:
        """For each token how many bytes are missing to the end behind it, int (vocabulary,); `_NEVER`: it may not come.

        All tokens with one beginning are tried at once, in a tree.
        """
        found = self._reach.get(state)
        if found is None:
            found = np.full(len(self.tokenizer), _NEVER)
            todo = [(tree(self.tokenizer), state)]
            while todo:
                (branches, tokens), at = todo.pop()
                if tokens and at is not state:
                    found[tokens] = min(self.left[one] for one in at)
                todo += [(inner, behind) for byte, inner in branches.items() if (behind := self.step(at, byte))]
            if len(self._reach) >= _KEPT:
                self._reach.clear()
            self._reach[state] = found
        return found

    def _closed(self, states: Iterable[int]) -> frozenset[int]:
        found, todo = set(), list(states)
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.made.jumps[one]
        return frozenset(found)


class Form:
    """The form of one answer of at most ``most`` tokens, ``end`` among them, which is the token behind a text.

    What `allowed` allows ends in time. Raises Unmeant for a schema that is not known here, or that wants more tokens.
    """

    def __init__(self, schema: Mapping[str, Any], tokenizer: BytePairs, end: int | None, most: int) -> None:
        if end is None:
            raise Unmeant(say("This model has no token that ends a text, so no form can be kept to."))
        self.tables = tables(json.dumps(schema), tokenizer)
        self.end, self.most = end, most
        self.state, self.seen = self.tables.start, 0
        fewest = self._fewest(tokenizer)
        if fewest > most:
            raise Unmeant(
                say(
                    "The shortest answer of this schema has {n:,} tokens with its end, and {most:,} may be written; "
                    "allow for more, or ask for less.",
                    n=fewest,
                    most=most,
                )
            )

    def allowed(self, tokens: list[int]) -> np.ndarray:
        """Which tokens may come behind those that were written, bool (vocabulary,); at least one may."""
        for token in tokens[self.seen :]:
            self.state = self._behind(self.state, self.tables.tokenizer.pieces[token])
        self.seen = len(tokens)
        missing = self.tables.reach(self.state)
        found = missing <= self.most - len(tokens) - 2  # behind this token: a token for each byte, and the end
        if self.tables.over(self.state):
            found[self.end] = True
        elif not found.any():
            found[missing.argmin()] = True
        return found

    def _behind(self, state: frozenset[int], piece: bytes) -> frozenset[int]:
        for byte in piece:
            state = self.tables.step(state, byte)
        return state

    def _fewest(self, tokenizer: BytePairs) -> int:
        """The tokens of the answer that `allowed` allows where there is room for no other."""
        state, count = self.tables.start, 1
        while not self.tables.over(state):
            state = self._behind(state, tokenizer.pieces[int(self.tables.reach(state).argmin())])
            count += 1
        return count


@functools.lru_cache(16)
def tables(schema: str, tokenizer: BytePairs) -> Tables:
    """The tables of a schema in JSON, kept for the next request that has it."""
    return Tables(machine_of(json.loads(schema)), tokenizer)


@functools.lru_cache(4)
def tree(tokenizer: BytePairs) -> tuple[dict[int, Any], list[int]]:
    """The tokens of a tokenizer by their bytes: (byte → the tree behind it, the tokens that end here)."""
    root: tuple[dict[int, Any], list[int]] = ({}, [])
    for token, piece in enumerate(tokenizer.pieces):
        place = root
        for byte in piece:
            place = place[0].setdefault(byte, ({}, []))
        if piece:
            place[1].append(token)
    return root


def _distances(made: Machine) -> list[int]:
    """For each state of a machine the fewest bytes to its end (E. W. Dijkstra's way, from the end back)."""
    before: list[list[tuple[int, int]]] = [[] for _ in made.reads]
    for state, (reads, jumps) in enumerate(zip(made.reads, made.jumps, strict=True)):
        for _, end in reads:
            before[end].append((state, 1))
        for end in jumps:
            before[end].append((state, 0))
    found = [_NEVER] * len(before)
    todo = [(0, made.end)]
    while todo:
        far, state = heapq.heappop(todo)
        if far < found[state]:
            found[state] = far
            for one, size in before[state]:
                heapq.heappush(todo, (far + size, one))
    return found

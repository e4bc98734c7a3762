"""Text as token numbers and back by byte pairs: nothing is lost in any script, since the alphabet is the 256 bytes.

Token ``b`` below 256 is a byte, ``256 + k`` joins the two tokens of the k-th merge, and special tokens come last, or
take the place of a byte that texts do without; no text gives a special token, so that nobody can write one. (R.
Sennrich, B. Haddow and A. Birch (2016), Neural Machine Translation of Rare Words with Subword Units, ACL,
https://arxiv.org/abs/1508.07909; over bytes: A. Radford and others (2019), Language Models are Unsupervised Multitask
Learners, section 2.2.)
"""

import heapq
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from course_utils.language import say

BYTES = 256
Specials = Sequence[str] | Mapping[str, int]


class BytePairs:
    """A tokenizer: ``merges`` are pairs of earlier tokens, in the order in which they were learnt.

    ``specials`` are the names of the special tokens, which come behind all others, or names with numbers: one below 256
    takes the place of that byte, which is then left out of texts. ``split`` is a regular expression that cuts a text
    before it is encoded ("": not at all): its matches, and what stands between them, are encoded each by itself. Raises
    ValueError for a merge of tokens that are not there yet or comes twice, and for special tokens without a name or
    with another one's number.
    """

    def __init__(self, merges: Iterable[Sequence[int]], specials: Specials = (), split: str = "") -> None:
        self.merges = [(int(left), int(right)) for left, right in merges]
        self.split = split
        self.pieces = [bytes([one]) for one in range(BYTES)]  # what each token stands for; a special one: for nothing
        for left, right in self.merges:
            if not 0 <= min(left, right) <= max(left, right) < len(self.pieces):
                raise ValueError(say("a merge joins tokens that come behind it"))
            self.pieces.append(self.pieces[left] + self.pieces[right])
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        if len(self._ranks) < len(self.merges):
            raise ValueError(say("a merge comes twice"))
        self.specials = self._numbered(specials)
        self.longest = max(map(len, self.pieces))
        self.pieces += [b""] * (max([len(self.pieces) - 1, *self.specials.values()]) + 1 - len(self.pieces))
        self._taken = frozenset(number for number in self.specials.values() if number < BYTES)
        for number in self._taken:
            self.pieces[number] = b""
        try:
            self._cut = re.compile(split) if split else None
        except re.error as error:
            raise ValueError(say("the pattern that cuts texts is no regular expression")) from error
        self._named = re.compile("({})".format("|".join(map(re.escape, self.specials)))) if self.specials else None

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; the name of a special token in it is text like any other."""
        if self._cut is None:
            return self._joined(text)
        return [token for part in _parts(self._cut, text) for token in self._joined(part)]

    def encode_marked(self, text: str) -> list[int]:
        """The tokens of a text of our own, in which the names of special tokens mean these tokens."""
        if self._named is None:
            return self.encode(text)
        found: list[int] = []
        for part in self._named.split(text):
            found += [self.specials[part]] if part in self.specials else self.encode(part)
        return found

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; what is no UTF-8 becomes U+FFFD, special tokens nothing."""
        return b"".join(self.pieces[one] for one in tokens).decode("utf-8", "replace")

    def special(self, name: str) -> int:
        """The number of a special token. Raises KeyError for a name that is none."""
        return self.specials[name]

    def _numbered(self, specials: Specials) -> dict[str, int]:
        """Special tokens with their numbers, those of `specials` or the next ones behind the merges."""
        first = len(self.pieces)
        found = {str(name): first + n for n, name in enumerate(specials)}
        if isinstance(specials, Mapping):
            found = {str(name): int(number) for name, number in specials.items()}
        numbers = sorted(found.values())
        behind = [number for number in numbers if number >= BYTES]
        joined = {token for pair in self.merges for token in pair}
        if (
            len(found) < len(specials)
            or "" in found
            or len(set(numbers)) < len(numbers)
            or min(numbers, default=0) < 0
            or behind != list(range(first, first + len(behind)))
            or joined & set(numbers)
        ):
            raise ValueError(say("special tokens want names and numbers of their own, behind the merges or below 256"))
        return found

    def _joined(self, text: str) -> list[int]:
        """The bytes of a text with its pairs joined: the earliest merge first, from left to right.

        A heap holds every pair that could be joined, so that n bytes cost n · log n steps.
        """
        tokens = [byte for byte in text.encode("utf-8", "replace") if byte not in self._taken]
        after = [*range(1, len(tokens)), -1]
        before = list(range(-1, len(tokens) - 1))
        heap = []
        for place, pair in enumerate(itertools.pairwise(tokens)):
            if pair in self._ranks:
                heap.append((self._ranks[pair], place))
        heapq.heapify(heap)
        while heap:
            rank, left = heapq.heappop(heap)
            right = after[left]
            if right < 0 or self._ranks.get((tokens[left], tokens[right])) != rank:
                continue  # one of the two has been joined to another since
            tokens[left], tokens[right] = BYTES + rank, -1
            after[left] = after[right]
            if after[left] >= 0:
                before[after[left]] = left
            for place in (before[left], left):
                if place >= 0 and after[place] >= 0:
                    next_rank = self._ranks.get((tokens[place], tokens[after[place]]))
                    if next_rank is not None:
                        heapq.heappush(heap, (next_rank, place))
        return [token for token in tokens if token >= 0]

    def to_json(self) -> str:
        """What `from_json` reads."""
        said = {"form": "byte pairs", "merges": self.merges, "specials": self.specials, "split": self.split}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, content: str) -> "BytePairs":
        """The tokenizer of a file. Raises ValueError, KeyError or TypeError for one of another form."""
        said: Any = json.loads(content)
        if said["form"] != "byte pairs":
            raise ValueError(say("the tokenizer is not one of byte pairs"))
        return cls(said["merges"], said["specials"], str(said["split"]))


def _parts(pattern: re.Pattern[str], text: str) -> Iterable[str]:
    """The matches of a pattern and what stands between them, in their order."""
    end = 0
    for found in pattern.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        if found.end() > found.start():
            yield found.group()
        end = max(end, found.end())
    if end < len(text):
        yield text[end:]

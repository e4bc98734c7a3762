"""Tokens as text while they come: whole characters only, and nothing of what ends the text."""

import codecs
from collections.abc import Sequence


class Writing:
    """The text of one answer, token by token.

    ``pieces`` are the bytes of each token, ``end`` is the token behind a text (None: none), ``stop`` are texts at which
    it ends, of at least one character, and ``most`` is how many tokens it may have. ``finish`` is None, then "stop" or
    "length".
    """

    def __init__(self, pieces: Sequence[bytes], end: int | None, stop: Sequence[str], most: int) -> None:
        self.pieces, self.end, self.stop, self.most = pieces, end, tuple(stop), most
        self.finish: str | None = None
        self.tokens = 0
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")  # keeps half a character back
        self._held = ""  # may be the beginning of a stop text

    def add(self, token: int) -> str:
        """What is certain to be part of the text now that this token has come; perhaps nothing."""
        self.tokens += 1
        over = token == self.end
        if not over:
            self._held += self._bytes.decode(self.pieces[token])
        if over or self.tokens >= self.most:
            self._held += self._bytes.decode(b"", final=True)
            self.finish = "stop" if over else "length"
        if not self.stop:
            certain, self._held = self._held, ""
            return certain
        found = min((at for at in (self._held.find(one) for one in self.stop) if at >= 0), default=None)
        if found is not None:
            self.finish = "stop"
            certain, self._held = self._held[:found], ""
        elif self.finish:
            certain, self._held = self._held, ""
        else:
            keep = max((_begun(self._held, one) for one in self.stop), default=0)
            cut = len(self._held) - keep
            certain, self._held = self._held[:cut], self._held[cut:]
        return certain


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the beginning of a stop text."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)

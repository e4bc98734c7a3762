"""From logits to the next token of each sequence."""

import numpy as np


def choose(logits: np.ndarray, temperature: np.ndarray, top_p: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The next token of each of n sequences, int (n,), from logits float (n, vocabulary); −∞ is never chosen.

    ``temperature`` (n,) divides the logits; 0 takes the likeliest. ``top_p`` (n,) keeps the fewest tokens that have
    this share together (A. Holtzman and others (2020), The Curious Case of Neural Text Degeneration, section 3.1,
    https://arxiv.org/abs/1904.09751). ``uniform`` (n,), from 0 to below 1, decides: equal numbers, equal tokens.
    """
    chosen = logits.argmax(axis=1)
    warm = np.flatnonzero(temperature > 0)
    if len(warm):
        shares = kept(tempered(logits[warm], temperature[warm]), top_p[warm])
        rising = shares.cumsum(axis=1)
        chosen[warm] = (rising <= uniform[warm, None] * rising[:, -1:]).sum(axis=1)
    return chosen


def tempered(logits: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Softmax of logits (n, vocabulary) over temperatures (n,) above 0, float64."""
    logits = logits.astype(np.float64)
    with np.errstate(over="ignore"):  # a temperature of 1e-300 is 0 to all but the likeliest
        shares = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature[:, None])
    return shares / shares.sum(axis=1, keepdims=True)


def kept(shares: np.ndarray, top_p: np.ndarray) -> np.ndarray:
    """Shares (n, vocabulary) with 0 for each token outside the fewest that have ``top_p`` (n,) together.

    Tokens of equal shares go or stay together.
    """
    cut = np.flatnonzero(top_p < 1)
    if not len(cut):
        return shares
    falling = -np.sort(-shares[cut], axis=1)
    before = falling.cumsum(axis=1) - falling
    count = np.maximum(1, (before < top_p[cut, None]).sum(axis=1))
    least = np.take_along_axis(falling, count[:, None] - 1, axis=1)
    shares = shares.copy()
    shares[cut] = np.where(shares[cut] >= least, shares[cut], 0.0)
    return shares

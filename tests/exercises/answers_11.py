"""Right and wrong answers to the exercises of chapter 11, each written without the reference."""

import math

import numpy as np

BETS = ((np.arange(32) + 0.5) / 32) ** 2
GAMBLERS = (1 + BETS) / (1 - BETS)


def one_by_one(came, s, r, a):
    owned = 1.0
    for n, (its, share) in enumerate(zip(came, s, strict=True), 1):
        q = share * r / (share * r + 1 - share)
        owned *= q / share if its else (1 - q) / (1 - share)
        if owned >= 1 / a:
            return n
    return -1


def in_logarithms(came, s, r, a):
    steps = np.where(came > 0, np.log(r), 0.0) - np.log(r * s + 1 - s)  # q/s = r/(rs + 1 − s), (1 − q)/(1 − s) = 1/(…)
    rich = np.flatnonzero(np.cumsum(steps) >= -np.log(a))
    return rich[0] + 1 if rich.size else -1


def by_next(came, s, r, a):
    factor = r ** np.asarray(came) / (r * s + 1 - s)
    return next((n for n, owned in enumerate(np.cumprod(factor), 1) if owned >= 1 / a), -1)


def bet(came, s, r, a, *, q=None, product=np.cumprod, level=None, first=1, never=-1):
    q = r * s / (r * s + 1 - s) if q is None else q(r, s)
    owned = product(np.where(came == 1, q / s, (1 - q) / (1 - s)))
    rich = owned >= (1 / a if level is None else level(a))
    return int(rich.argmax()) + first if rich.any() else never


def no_guard(came, s, r, a):
    q = r * s / (r * s + 1 - s)
    return int((np.cumprod(np.where(came == 1, q / s, (1 - q) / (1 - s))) >= 1 / a).argmax()) + 1


def owned(came, guesses):
    q = guesses / (guesses + 1)
    logs = np.where(np.asarray(came)[:, None], np.log(2 * q), np.log(2 * (1 - q))).cumsum(axis=0)
    return np.exp(logs).mean(axis=1)


def in_a_loop(old, new, a):
    worse, better = np.ones(32), np.ones(32)
    q = GAMBLERS / (1 + GAMBLERS)
    for was, now in zip(old, new, strict=True):
        if -1 in (was, now) or was == now:
            continue
        worse = worse * 2 * (q if was else 1 - q)
        better = better * 2 * (1 - q if was else q)
        if worse.mean() >= 1 / a:
            return "stop"
        if better.mean() >= 1 / a:
            return "promote"
    return "wait"


def by_times(old, new, a):
    tell = (old * new == 0) & (old + new == 1)
    came = old[tell] == 1
    when = {}
    for word, guesses in (("stop", GAMBLERS), ("promote", 1 / GAMBLERS)):
        rich = np.flatnonzero(owned(came, guesses) >= 1 / a) if len(came) else []
        when[word] = rich[0] if len(rich) else math.inf
    first = min(when, key=when.get)
    return first if when[first] < math.inf else "wait"


def decided(old, new, a, *, tell=None, at_end=False, level=None, swapped=False, order=("stop", "promote")):
    kept = (old >= 0) & (new >= 0) & (old != new) if tell is None else tell(old, new)
    came = (new[kept] != 1) if tell is not None else old[kept] == 1
    if swapped:
        came = ~came
    enough = 1 / a if level is None else level
    when = {}
    for word, guesses in (("stop", GAMBLERS), ("promote", 1 / GAMBLERS)):
        rich = owned(came, guesses) >= enough if len(came) else np.zeros(1, bool)
        rich = rich[-1:] if at_end else rich
        when[word] = rich.argmax() if rich.any() else math.inf
    if when["stop"] == when["promote"]:
        return "wait"
    if order == "soonest" or tell is not None or at_end or level or swapped:
        return min(when, key=when.get)
    return next(word for word in order if when[word] < math.inf)


def by_count(old, new, a):
    lost, gained = ((old == 1) & (new == 0)).sum(), ((old == 0) & (new == 1)).sum()
    return "stop" if lost > gained else "promote" if gained > lost else "wait"


def by_running_maximum(came, s, r, a):
    highest = np.maximum.accumulate(np.cumprod(np.where(came == 1, r, 1) / (r * s + 1 - s)))
    return np.int64(np.searchsorted(highest, 1 / a)) + 1 if highest[-1] >= 1 / a else -1


def present_share_for_all(came, s, r, a):
    """The chapter's `wealth(came, s, [r])`, with s as an array."""
    k, n, q = np.cumsum(came), np.arange(1, len(came) + 1), r * s / (r * s + 1 - s)
    rich = np.exp(k * np.log(q / s) + (n - k) * np.log((1 - q) / (1 - s))) >= 1 / a
    return int(rich.argmax()) + 1 if rich.any() else -1


def not_divided(came, s, r, a):
    rich = np.cumprod(np.where(came == 1, r / (r * s + 1 - s), (1 - s) / (r * s + 1 - s))) >= 1 / a
    return int(rich.argmax()) + 1 if rich.any() else -1


def all_gamblers(came, s, r, a):
    owned = np.ones(32)
    for n, (its, share) in enumerate(zip(came, s, strict=True), 1):
        owned = owned * np.where(its, GAMBLERS, 1) / (GAMBLERS * share + 1 - share)
        if owned.mean() >= 1 / a:
            return n
    return -1


def with_coins(old, new, a, both=(), *, level=None, guesses=GAMBLERS, every=1, unknown=None):
    """Bet by bet over the known digits; ``both``: what a digit is worth on which both err."""
    level = 1 / a if level is None else level
    worse, better, seen = np.ones(len(guesses)), np.ones(len(guesses)), 0
    q = np.asarray(guesses) / (1 + np.asarray(guesses))
    for was, now in zip(old, new, strict=True):
        if unknown is not None:
            was, now = (unknown if one == -1 else one for one in (was, now))
        if -1 in (was, now):
            continue
        seen += 1
        for coin in both if was == now == 0 else ((was,) if was != now else ()):
            worse, better = worse * 2 * (q if coin else 1 - q), better * 2 * (1 - q if coin else q)
            if every == 1 and max(worse.mean(), better.mean()) >= level:
                return "stop" if worse.mean() >= level else "promote"
        if every > 1 and seen % every == 0 and max(worse.mean(), better.mean()) >= level:
            return "stop" if worse.mean() >= level else "promote"
    return "wait"


def raw(old, new, a):
    """-1 forgotten: the mask is `old != new` alone."""
    tell = old != new
    return with_coins((old == 1)[tell] * 1, (old != 1)[tell] * 1, a) if tell.any() else "wait"


def by_ratio(old, new, a):
    known = (old >= 0) & (new >= 0) & (old != new)
    if not known.any():
        return "wait"
    ratio = np.log(owned(old[known], GAMBLERS) / owned(old[known], 1 / GAMBLERS))
    far = np.flatnonzero(np.abs(ratio) >= np.log(1 / a))
    return "wait" if not len(far) else "stop" if ratio[far[0]] > 0 else "promote"


RIGHT = {
    "11-1": [one_by_one, in_logarithms, by_next, by_running_maximum],
    "11-2": [in_a_loop, by_times, with_coins, lambda *given: np.str_(with_coins(*given))],
}

WRONG = {
    "11-1": [
        (lambda came, s, r, a: bet(came, s[0], r, a), "the first share"),
        (lambda came, s, r, a: bet(came, s[-1], r, a), "the last share"),
        (lambda came, s, r, a: bet(came, s.mean(), r, a), "the mean share"),
        (lambda *given: bet(*given, q=lambda r, s: r / (1 + r) + 0 * s), "the share left out"),
        (lambda came, s, r, a: bet(1 - came, s, r, a), "the other way round"),
        (lambda *given: bet(*given, product=np.cumsum), "a sum"),
        (lambda *given: bet(*given, level=lambda a: a), "a for 1/a"),
        (lambda *given: bet(*given, first=0), "counted from nought"),
        (lambda *given: bet(*given, never=0), "0 for never"),
        (no_guard, "argmax alone"),
        (present_share_for_all, "all errors at one share"),
        (not_divided, "not divided by 1 − s"),
        (all_gamblers, "all the gamblers"),
        (lambda came, s, r, a: bet(came, s, 1 / r, a), "the other guess"),
        (lambda *given: bet(*given, level=lambda a: 100), "always 100"),
        (lambda *given: bet(*given, level=lambda a: 1 / (0.9 * a)), "value"),
        (lambda *given: bet(*given, level=lambda a: 1 / (1.1 * a)), "perhaps counted from nought"),
        (lambda *given: str(one_by_one(*given)), "type"),
        (lambda *given: np.array([one_by_one(*given)]), "shape"),
        (lambda came, s, r, a: "stop", "type"),
    ],
    "11-2": [
        (raw, "what is missing"),
        (lambda *given: with_coins(*given, unknown=0), "what is missing is wrong"),
        (lambda old, new, a: decided(old, new, a, tell=lambda old, new: (old >= 0) & (new >= 0)), "all answers"),
        (lambda old, new, a: decided(old, new, a, at_end=True), "at the end"),
        (lambda old, new, a: decided(old, new, a), "stop goes first"),
        (lambda old, new, a: decided(old, new, a, order=("promote", "stop")), "promote goes first"),
        (lambda old, new, a: decided(old, new, a, swapped=True), "the other way round"),
        (lambda old, new, a: decided(old, new, a, level=20), "another level"),
        (by_count, "accuracy"),
        (lambda *given: with_coins(*given, both=(0, 1)), "both wrong, twice"),
        (lambda *given: with_coins(*given, both=(1, 0)), "both wrong, twice"),
        (lambda *given: with_coins(*given, both=(1,)), "both wrong"),
        (lambda *given: with_coins(*given, both=(0,)), "value"),
        (lambda old, new, a: with_coins(old, new, a, level=2 / a), "2/a"),
        (lambda old, new, a: with_coins(old, new, a, level=1.5 / a), "value"),
        (lambda old, new, a: with_coins(old, new, a, level=0.7 / a), "value"),
        (lambda old, new, a: with_coins(old, new, a, level=100), "always 100"),
        (lambda *given: with_coins(*given, guesses=[2.0]), "one guess"),
        (lambda *given: with_coins(*given, guesses=[4.0]), "value"),
        (lambda *given: with_coins(*given, every=50), "every fifty"),
        (lambda *given: with_coins(*given, unknown=1), "what is missing is right"),
        (by_ratio, "the ratio"),
        (lambda *given: with_coins(*given).upper(), "capitals"),
        (lambda old, new, a: "stop" if in_a_loop(old, new, a) == "stop" else "promote", "never waits"),
        (lambda old, new, a: in_a_loop(old, new, a).replace("promote", "wait"), "never promotes"),
        (lambda old, new, a: True, "type"),
    ],
}

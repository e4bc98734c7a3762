"""The exercises of chapter 12, A language model of your own."""

import numpy as np

from course_utils import evaluate
from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 12-1 ---------------------------------------------------------------------------------------------------------------


def may_say(said, tokens, answers):
    """Which of ``tokens`` may follow ``said`` on the way to one of ``answers``; bool (tokens,). The token "" ends."""
    return _may(said, tokens, answers)


def _may(said, tokens, answers, *, fits="begins", end="whole", among="all", alike=str):
    """`may_say`; the options are mistakes."""
    if among == "first":
        answers = [next((a for a in answers if a.startswith(said)), "")]
    allowed = []
    for token in tokens:
        if token == "":
            allowed.append({"whole": said in answers, "never": False, "always": True}[end])
            continue
        text = said + token
        allowed.append(
            {
                "begins": any(alike(a).startswith(alike(text)) for a in answers),
                "within": any(a.startswith(said) and token in a[len(said) :] for a in answers),
                "anywhere": any(text in a for a in answers),
                "token alone": any(a.startswith(token) for a in answers),
                "finishes": text in answers,
                "one letter": any(a.startswith(text[: len(said) + 1]) for a in answers),
                "overshoots": any(a.startswith(text) or (a and text.startswith(a)) for a in answers),
                "other way": any(text.startswith(a) for a in answers),
                "not whole": said not in answers and any(a.startswith(text) for a in answers),
            }[fits]
        )
    return np.array(allowed)


def _may_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _may(*given, **option)

    def numbers(*given):
        return np.flatnonzero(_may(*given))

    def the_tokens(said, tokens, answers):
        return [token for token, may in zip(tokens, _may(said, tokens, answers), strict=True) if may]

    def as_a_mask(*given):
        return np.where(_may(*given), 0.0, -np.inf)

    def one_for_all(*given):
        return bool(_may(*given).any())

    def no_special_end(said, tokens, answers):
        return np.array([any(a.startswith(said + token) for a in answers) for token in tokens])

    return [
        Mistake(
            "end as any token",
            no_special_end,
            'The empty token "" ends the answer. `startswith` finds that it fits everywhere; it may be said only where '
            "`said` is a whole answer.",
        ),
        Mistake(
            "no end",
            with_option(end="never"),
            'Where `said` is a whole answer, the empty token "" may be said: it ends the answer. Without it the model '
            "could never stop.",
        ),
        Mistake(
            "end at any time",
            with_option(end="always"),
            'The empty token "" ends the answer, so it may be said only where `said` is a whole answer: half a record '
            "is no record.",
        ),
        Mistake(
            "somewhere in the rest",
            with_option(fits="within"),
            "The token must stand *next*, not somewhere in what is left of an answer: an answer has to begin with "
            "`said + token`.",
        ),
        Mistake(
            "somewhere in an answer",
            with_option(fits="anywhere"),
            "`in` finds the text anywhere in an answer. It must stand at the beginning: `startswith`.",
        ),
        Mistake(
            "what was said is left out",
            with_option(fits="token alone"),
            "What was said already counts: an answer has to begin with `said + token`, not with the token alone.",
        ),
        Mistake(
            "only the last token",
            with_option(fits="finishes"),
            "That allows a token only where it completes an answer. It is enough that some answer *begins* with "
            "`said + token`.",
        ),
        Mistake(
            "first letter only",
            with_option(fits="one letter"),
            "You look at the first letter of the token only. A token has several: all of them must fit.",
        ),
        Mistake(
            "too long",
            with_option(fits="overshoots"),
            "A token that says more than an answer holds leads to no answer: `said + token` has to be the beginning of "
            "one, not the other way round.",
        ),
        Mistake(
            "the other way round",
            with_option(fits="other way"),
            "You ask whether `said + token` begins with an answer. Ask whether an *answer* begins with `said + token`.",
        ),
        Mistake(
            "no more once whole",
            with_option(fits="not whole"),
            "A whole answer may be the beginning of a longer one (bug, bugs): then the token that goes on is allowed, "
            "and so is the end.",
        ),
        Mistake(
            "case left aside",
            with_option(alike=str.lower),
            "An answer counts as it is written: B is not b. Compare without `lower`.",
        ),
        Mistake(
            "space left aside",
            with_option(alike=str.strip),
            "A space is a character like any other: compare without `strip`.",
        ),
        Mistake(
            "minus infinity", as_a_mask, "Those are 0 and −∞, what is added to logits. Return a bool for each token."
        ),
        Mistake("one for all", one_for_all, "That is one truth value. Return one for each token."),
        Mistake(
            "one answer only",
            with_option(among="first"),
            "You follow one answer. Several may still be possible: a token is allowed if *any* of them goes on with "
            "it.",
        ),
        Mistake("numbers", numbers, "Those are the numbers of the allowed tokens. Return a bool for each token."),
        Mistake("tokens", the_tokens, "Those are the allowed tokens themselves. Return a bool for each token."),
    ]


_TEAMS = ["account", "billing", "bug", "feature", "howto", "sales"]
_PIECES = ["", "a", "b", "ac", "acc", "ill", "ug", "bug", "ing", "count", "bugs", "f", "how", "to", "wto", "s", "o"]
_FLAGS = ['{"urgent": true}', '{"urgent": false}', '{"urgent": null}', "null"]
_BITS = ["", "{", '{"', "null", "n", 't": ', "urgent", "ent", '": ', "true", "tr", "rue", "e}", "}", "fal", "u"]

_MAY_CASES = [
    ("", _PIECES, _TEAMS),
    ("b", _PIECES, _TEAMS),
    ("bug", _PIECES, _TEAMS),
    ("acc", ["count", "o", "ount", "ountant", "", "b", "unt"], _TEAMS),
    ("how", ["to", "t", "", "tos", "wto", "o"], _TEAMS),
    ("", _BITS, _FLAGS),
    ('{"urg', _BITS, _FLAGS),
    ('{"urgent": ', _BITS, _FLAGS),
    ("null", _BITS, _FLAGS),
    # one answer is the beginning of another
    ("bug", ["", "s", "sy", "gy", "b"], ["bug", "bugs", "billing"]),
    # said what leads nowhere: a schema that can no longer be met
    ("x", _PIECES, _TEAMS),
    # a capital, a space, and what a regular expression would read as a sign
    ("b", ["", "ug", "UG", "ug ", " ", ".g", "u."], _TEAMS),
    ("", ["", "B", "Bug", "b", " b", "b.g", ".*"], _TEAMS),
    ("bug", ["", " ", "s", "s ", "S"], ["bug", "bugs", "bug fix"]),
    # characters outside ASCII
    ("", ["", "账", "账单", "户", "é"], ["账单", "账户", "été"]),
    ("账", ["", "账", "单", "户", "户头"], ["账单", "账户", "été"]),
]

# 12-2 ---------------------------------------------------------------------------------------------------------------


def what_pays(wrong, n, invalid, fixed, each, v, repair):
    """The number of the route with the least bill at ``v`` records a month, of those without an invalid record; or -1.

    Wrong records are counted at the upper end of the 95 % interval of their share.
    """
    return _pays(wrong, n, invalid, fixed, each, v, repair)


def _pays(
    wrong,
    n,
    invalid,
    fixed,
    each,
    v,
    repair,
    *,
    end="high",
    leaves=(),
    none=-1,
    pick="bill",
    at_most=0.0,
    last=False,
    most=False,
    thousand=False,
    volume_of_all=False,
    ignore_invalid=False,
    all_or_none=False,
    fewest=0,
):
    """`what_pays`; the options are mistakes."""
    wrong, n, invalid, fixed, each = (np.asarray(one, float) for one in (wrong, n, invalid, fixed, each))
    level = {"90": 0.9, "99": 0.99}.get(end, 0.95)
    if end == "right":
        wrong = n - wrong
    shares = [evaluate.share(int(w), int(m), level=level) for w, m in zip(wrong, n, strict=True)]
    part = {"value": 0, "low": 1}.get(end, 2)
    share = np.array([one[part] for one in shares])
    if end == "plain":
        p = wrong / n
        share = p + 1.96 * np.sqrt(p * (1 - p) / n)
    if end in ("one more", "two more"):
        more = 1 if end == "one more" else 2
        share = (wrong + more) / (n + 2 * more)
    items = {
        "fixed": v * fixed if volume_of_all else fixed,
        "each": v * each / (1000 if thousand else 1),
        "repair": v * repair * share if "volume of repairs" not in leaves else repair * share,
    }
    bill = sum(item for name, item in items.items() if name not in leaves)
    by = {"bill": bill, "wrong": share, "each": each, "fixed": fixed}[pick]
    fit = np.flatnonzero(invalid / n <= at_most) if not ignore_invalid else np.arange(len(n))
    fit = fit[n[fit] >= fewest]
    if not len(fit) or (all_or_none and invalid.any()):
        return none
    best = by[fit] == (by[fit].max() if most else by[fit].min())
    return int(fit[best][-1 if last else 0])


def _pays_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _pays(*given, **option)

    def place_among_the_valid(wrong, n, invalid, fixed, each, v, repair):
        keep = np.asarray(invalid) == 0
        if not keep.any():
            return -1
        rest = [np.asarray(one)[keep] for one in (wrong, n, invalid, fixed, each)]
        return _pays(*rest, v, repair)

    def bills(wrong, n, invalid, fixed, each, v, repair):
        high = np.array([evaluate.share(int(w), int(m)).high for w, m in zip(wrong, n, strict=True)])
        return np.asarray(fixed) + v * (np.asarray(each) + repair * high)

    def zero_for_none(*given):
        return max(_pays(*given), 0)

    def on_arrays(wrong, n, *rest):
        return evaluate.share(wrong, n).high

    def from_one(*given):
        best = _pays(*given)
        return best + 1 if best >= 0 else -1

    def in_a_list(*given):
        return [_pays(*given)]

    width = "Your interval is not the one of 95 %. Use `evaluate.share(k, m).high` as it stands."
    added = (
        "That draws the share towards a half by records that you add; the interval's upper end is higher. Use "
        "`evaluate.share(k, m).high`."
    )
    return [
        Mistake(
            "all routes at once",
            on_arrays,
            "`evaluate.share` takes two whole numbers. Call it once for each route, in a loop over `zip(wrong, n)`.",
        ),
        Mistake(
            "the estimate",
            with_option(end="value"),
            "That counts wrong / n, the estimate. A route that was tried on few records would win by luck: take the "
            "upper end, `evaluate.share(k, m).high`.",
        ),
        Mistake(
            "lower end", with_option(end="low"), "That is the lower end of the interval, the kindest. Take `.high`."
        ),
        Mistake(
            "plain interval",
            with_option(end="plain"),
            "The plain interval has no width where nothing was wrong. Use `evaluate.share(k, m).high`.",
        ),
        Mistake("90 %", with_option(end="90"), width),
        Mistake("99 %", with_option(end="99"), width),
        Mistake("one added", with_option(end="one more"), added),
        Mistake("two added", with_option(end="two more"), added),
        Mistake(
            "share of right ones",
            with_option(end="right"),
            "That is the share of records that were *right*. Repairs are paid for the wrong ones.",
        ),
        Mistake(
            "few records left out",
            with_option(fewest=7),
            "Leave no route out because few records were tried: the upper end of its interval says it already.",
        ),
        Mistake(
            "invalid records",
            with_option(ignore_invalid=True),
            "A route that wrote even one invalid record is out, however cheap: leave out where `invalid` is not 0.",
        ),
        Mistake(
            "a few invalid records",
            with_option(at_most=0.01),
            "One invalid record in a hundred is not none: leave out every route where `invalid` is not 0.",
        ),
        Mistake(
            "any invalid record",
            with_option(all_or_none=True),
            "One route with an invalid record puts only itself out, not the others.",
        ),
        Mistake(
            "fixed for each record",
            with_option(volume_of_all=True),
            "`fixed` is paid once a month, not for each record: multiply only `each` and the repairs by `v`.",
        ),
        Mistake(
            "fixed left out",
            with_option(leaves=("fixed",)),
            "The fixed dollars of a month are missing: they decide at small volumes.",
        ),
        Mistake(
            "running left out",
            with_option(leaves=("each",)),
            "What a record costs to run, `v * each`, is missing: it decides at large volumes.",
        ),
        Mistake(
            "repairs left out",
            with_option(leaves=("repair",)),
            "A wrong record has to be repaired: `v * repair` times the share of wrong ones is missing.",
        ),
        Mistake(
            "one repair",
            with_option(leaves=("volume of repairs",)),
            "The share of wrong records counts for each of the `v` records: multiply by `v`.",
        ),
        Mistake(
            "price of a thousand",
            with_option(thousand=True),
            "`each` is the price of *one* record already: do not divide by 1,000.",
        ),
        Mistake("least wrong", with_option(pick="wrong"), "That is the route with the fewest errors. Add up its bill."),
        Mistake(
            "cheapest to run", with_option(pick="each"), "That is the route that is cheapest to run. Add up its bill."
        ),
        Mistake(
            "least fixed", with_option(pick="fixed"), "That is the route with the least fixed dollars. Add up its bill."
        ),
        Mistake(
            "place among the valid",
            place_among_the_valid,
            "That is the place among the routes that were left over. Return the route's number among *all*: give the "
            "others an infinite bill, for instance.",
        ),
        Mistake("0 for none", zero_for_none, "Where every route wrote invalid records, `argmin` gives 0. Return -1."),
        Mistake("None for none", with_option(none=None), "Where every route wrote invalid records, return -1."),
        Mistake("last of equals", with_option(last=True), "Where bills are equal, the first route ships."),
        Mistake("dearest", with_option(most=True), "That is the route with the *greatest* bill: take the least."),
        Mistake("from one", from_one, "Routes are numbered from 0, as `argmin` does."),
        Mistake("in a list", in_a_list, "Return the number itself, not a list that holds it."),
        Mistake("bills", bills, "Those are the bills. Return the number of the route with the least, from 0."),
    ]


def _routes(*rows, v, repair):
    """Rows (wrong, n, invalid, US$ a month, US$ a record) -> the arguments of `what_pays`."""
    wrong, n, invalid, fixed, each = map(np.array, zip(*rows, strict=True))
    return wrong, n, invalid, fixed.astype(float), each.astype(float), v, float(repair)


_PAYS_CASES = [
    # counted words and rules · a model of one's own · somebody else's · a script that breaks now and then
    _routes(
        (104, 400, 0, 600, 0), (200, 400, 0, 2400, 0), (10, 100, 0, 900, 0.004), (0, 400, 3, 0, 0), v=500, repair=1
    ),
    _routes(
        (104, 400, 0, 600, 0), (200, 400, 0, 2400, 0), (10, 100, 0, 900, 0.004), (0, 400, 3, 0, 0), v=9000, repair=1
    ),
    # tried on six records, all right: luck
    _routes((30, 400, 0, 500, 0.001), (0, 6, 0, 500, 0.001), v=10_000, repair=0.5),
    # tried on six records, and it pays all the same
    _routes((300, 400, 0, 500, 0.001), (0, 6, 0, 100, 0.001), v=10_000, repair=0.5),
    _routes((2, 5, 0, 100, 0.001), (1, 3, 0, 9_000, 0.001), v=1_000, repair=0.5),
    # nothing wrong in either, but in one of more records
    _routes((0, 50, 0, 100, 0.002), (0, 4000, 0, 300, 0.002), v=20_000, repair=0.6),
    # the interval's width decides
    _routes((40, 200, 0, 100, 0), (76, 400, 0, 160, 0), v=5_000, repair=0.62),
    _routes((3, 40, 0, 100, 0), (40, 400, 0, 100, 0), v=5_000, repair=0.62),
    _routes((2, 20, 0, 100, 0), (110, 400, 0, 100, 0), v=5_000, repair=0.62),
    # one invalid record in four hundred, and in the first place
    _routes((20, 400, 1, 100, 0), (60, 400, 0, 100, 0), (50, 400, 0, 100, 0), v=3_000, repair=0.5),
    # the price of a record decides
    _routes((60, 400, 0, 100, 0.05), (64, 400, 0, 100, 0.001), v=50_000, repair=0.5),
    # luck at 95 % that 90 % takes for skill, and skill that the lower end takes for luck
    _routes((3, 40, 0, 100, 0), (700, 4000, 0, 100, 0), v=5_000, repair=0.62),
    _routes((4, 20, 0, 100, 0), (700, 4000, 0, 100, 0), v=5_000, repair=0.62),
    # even a thousandth of the price would decide
    _routes((60, 400, 0, 0, 0.05), (60, 400, 0, 1, 0), v=50_000, repair=0.5),
    # none
    _routes((0, 400, 1, 1, 0), (10, 400, 2, 1, 0), v=100, repair=1),
    # all equal
    _routes((10, 400, 0, 50, 0.001), (10, 400, 0, 50, 0.001), v=1_000, repair=1),
    # few records a month
    _routes((100, 400, 0, 0, 0), (20, 400, 0, 1500, 0), v=50, repair=2),
    _routes((100, 400, 5, 0, 0), (20, 400, 0, 1500, 0), (150, 400, 0, 20, 0), v=50, repair=2),
]

EXERCISES = (
    Exercise(
        "12-1",
        "A mask for a list of answers",
        "modify",
        7,
        "Write `may_say(said, tokens, answers)`: for each token a bool, whether `said + token` is the beginning of one "
        'of the answers; the empty token "" ends, and may be said where `said` is a whole answer. Put your code where '
        "the three dots stand.",
        function(may_say, _MAY_CASES, mistakes=_may_mistakes()),
    ),
    Exercise(
        "12-2",
        "Which route pays?",
        "decide",
        7,
        "Write `what_pays(wrong, n, invalid, fixed, each, v, repair)`: the number, from 0, of the route with the least "
        "bill a month, `fixed + v * (each + repair * share)`, where the share of wrong records is the upper end of its "
        "95 % interval, of the routes without an invalid record; -1 where there is none. Put your code where the three "
        "dots stand.",
        function(what_pays, _PAYS_CASES, mistakes=_pays_mistakes()),
    ),
)

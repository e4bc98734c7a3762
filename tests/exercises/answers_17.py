"""Right and wrong answers to the exercises of chapter 17, each written without the reference."""


def by_ranks(readings):
    names = ["holds", "holds with a condition", "misprinted"]
    ranks = [["nothing", "a condition", "a symbol"].index(change) for change, held in readings if held is True]
    if ranks:
        return names[min(ranks)]
    results = [held for _, held in readings]
    return "unverifiable" if None in results or not results else "wrong"


def step_by_step(readings):
    tried = dict.fromkeys(["nothing", "a condition", "a symbol"], False)
    unknown = not readings
    for change, held in readings:
        if held:
            tried[change] = True
        if held is None:
            unknown = True
    if tried["nothing"]:
        return "holds"
    if tried["a condition"]:
        return "holds with a condition"
    if tried["a symbol"]:
        return "misprinted"
    return "unverifiable" if unknown else "wrong"


def without_none(readings):
    return "wrong" if (found := by_ranks(readings)) == "unverifiable" and readings else found


def spoilt(readings):
    return "unverifiable" if any(held is None for _, held in readings) else by_ranks(readings)


def empty_is_wrong(readings):
    return by_ranks(readings) if readings else "wrong"


def literal(readings):
    results = [held for _, held in readings]
    if ("nothing", True) in readings:
        return "holds"
    if any(results):
        return "unverifiable" if None in results else "wrong"
    return by_ranks(readings)


def loop(judge, observed, might_have_been):
    names = []
    for name in might_have_been:
        other = dict(observed)
        other[name] = might_have_been[name]
        if judge(other) != judge(observed):
            names.append(name)
    return names


def filtered(judge, observed, might_have_been):
    before = judge(observed)
    return list(filter(lambda name: judge(observed | {name: might_have_been[name]}) != before, might_have_been))


def together(judge, observed, might_have_been):
    return list(might_have_been) if judge(observed | might_have_been) != judge(observed) else []


def piling_up(judge, observed, might_have_been):
    state, names = dict(observed), []
    for name, value in might_have_been.items():
        before = judge(state)
        state[name] = value
        names += [name] if judge(state) != before else []
    return names


RIGHT = {"17-1": [by_ranks, step_by_step], "17-2": [loop, filtered]}

WRONG = {
    "17-1": [
        (without_none, "not run is false"),
        (spoilt, "one not run spoils all"),
        (empty_is_wrong, "no reading at all"),
        (literal, "as printed only"),
        (
            lambda readings: by_ranks([one for one in readings if one[0] != "a symbol" or one[1] is not True]),
            "no misprints",
        ),
        (lambda readings: by_ranks(readings).upper(), "another word", '"holds with a condition"'),
    ],
    "17-2": [
        (together, "all at once"),
        (piling_up, "one after another"),
        (
            lambda judge, observed, other: [name for name in other if name not in loop(judge, observed, other)],
            "those that keep it",
        ),
        (lambda judge, observed, other: sorted(loop(judge, observed, other)), "sorted"),
        (lambda judge, observed, other: [name for name in other if other[name] != observed[name]], "every other value"),
        (lambda judge, observed, other: len(loop(judge, observed, other)), "type"),
    ],
}

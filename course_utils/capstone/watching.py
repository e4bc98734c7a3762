"""Step 7, first half: the version that answers, the way back, and an alarm that states its false alarms."""

import re

from course_utils.capstone import commands
from course_utils.capstone.question import FILE
from course_utils.capstone.work import Work, contradicts, missing, refusing
from course_utils.errors import near_misses
from course_utils.language import say


def reversible(work: Work) -> str:
    """The registry has the model promoted, signed, another version behind it, and the way back was tried."""
    from course_utils.rollout.registry import Registry

    if not Registry.is_one(work.at(commands.VERSIONS)):
        raise missing(
            say("There is no registry {folder}.", folder=commands.VERSIONS),
            say("First stands there what was done before the model, then the model."),
            commands.add(commands.BEFORE),
        )
    whole = say("The log is whole, and each version in it is the one that was added, signed with {key}.",
                key=commands.PUBLIC)  # fmt: skip
    registry = Registry(work.at(commands.VERSIONS), work.at(commands.PUBLIC))
    with refusing(whole, f"course registry {commands.VERSIONS} log"):
        state, history = registry.state, registry.history()
    before = [version for version in state.versions if version != work.version]
    expected = say("Version {version}, the model that passed the gate, is the champion.", version=work.version)
    first = say("What was done before is promoted first, so that there is something to go back to.")
    if state.champion is None and before:
        raise missing(say("No version was promoted yet."), first, commands.promote(before[-1]))
    if work.version not in state.versions:
        raise missing(
            say("The registry does not have version {version}.", version=work.version), expected, commands.add()
        )
    if state.champion is None:
        raise missing(say("No version was promoted yet."), expected, commands.promote(work.version))
    if state.champion != work.version:
        raise contradicts(
            say("Version {version} is the champion.", version=state.champion), expected, commands.promote(work.version)
        )
    if not state.past:
        mend = commands.promote(before[-1]) if before else commands.add(commands.BEFORE)
        raise missing(say("There is no version before the champion."), first, mend)
    with refusing(whole, commands.add()):
        registry.folder_of(state.champion)
    with refusing(whole, commands.add(commands.BEFORE)):
        registry.folder_of(state.past[-1])
    if not any(one["event"] == "rollback" for one in history):
        raise missing(
            say("Nobody has tried the way back yet."),
            say("A rollback stands in the log, and the model was promoted again after it."),
            commands.rollback(),
        )
    return say(
        "Version {version} answers, {before} is what a rollback goes back to, and that was tried.",
        version=work.version,
        before=state.past[-1],
    )


def alarmed(work: Work) -> str:
    """An alarm on a number that the service counts, with a limit, its false alarms, and somebody who acts."""
    from course_utils.serving.meters import Meters

    asked = work.asked
    left = asked.still_open("alarm")
    if left:
        raise missing(
            say("Still open under [alarm] in {file}: {keys}.", file=FILE, keys=", ".join(left)),
            say("What is watched, from which limit on, how often it rings for nothing, and who then does what."),
            commands.edit(),
        )
    known = re.findall(r"^# TYPE (course_\w+) ", Meters("", "", "").text().decode(), re.MULTILINE)
    name = re.match(r"\w*", asked.watch)[0]
    bare = re.sub(r"_(total|bucket|sum|count)$", "", name)
    if name not in known and bare not in {re.sub(r"_total$", "", one) for one in known}:
        raise contradicts(
            say("The service counts nothing that is called {name}.", name=name or asked.watch)
            + near_misses(name, sorted(set(known))),
            say("watch in {file} is a metric of the service’s /metrics.", file=FILE),
            commands.edit(),
        )
    return say(
        "The alarm rings from {limit:g} of {watch} on, for nothing on {share:.1%} of the days; then: {then}",
        limit=asked.limit,
        watch=asked.watch,
        share=asked.false_alarms,
        then=asked.then,
    )

"""What a check cannot judge, for a colleague: criteria with what 0, 1 and 2 points look like."""

from typing import NamedTuple

from course_utils.language import say

ENOUGH = 14  # points, of twenty: a decision that a colleague would sign


class Criterion(NamedTuple):
    """A question to the colleague, and what each number of points looks like."""

    name: str
    question: str
    points: tuple[str, str, str]


def criteria() -> tuple[Criterion, ...]:
    """The criteria, in the order of the steps."""
    return (
        Criterion(
            say("The question"),
            say("Is it worth an answer, and would the answer change what somebody does on Monday?"),
            (
                say("A topic (“sort our mails better”), and nobody is named who decides."),
                say("Who decides what is said; what happens if the answer is no is not."),
                say("Who decides, by when, and what is done either way; a number decides between the two."),
            ),
        ),
        Criterion(
            say("The costs"),
            say("Would you believe the minutes by hand, the minutes of an error, and the class that must be found?"),
            (
                say("Round numbers without a source, or those of the example."),
                say("A source is named for some; the rest is guessed, and said to be."),
                say("Each was counted or asked for, and how the choice would change with another value is said."),
            ),
        ),
        Criterion(
            say("The data"),
            say("Are they the messages that the service will get?"),
            (
                say("Where they come from, and when, is not said."),
                say("Source and time are said; what differs from tomorrow’s messages is not."),
                say("It is said who is missing, what has changed since, and what a wrong label would cost."),
            ),
        ),
        Criterion(
            say("Looking"),
            say("Did somebody read messages, the doubtful labels among them, and learn something from it?"),
            (
                say("Counts only."),
                say("Some were read; what was found is general (“noisy”)."),
                say("Single messages are quoted (without names of people), and something was mended or decided."),
            ),
        ),
        Criterion(
            say("The baseline"),
            say("Was the model compared with what is done today, and with the simplest thing that could work?"),
            (
                say("Models with each other only."),
                say("A baseline is in the table, and the report does not speak of it."),
                say("What the model gains on people alone, and on the simplest model, is in the first sentences."),
            ),
        ),
        Criterion(
            say("The interval"),
            say("Would you believe the numbers, and does the report believe them no more than it may?"),
            (
                say("Single numbers, or a winner by the third digit."),
                say("Intervals are quoted; the decision is taken as if they were not there."),
                say("The decision holds at both ends of the interval, or it is said at which end it would not."),
            ),
        ),
        Criterion(
            say("Tests of your own"),
            say("Would they stop a model that is wrong in the way that hurts this team?"),
            (
                say("The example, with other words."),
                say("They are about this team’s messages, and any model passes."),
                say("At least one comes from a mistake that was seen, and it is said which model would fail it."),
            ),
        ),
        Criterion(
            say("The service"),
            say("Do rate, p99 and memory come from the people who will wait for the answer?"),
            (
                say("Numbers that the machine happened to hold."),
                say("Numbers with a reason; what happens beyond them is not said."),
                say("The rate is that of the busiest hour, and it is said what users see when it is exceeded."),
            ),
        ),
        Criterion(
            say("The alarm and the way back"),
            say("If the model goes wrong on a Friday evening: who notices, when, and what do they type?"),
            (
                say("A limit without a reason, or nobody who reads it."),
                say("A limit with its false alarms, and a person; what the alarm cannot see is not said."),
                say("The false alarms were counted on old days, the blind spot is named, and the way back was tried."),
            ),
        ),
        Criterion(
            say("The decision"),
            say("Could the person who decides read the report in five minutes, and say yes or no?"),
            (
                say("A description of the work."),
                say("A decision, with its reasons spread over the pages."),
                say("The decision first, its three numbers beside it, then what would overturn it."),
            ),
        ),
    )


def text() -> str:
    """The rubric in Markdown, which can be read in a terminal, too."""
    found = criteria()
    parts = [
        say("# Rubric of the capstone"),
        say(
            "For a colleague. First let `course capstone check` say what a program can tell; then read `report.md`, "
            "and give 0, 1 or 2 points for each criterion. {enough} of {most} is a decision that you would sign, if "
            "none has 0. Write a sentence beside each that has less than 2: what would make it a 2?",
            enough=ENOUGH,
            most=2 * len(found),
        ),
    ]
    for number, one in enumerate(found, 1):
        parts.append(say("## {number}. {name}", number=number, name=one.name))
        parts.append(one.question)
        levels = [say("* {points}: {looks}", points=points, looks=looks) for points, looks in enumerate(one.points)]
        parts.append("\n".join([*levels, say("* Points, and why:")]))
    return "\n\n".join(parts) + "\n"

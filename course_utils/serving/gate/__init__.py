"""The gate before shipping: tests of behaviour, quality and cost, and a report that refuses with reasons.

``print(check("compare-tickets/model", data.load("tickets").test))``. A test of your own, in the same table::

    @dataclass
    class Shouting:
        name: str = "many exclamation marks"
        def run(self, subject):
            loud = subject.answers([text + "!!!!!" for text in subject.inputs])
            return share(self.name, loud != subject.answers(subject.inputs), allowed=0.02)

    check(model, data, Target(max_ms=20), tests=[Shouting()])

where a change of the text is all there is to it, ``Invariance("many exclamation marks", lambda text: text + "!!!!!")``
says the same.
"""

from course_utils.serving.gate.behaviour import Direction, Invariance, Minimum, Test
from course_utils.serving.gate.checking import check, standard_tests
from course_utils.serving.gate.parity import Parity
from course_utils.serving.gate.report import Report
from course_utils.serving.gate.subject import Data, Subject
from course_utils.serving.gate.target import Target
from course_utils.serving.gate.verdicts import Measured, Result, share

__all__ = [
    "Data",
    "Direction",
    "Invariance",
    "Measured",
    "Minimum",
    "Parity",
    "Report",
    "Result",
    "Subject",
    "Target",
    "Test",
    "check",
    "share",
    "standard_tests",
]

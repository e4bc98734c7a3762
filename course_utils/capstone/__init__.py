"""The capstone: a learner's own data, from a question to a running, gated, monitored service with a decision report.

``starting`` writes the folder; ``walk`` goes through its seven steps and says of each whether it is done, missing, or
contradicts what was stated or measured; ``rubric`` has what only a colleague can judge. The work itself is done by the
course's other commands, and ``commands`` says which. Nothing here changes what a learner has made.
"""

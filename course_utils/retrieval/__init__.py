"""Search in one's own documents, measured: the course as a corpus, its fact-check as the questions.

Chapter 13 shows every idea in the open; here stands what its gate and its benchmark use as well.
"""

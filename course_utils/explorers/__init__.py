"""What a reader moves and a model answers: widgets on top of the course's figures and preprocessing."""

from course_utils.explorers.drawing import draw_digit, drawing_picture, example_strokes

__all__ = ["draw_digit", "drawing_picture", "example_strokes"]

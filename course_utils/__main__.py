"""``python -m course_utils`` is the ``course`` command, also where its script is not on the PATH."""

from course_utils.cli import main

if __name__ == "__main__":
    main()

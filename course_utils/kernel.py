"""The kernel that ``course lab`` starts: ipykernel, with the working folder at the end of the path, not before it.

A learner's own module beside a notebook is found; a file called like a library's (``random.py``, ``keras.py``) does not
stand in its way. Started as ``python -P -m course_utils.kernel -f CONNECTION_FILE``.
"""

import sys


def main() -> None:
    """Run the kernel until it is shut down."""
    from ipykernel.kernelapp import IPKernelApp

    class Kernel(IPKernelApp):
        def init_path(self) -> None:
            if "" not in sys.path:
                sys.path.append("")

    Kernel.launch_instance()


if __name__ == "__main__":
    main()

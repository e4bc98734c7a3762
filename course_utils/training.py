"""Watching a network train: one quiet progress line, and its history as a tidy table."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from IPython.display import DisplayHandle


def progress(epochs: int) -> "keras.callbacks.Callback":
    """A Keras callback that shows one progress line and rewrites it after each epoch.

    Use it with ``verbose=0``: Keras's own bar writes a line per epoch into the notebook. The line that stays
    says how many epochs ran, in how many seconds, and the last value of each metric.
    """
    import keras

    class Progress(keras.callbacks.Callback):
        done, logs, handle, start = 0, {}, None, None

        def on_train_begin(self, logs=None):
            # A loop may call fit once an epoch: the line then goes on instead of starting again.
            if self.start is None or self.done >= epochs:
                self.start, self.done, self.logs, self.handle = time.perf_counter(), 0, {}, None
            self.show()

        def on_epoch_end(self, epoch, logs=None):
            self.done, self.logs = epoch + 1, dict(logs or {})
            self.show()

        def show(self):
            line = _line(self.done, epochs, time.perf_counter() - self.start, self.logs)
            self.handle = update_line(self.handle, line)

    return Progress()


def _line(done: int, epochs: int, seconds: float, logs: dict) -> str:
    width = 20
    filled = round(width * min(done / max(epochs, 1), 1.0))
    bar = "█" * filled + "░" * (width - filled)
    metrics = " · ".join(f"{name.replace('val_', 'validation ')} {value:.4f}" for name, value in logs.items())
    return f"{bar} {done}/{epochs} epochs · {seconds:.1f} s" + (f" · {metrics}" if metrics else "")


def update_line(handle: "DisplayHandle | None", line: str) -> "DisplayHandle | None":
    """Show a line of progress and return its handle; with that handle it is rewritten in place.

    Outside a notebook the line is printed over the last one, and there is no handle.
    """
    from course_utils.runtime import in_notebook

    if not in_notebook():
        print(f"\r{line}", end="", flush=True)
        return None
    from IPython.display import display

    content = {"text/plain": line}
    if handle is None:
        return display(content, raw=True, display_id=True)
    handle.update(content, raw=True)
    return handle


def history_table(history: "keras.callbacks.History | dict") -> "pd.DataFrame":
    """A Keras history as a tidy frame with the columns epoch (from 1), part, metric and value.

    ``part`` is "training" or "validation". Keras measures the training part *during* an epoch, while the weights
    still change, and the validation part after it.
    """
    import pandas as pd

    logs = history if isinstance(history, dict) else history.history
    rows = [
        (epoch, "validation" if name.startswith("val_") else "training", name.removeprefix("val_"), float(value))
        for name, values in logs.items()
        for epoch, value in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows, columns=["epoch", "part", "metric", "value"])

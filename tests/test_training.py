"""The progress line and the tidy history."""

from course_utils import training


def test_history_becomes_rows_with_epochs_from_one():
    table = training.history_table({"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]})
    assert table.values.tolist() == [
        [1, "training", "loss", 2.0],
        [2, "training", "loss", 1.0],
        [1, "validation", "loss", 2.5],
        [2, "validation", "loss", 1.5],
    ]


def test_an_empty_history_is_an_empty_table():
    table = training.history_table({})
    assert list(table.columns) == ["epoch", "part", "metric", "value"]
    assert len(table) == 0


def test_the_line_says_epochs_seconds_and_metrics():
    line = training._line(3, 4, 1.25, {"loss": 0.5, "val_loss": 0.75})
    assert line == "███████████████░░░░░ 3/4 epochs · 1.2 s · loss 0.5000 · validation loss 0.7500"


def test_the_callback_goes_on_over_several_calls_of_fit(capsys):
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    bar = training.progress(2)
    for epoch in range(2):
        model.fit(np.ones((4, 2)), np.ones(4), initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=[bar])
    lines = capsys.readouterr().out.split("\r")
    assert "2/2 epochs" in lines[-1]
    assert sum("0/2 epochs" in line for line in lines) == 1

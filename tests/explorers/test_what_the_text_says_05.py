"""What chapter 05 tells its readers to try in its explorer is what they see."""

from course_utils.explorers.gradient_flow import scene


def fate(network: str, start: str, radius: float, forget: float = 1.0, draw: int = 0) -> str:
    """The sentence that the explorer shows, 100 steps back."""
    return scene(network, start, radius, forget, 100, draw).sentence


def test_linear_tips_over_at_radius_one():
    assert "vanishes" in fate("linear", "random", 0.9) and "explodes" in fate("linear", "random", 1.1)


def test_of_relu_at_radius_one_and_a_half_the_first_draw_explodes_and_the_next_five_do_not():
    exploding = ["explodes" in fate("ReLU", "random", 1.5, draw=draw) for draw in range(6)]
    assert exploding == [True, False, False, False, False, False]


def test_the_identity_with_tanh_at_radius_two_loses_the_gradient():
    assert "vanishes" in fate("tanh", "identity", 2.0)


def test_a_forget_bias_of_five_keeps_what_one_of_one_loses():
    assert "vanishes" in fate("LSTM", "random", 1.0, forget=1.0)
    assert "within reach" in fate("LSTM", "random", 1.0, forget=5.0)

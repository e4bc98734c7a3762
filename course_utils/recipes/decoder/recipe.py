"""What can be changed about the baseline, and the ladder of changes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Design:
    """Switches of the network; all off is nanoGPT's."""

    rotary: bool = False
    normalised: bool = False
    squared: bool = False
    zero: bool = False
    pairs: bool = False
    plain_norm: bool = False
    tied: bool = True


@dataclasses.dataclass(frozen=True)
class Recipe:
    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 64
    batch: int = 12
    steps: int = 2000
    design: Design = Design()
    schedule: str = "cosine"
    muon: bool = False
    rate: float = 1e-3
    muon_rate: float = 0.02
    last_rate: float = 0.1
    warm_up: float = 0.05
    decay: float = 0.1
    betas: tuple = (0.9, 0.99)
    clip: float = 1.0
    cool_down: float = 1.0
    newton_steps: int = 5
    muon_decay: float = 0.0
    jit: bool = False

"""AdamW, and Muon for matrices, as they are written down; each holds its averages and changes its variables.

Sources: I. Loshchilov and F. Hutter (2019), ICLR, arXiv:1711.05101 (AdamW, algorithm 2); K. Jordan and others (2024),
"Muon: an optimizer for hidden layers in neural networks", https://kellerjordan.github.io/posts/muon/.
"""

import keras
from keras import ops


def newton_schulz(matrices, steps: int = 5):
    """Matrices (…, m, n) → nearly the nearest with orthonormal rows or columns: singular values come near 1.

    Each step applies the odd polynomial a·s + b·s³ + c·s⁵ to every singular value s, and needs products only. Its
    coefficients are Jordan's: small values grow fast, and all end between 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = ops.swapaxes(matrices, -1, -2) if tall else matrices
    x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)  # now no singular value exceeds 1
    for _ in range(steps):
        gram = ops.matmul(x, ops.swapaxes(x, -1, -2))
        x = a * x + ops.matmul(b * gram + c * ops.matmul(gram, gram), x)
    return ops.swapaxes(x, -1, -2) if tall else x


class AdamW:
    """A step is the mean of the last gradients over the root of their mean square; weights of two axes decay."""

    def __init__(self, variables, betas=(0.9, 0.99), decay=0.0, epsilon=1e-8):
        self.variables, self.betas, self.decay, self.epsilon = variables, betas, decay, epsilon
        self.means, self.squares = _zeros(variables), _zeros(variables)
        self.averages = [*self.means, *self.squares]

    def update(self, gradients, rate, step):
        """Change the variables; ``step`` counts from 0."""
        first, second = self.betas
        done = ops.cast(step, "float32") + 1
        mean_share, square_share = 1 - first**done, 1 - second**done  # what of an average the steps so far have filled
        for v, g, m, s in zip(self.variables, gradients, self.means, self.squares, strict=True):
            m.assign(first * m + (1 - first) * g)
            s.assign(second * s + (1 - second) * ops.square(g))
            change = (m / mean_share) / (ops.sqrt(s / square_share) + self.epsilon)
            if self.decay and len(v.shape) == 2:
                change = change + self.decay * v
            v.assign(v - rate * change)


class Muon:
    """A step is the mean of the last gradients made orthogonal: every direction of a matrix moves equally far."""

    def __init__(self, variables, momentum=0.95):
        self.variables, self.momentum = variables, momentum
        self.means = self.averages = _zeros(variables)

    def update(self, gradients, rate):
        """Change the variables, all of them matrices (inputs, outputs)."""
        stacks: dict[tuple[int, int], list] = {}
        for v, g, m in zip(self.variables, gradients, self.means, strict=True):
            m.assign(self.momentum * m + (1 - self.momentum) * g)
            ahead = self.momentum * m + (1 - self.momentum) * g  # Nesterov's: where the mean is going
            turned = v.shape[0] > v.shape[1]
            wide = ops.transpose(ahead) if turned else ahead
            stacks.setdefault(tuple(wide.shape), []).append((v, wide, turned))
        for stack in stacks.values():  # matrices of one shape go through the iteration together
            changes = newton_schulz(ops.stack([wide for _, wide, _ in stack]))
            for k, (v, _, turned) in enumerate(stack):
                change = ops.transpose(changes[k]) if turned else changes[k]
                v.assign(v - rate * max(1.0, v.shape[1] / v.shape[0]) ** 0.5 * change)


def _zeros(variables):
    return [keras.Variable(ops.zeros(v.shape), trainable=False) for v in variables]

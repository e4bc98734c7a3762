"""AdamW and Muon as functions of lists of variables and gradients."""

import keras
from keras import ops


def newton_schulz(matrices, steps=5):
    """Nearly the orthogonal matrix nearest to each (…, m, n): singular values are drawn to 1, directions stay."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = ops.swapaxes(matrices, -1, -2) if tall else matrices
    x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
    for _ in range(steps):
        gram = ops.matmul(x, ops.swapaxes(x, -1, -2))
        x = a * x + ops.matmul(b * gram + c * ops.matmul(gram, gram), x)
    return ops.swapaxes(x, -1, -2) if tall else x


class AdamW:
    def __init__(self, variables, betas=(0.9, 0.99), decay=0.0, epsilon=1e-8):
        self.variables, self.betas, self.decay, self.epsilon = variables, betas, decay, epsilon
        self.means = [keras.Variable(ops.zeros_like(v)) for v in variables]
        self.squares = [keras.Variable(ops.zeros_like(v)) for v in variables]

    def update(self, gradients, rate, step):
        b1, b2 = self.betas
        step = ops.cast(step, "float32") + 1
        scale = rate * ops.sqrt(1 - b2**step) / (1 - b1**step)
        small = self.epsilon * ops.sqrt(1 - b2**step)
        for v, g, m, s in zip(self.variables, gradients, self.means, self.squares, strict=True):
            m.assign(b1 * m + (1 - b1) * g)
            s.assign(b2 * s + (1 - b2) * ops.square(g))
            keep = 1 - rate * self.decay if len(v.shape) > 1 else 1.0
            v.assign(keep * v - scale * m / (ops.sqrt(s) + small))


class Muon:
    def __init__(self, variables, momentum=0.95, decay=0.0, steps=5):
        self.variables, self.momentum, self.decay, self.steps = variables, momentum, decay, steps
        self.means = [keras.Variable(ops.zeros_like(v)) for v in variables]

    def update(self, gradients, rate):
        shapes = {}
        for v, g, m in zip(self.variables, gradients, self.means, strict=True):
            m.assign(self.momentum * m + (1 - self.momentum) * g)
            ahead = self.momentum * m + (1 - self.momentum) * g
            rows, columns = v.shape
            # matrices of one shape, or its transpose, go through the iteration as one stack
            wide = ahead if rows <= columns else ops.transpose(ahead)
            shapes.setdefault(tuple(wide.shape), []).append((v, wide, rows > columns))
        for members in shapes.values():
            stack = newton_schulz(ops.stack([wide for _, wide, _ in members]), self.steps)
            for k, (v, _, turned) in enumerate(members):
                change = ops.transpose(stack[k]) if turned else stack[k]
                scale = max(1.0, v.shape[1] / v.shape[0]) ** 0.5
                v.assign((1 - rate * self.decay) * v - rate * scale * change)

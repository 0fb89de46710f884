"""The trainer's default recipe in PyTorch: what `npm run bench:train` measures Goodness against.

Class-partitioned Forward-Forward on MNIST: shifted images, dropout, every row rescaled to mean square 1, relu(x W), the
mean square of each class's group of neurons as its goodness, half cross-entropy and half threshold loss on it, Adam. Each
layer has its own loss and no gradient crosses layers, so the slopes are written down in closed form, which leaves out
autograd; torch.compile fuses the rest. --how eager and --how autograd (per layer, with PyTorch's own fused Adam) are there
to compare: both were slower. The value of the loss is not computed, and the padding of the images is done beforehand.

Reads one JSON request per line: {"hidden": [...], "samples": n, "batch": b, "steps": k, "seed": s}, trains k steps from
new weights, and answers with one JSON line. Nothing is kept between requests but the data and compiled code.
"""

import argparse
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

CLASSES = 10
THETA, CONTRAST, TEMPERATURE, SOFTNESS = 2.0, 0.5, 0.25, 0.25
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
GAIN = 0.5
INPUT_DROPOUT, DROPOUT = 0.05, 0.1
WARMUP = 0.1


def read_idx(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    sizes = [int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(data[3])]
    return torch.frombuffer(data, dtype=torch.uint8)[4 + 4 * len(sizes) :].reshape(sizes)


class Mnist:
    def __init__(self, folder):
        def part(name):
            images = read_idx(os.path.join(folder, f"{name}-images-idx3-ubyte"))
            labels = read_idx(os.path.join(folder, f"{name}-labels-idx1-ubyte")).long()
            return images, labels

        images, self.labels = part("train")
        self.test, self.test_labels = part("t10k")
        # Padded once, so that a shifted image is a window.
        self.padded = F.pad(images.float(), (1, 1, 1, 1), mode="replicate").to(torch.uint8)
        n = len(images)
        self.windows = self.padded.as_strided((n, 3, 3, 28, 28), (900, 30, 1, 30, 1))

    def batch(self, order):
        shift = torch.randint(3, (2, len(order)))
        return self.windows[order, shift[0], shift[1]].reshape(len(order), 784).float()


def normal(x):
    """Rows at mean square 1; rows of zeros stay zeros."""
    return x * (math.sqrt(x.shape[1]) * x.square().sum(1, keepdim=True).clamp_min(1e-30).rsqrt())


def goodness(y):
    return y.reshape(len(y), CLASSES, -1).square().mean(2)


def slopes(g, truth):
    """dL/dG of the mean loss; truth is one-hot."""
    cross = (torch.softmax(g / TEMPERATURE, 1) - truth) * (CONTRAST / TEMPERATURE)
    sign = 1 - 2 * truth
    threshold = sign * torch.sigmoid(sign * (g - THETA) / SOFTNESS) * ((1 - CONTRAST) / SOFTNESS)
    return (cross + threshold) / len(g)


def loss(g, truth):
    """What `slopes` is the slope of."""
    cross = -(truth * torch.log_softmax(g / TEMPERATURE, 1)).sum(1)
    sign = 1 - 2 * truth
    return (CONTRAST * cross + (1 - CONTRAST) * F.softplus(sign * (g - THETA) / SOFTNESS).sum(1)).mean()


def adam(w, mean, square, gradient, rates):
    """In place; rates holds the corrected rate and the corrected epsilon."""
    mean.lerp_(gradient, 1 - BETA1)
    square.lerp_(gradient.square(), 1 - BETA2)
    w.sub_(rates[0] * mean / (square.sqrt() + rates[1]))


def closed_step(x, truth, rates, weights, means, squares):
    """One step of all layers. Each layer's input is what the layer below made of the weights before this step."""
    rows = len(x)
    for k, w in enumerate(weights):
        x = normal(F.dropout(x, INPUT_DROPOUT if k == 0 else DROPOUT))
        y = torch.relu(x @ w)
        slope = slopes(goodness(y), truth) * (2 * CLASSES / w.shape[1])
        delta = (y.reshape(rows, CLASSES, -1) * slope[:, :, None]).reshape(rows, -1)
        adam(w, means[k], squares[k], x.T @ delta, rates)
        x = y


class Autograd:
    """The same with autograd per layer and PyTorch's own fused Adam."""

    def __init__(self, weights):
        self.weights = [w.requires_grad_() for w in weights]
        self.optimizer = torch.optim.Adam(self.weights, lr=1e-3, betas=(BETA1, BETA2), eps=EPSILON, fused=True)

    def step(self, x, truth, rate):
        total = 0
        for k, w in enumerate(self.weights):
            x = normal(F.dropout(x, INPUT_DROPOUT if k == 0 else DROPOUT))
            y = torch.relu(x @ w)
            total = total + loss(goodness(y), truth)
            x = y.detach()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()


def factor(step, steps):
    rise = WARMUP * steps
    if step < rise:
        return (step + 1) / (math.floor(rise) + 1)
    return 1 - min(1, (step - rise) / max(1, steps - rise))


def run(mnist, how, compiled, request):
    torch.manual_seed(request["seed"])
    sizes = [784, *request["hidden"]]
    weights = [torch.randn(a, b) * (GAIN / math.sqrt(a)) for a, b in zip(sizes, sizes[1:])]
    means = [torch.zeros_like(w) for w in weights]
    squares = [torch.zeros_like(w) for w in weights]
    samples, batch = request["samples"], request["batch"]
    per_epoch = math.ceil(samples / batch)
    steps = request["steps"]
    top = 0.028 / math.sqrt(784)
    autograd = Autograd(weights) if how == "autograd" else None
    begin, cpu = time.perf_counter(), time.process_time()
    for step in range(steps):
        place = step % per_epoch
        if place == 0:
            order = torch.randperm(samples)
        chosen = order[place * batch : (place + 1) * batch]
        x = mnist.batch(chosen)
        truth = F.one_hot(mnist.labels[chosen], CLASSES).float()
        rate = top * factor(step, steps)
        if autograd is not None:
            autograd.step(x, truth, rate)
        else:
            correction = math.sqrt(1 - BETA2 ** (step + 1))
            rates = torch.tensor([rate * correction / (1 - BETA1 ** (step + 1)), EPSILON * correction])
            with torch.no_grad():
                (compiled if how == "compiled" else closed_step)(x, truth, rates, weights, means, squares)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    answer = {"seconds": seconds, "cpuSeconds": cpu}
    with torch.no_grad():
        x = mnist.test.reshape(-1, 784).float()
        total = 0
        for w in weights:
            x = torch.relu(normal(x) @ w)
            total = total + goodness(x)
        answer["error"] = 100 * (total.argmax(1) != mnist.test_labels).float().mean().item()
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of MNIST's four IDX files")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--how", choices=["compiled", "eager", "autograd"], default="compiled")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    mnist = Mnist(args.data)
    compiled, how = None, args.how
    if how == "compiled":
        compiled = torch.compile(closed_step, dynamic=False)
        try:
            run(mnist, how, compiled, {"hidden": [10], "samples": 10, "batch": 10, "steps": 1, "seed": 1})
        except Exception as error:  # no C++ compiler, most likely
            print(f"torch.compile does not work here, eager it is: {error}".splitlines()[0], file=sys.stderr)
            how = "eager"
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "how": how}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(mnist, how, compiled, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

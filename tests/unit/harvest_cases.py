# ruff: noqa: E501 - a case reads best as one line
"""Ways in which students train and keep models, and the latent widths that must be found of each.

Each case is the source of one cell, run after `SETUP`. The widths are those of the files written.
"""

SETUP = """
import copy, gc, io, math, pickle, torch
from torch import nn
x = torch.rand(32, 784)

class AE(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, d))
        self.decoder = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, 784), nn.Sigmoid())
    def forward(self, v):
        code = self.encoder(v)
        return self.decoder(code), code

def fit(model, steps=3):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        out = model(x)
        nn.functional.mse_loss(out[0] if isinstance(out, tuple) else out, x).backward()
        optimizer.step()
    return model
"""

CASES: dict[str, tuple[str, list[int]]] = {
    "one model": ("m = fit(AE(2))", [2]),
    "a loop variable that is overwritten": ("for d in (2, 3, 5): model = fit(AE(d))", [2, 3, 5]),
    "a dict": ("models = {d: fit(AE(d)) for d in (2, 3)}", [2, 3]),
    "a list": ("models = [AE(d) for d in (2, 3)]\nfor m in models: fit(m)", [2, 3]),
    "a ModuleList at the top": ("ms = nn.ModuleList([AE(2), AE(3)])\nfor m in ms: fit(m)", [2, 3]),
    "a ModuleDict at the top": (
        "ms = nn.ModuleDict({'a': AE(2), 'b': AE(3)})\nfor m in ms.values(): fit(m)",
        [2, 3],
    ),
    "a function that returns it": ("def make(d):\n    return fit(AE(d))\nm = make(2)", [2]),
    "a function that keeps it to itself": ("def make(d):\n    fit(AE(d))\nmake(2)", [2]),
    "a subclass": ("class Mine(AE): pass\nm = fit(Mine(3))", [3]),
    "a Sequential": ("m = fit(nn.Sequential(nn.Linear(784, 3), nn.Linear(3, 784)))", [3]),
    "inside a trainer": (
        "class Trainer:\n    def __init__(self): self.net = AE(3)\n    def run(self): fit(self.net)\nTrainer().run()",
        [3],
    ),
    "inside a trainer that is a module": (
        "class Trainer(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.net = AE(3)\n"
        "        self.loss = nn.MSELoss()\nt = Trainer()\nfit(t.net)",
        [3],
    ),
    "deleted after training": ("m = fit(AE(6))\ndel m\ngc.collect()", [6]),
    "overwritten by an untrained one": ("m = fit(AE(2))\nm = AE(3)", [2, 3]),
    "a deep copy, trained, the original gone": (
        "def make():\n    return copy.deepcopy(AE(7))\nm = fit(make())\ndel m",
        [7],
    ),
    "traced": ("m = AE(2)\nt = torch.jit.trace(m, x)\ndel t\nfit(m)", [2]),
    "an unpickled model": ("m = pickle.loads(pickle.dumps(AE(7)))\nfit(m)\ndel m", [7]),
    "loaded weights, never trained here": (
        "f = io.BytesIO()\ntorch.save(AE(5).state_dict(), f)\nf.seek(0)\n"
        "m = AE(5)\nm.load_state_dict(torch.load(f))",
        [5],
    ),
    "gradient descent by hand": (
        "for d in (2, 3):\n    m = AE(d)\n    nn.functional.mse_loss(m(x)[0], x).backward()\n"
        "    with torch.no_grad():\n        for p in m.parameters(): p -= 0.1 * p.grad",
        [2, 3],
    ),
    "the halves called, never the whole": (
        "def go(d):\n    m = AE(d)\n    o = torch.optim.Adam(m.parameters())\n"
        "    nn.functional.mse_loss(m.decoder(m.encoder(x)), x).backward()\n    o.step()\ngo(2)",
        [2],
    ),
    "DataParallel": ("m = fit(nn.DataParallel(AE(3)))", [3]),
    "an average of weights": (
        "m = AE(3)\naverage = torch.optim.swa_utils.AveragedModel(m)\nfit(m)\naverage.update_parameters(m)",
        [3, 3],
    ),
    "tied weights": (
        "class Tied(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a = nn.Linear(784, 3)\n        self.b = nn.Linear(784, 3)\n        self.b.weight = self.a.weight\n"
        "    def forward(self, v): return self.a(v) @ self.b.weight\nm = fit(Tied())",
        [3],
    ),
    "weights that are a view": (
        "m = AE(3)\nm.decoder[0].weight = nn.Parameter(torch.rand(3, 16).t())\nfit(m)",
        [3],
    ),
    "double precision": ("m = AE(3).double()\nx64 = x.double()\nm(x64)[0].sum().backward()", [3]),
    "bfloat16": ("m = AE(3).bfloat16()\nm(x.bfloat16())", [3]),
    "lazy layers": (
        "m = nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(784))\nfit(m)",
        [3],
    ),
    "batch normalisation": (
        "m = fit(nn.Sequential(nn.Linear(784, 3), nn.BatchNorm1d(3), nn.Linear(3, 784)))",
        [3],
    ),
    "an error after the training": ("m = fit(AE(2))\n1/0", [2]),
    "a class that compares by value": (
        "class Odd(AE):\n    def __eq__(self, other): return True\n    def __hash__(self): return 1\nm = fit(Odd(2))",
        [2],
    ),
    "a loss is no model": ("loss = nn.MSELoss()\nloss(x, x)", []),
    "nothing": ("pass", []),
}

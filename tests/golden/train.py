import torch
from torch import nn
from torchvision import datasets

torch.manual_seed(0)
images = datasets.MNIST("./data", train=True, download=True).data.float().view(-1, 784) / 255


class Autoencoder(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x):
        encoded = self.encoder(x)
        decoded = self.decoder(encoded)
        return decoded, encoded


def fit(model, prepare=lambda x: x, decoded=lambda out: out[0], steps=200):
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    for step in range(steps):
        batch = images[(step * 64) % 59_000 :][:64]
        loss = nn.functional.mse_loss(decoded(model(prepare(batch))), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model

"""Have torchvision's MNIST take its files from the copy in the jail: ``download=True`` needs no network.

Covered: ``torchvision.datasets.MNIST(any writable root, download=True)``. Not covered: Keras,
``fetch_openml``, other data sets, and roots outside the home and temporary folders (``/content``).
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from types import ModuleType
from typing import Any

CHECKSUMS = "checksums.json"


def serve_mnist(module: ModuleType, folder: Path) -> None:
    """Prepare ``torchvision.datasets.mnist``. Does nothing where no data is mounted.

    A mirror of ``file://`` is set, and torchvision 0.28 cannot read one (it asks the response for its
    length); so links to the unpacked files are laid where it looks for what it has unpacked before.
    """
    if not (folder / CHECKSUMS).is_file():
        return
    known: dict[str, str] = json.loads((folder / CHECKSUMS).read_text())
    mnist = module.MNIST
    mnist.mirrors = [f"{folder.as_uri()}/"]
    mnist.resources = [(name, known.get(name, checksum)) for name, checksum in mnist.resources]
    download = mnist.download

    @functools.wraps(download)
    def lay_out_and_download(self: Any) -> None:
        __tracebackhide__ = True
        if self.mirrors == mnist.mirrors and not self._check_exists():  # not FashionMNIST and the like
            raw = Path(self.raw_folder)
            raw.mkdir(parents=True, exist_ok=True)
            for name in known:
                unpacked = Path(name).stem
                (raw / unpacked).unlink(missing_ok=True)
                (raw / unpacked).symlink_to(folder / unpacked)
        download(self)

    mnist.download = lay_out_and_download

"""Judge again from stored evidence: no notebook runs, nothing is overwritten."""

from .preview import Preview, preview
from .run import Regraded, publish, regrade

__all__ = ["Preview", "Regraded", "preview", "publish", "regrade"]

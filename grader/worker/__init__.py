"""Claim, autograde, finish; drain on SIGTERM."""

from grader.worker.process import run_worker

__all__ = ["run_worker"]

"""What a replay's figures say of a model: measured, or something that a human must look at. Pure."""

from __future__ import annotations

from grader.evaluation.replay.images import Errors

_SHORTCUT = 0.1  # of the variance, explained by the whole model and not through its code
_BY_HEART = 0.1  # explained of the held-out images, and not of moved copies with codes a little off


def find_trick(errors: Errors, explained: float, whole_mse: float, width: int) -> str:
    """Why these figures are no measure of the model; empty where they are."""
    # What explains nothing cheats nobody, however far below the mean image each figure is.
    whole, shown = max(0.0, 1 - whole_mse / errors.moved_variance), max(0.0, explained)
    moved = max(0.0, errors.moved_explained)
    through = min(shown, moved)
    if whole - through > _SHORTCUT:
        return (
            f"as a whole it explains {whole:.0%} of the variance, through the {width} numbers of its code "
            f"alone {through:.0%}: its input reaches the output past the code, or is kept for it"
        )
    if shown - moved > _BY_HEART:
        return (
            f"it explains {shown:.0%} of the held-out images, and {moved:.0%} of copies moved by a pixel "
            "whose codes are off by two hundredths: it may know images by heart, or pack into a number what "
            "numbers do not hold"
        )
    return ""

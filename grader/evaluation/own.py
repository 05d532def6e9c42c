"""Models of other architectures: which of them are replayed, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from grader.domain.models import Measurement, UnmeasuredModel
from grader.domain.run import HarvestedModel
from grader.evaluation.architecture import NO_AUTOENCODER
from grader.evaluation.idx import PIXELS
from grader.evaluation.prepared import Dataset
from grader.evaluation.replay.judge import find_trick
from grader.evaluation.replay.program import take_program
from grader.evaluation.replay.replay import Replayed, replay
from grader.evaluation.yardsticks import mean_by_class
from grader.sandbox.jail import Jail, Sandbox

_FEW_IMAGES = 10  # that stand in a model's weights: so many are no chance

Outcome = Measurement | UnmeasuredModel


def measure_own(
    models: Sequence[HarvestedModel],
    outcomes: Sequence[Outcome],
    read: Callable[[str], bytes],
    cells: Sequence[tuple[int, str]],
    *,
    holding: Mapping[str, int],
    widths: Sequence[int],
    dataset: Dataset,
    sandbox: Sandbox,
    on_start: Callable[[Jail], None],
) -> list[Outcome]:
    """Replay what does not fit the agreed architecture; what cannot be replayed stays unmeasured, says why.

    ``outcomes`` are those of ``models``, one each; ``holding`` how many images stand in the weights of a
    sha256. A pair of an encoder and a decoder becomes one outcome. Without a model that may be an
    autoencoder, or without ``cells``, no jail is started. Raises `OurFailure` as `replay`.
    """
    left = [
        (model, outcome)
        for model, outcome in zip(models, outcomes, strict=True)
        if isinstance(outcome, UnmeasuredModel)
    ]
    if dataset.pixels != PIXELS:  # only layouts of 28×28 images are known to a replay
        return list(outcomes)
    if not cells or all(outcome.latent_dim == NO_AUTOENCODER for _, outcome in left):
        return list(outcomes)
    replayed, failed = replay(
        [model for model, _ in left],
        read,
        take_program(cells),
        widths=widths,
        dataset=dataset,
        sandbox=sandbox,
        on_start=on_start,
    )
    reasons = {(one.model.sha256, one.model.cell): one.reason for one in failed}
    done: dict[tuple[str, int], Outcome | None] = {}
    for one in replayed:
        first, *others = one.models
        done[first.sha256, first.cell] = _judge(one, holding, dataset)
        done |= {(other.sha256, other.cell): None for other in others}
    for model, outcome in left:
        if (why := reasons.get((model.sha256, model.cell))) and outcome.latent_dim != NO_AUTOENCODER:
            told = f"{outcome.reason}; it could not be rebuilt: {why}"[:500]
            done[model.sha256, model.cell] = replace(outcome, reason=told)
    settled = (done.get((o.weights_sha256, o.cell), o) for o in outcomes)
    return [outcome for outcome in settled if outcome is not None]


def _judge(one: Replayed, holding: Mapping[str, int], dataset: Dataset) -> Outcome:
    model = one.models[0]
    name = " and ".join(part.class_name for part in one.models)
    explained = 1 - one.errors.mse / dataset.mean_image_mse
    held = max(holding.get(part.sha256, 0) for part in one.models)
    trick = find_trick(one.errors, explained, one.whole_mse, one.width)
    if held >= _FEW_IMAGES:
        trick = f"its weights hold a table of images ({held} of them)"
    if trick:
        return UnmeasuredModel(model.sha256, model.cell, name, trick, one.width)
    return Measurement(
        weights_sha256=model.sha256,
        cell=max(part.cell for part in one.models),
        latent_dim=one.width,
        mse=one.errors.mse,
        explained_variance=explained,
        input_convention=one.scaling,
        output_convention=one.errors.convention,
        method="replayed",
        certain=one.certain,
        class_name=name,
        mse_by_class=mean_by_class(one.errors.held_out, dataset.held_out_labels),
    )

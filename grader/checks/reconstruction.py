"""How well does the model of one width rebuild images that the student's code never saw?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, ItemState
from grader.domain.models import Measurement, ModelReport, UnmeasuredModel
from grader.domain.rubric import Item, Part

from .runs import SUSPICIOUS, describe_ending
from .thresholds import ReconstructionParameters, ReconstructionSettings
from .widths import (
    as_evidence,
    best_measured,
    describe,
    is_finite,
    likeness,
    of_other_widths,
    possibly_of,
    state_when_absent,
)

_ROUNDING = 1e-9  # 0.18 - 0.02 is not quite 0.16


def reconstruction(evidence: Evidence, item: Item, part: Part) -> CheckResult:  # noqa: ARG001
    """Full at the threshold, linear below it, nothing at or below the mean image."""
    settings = ReconstructionSettings(**item.params)
    params = settings.against(evidence.reference)
    best = best_measured(evidence.models, settings.latent_dim)
    if params is None:
        return _uncalibrated(evidence, settings, best)
    if best is None:
        return _absent(evidence, params)
    return _measured(evidence, params, best)


def _measured(evidence: Evidence, params: ReconstructionParameters, best: Measurement) -> CheckResult:
    report, explained = evidence.models, best.explained_variance
    if is_finite(best):
        share = min(1.0, max(0.0, explained / params.threshold))
        in_band = params.threshold - params.band - _ROUNDING <= explained < params.threshold
        sentences = [_figures(report, params, best), _advice(params, explained)]
    else:
        share, in_band, sentences = 0.0, False, [_diverged(params)]
    # A model of another architecture may be the one that the student means, and may be better.
    rivals = tuple(m for m in report.unmeasured if m.latent_dim == params.latent_dim) if share < 1 else ()
    cut_short = share < 1 and evidence.run.verdict in SUSPICIOUS
    doubtful = best.method == "replayed" and (share == 0 or (share < 1 and not best.certain))
    if in_band:
        sentences.append("It is so near that chance may have decided, so a teacher will look at it.")
    if rivals:
        sentences.append(f"There is also {describe(rivals)}, which a teacher will look at.")
    if cut_short:
        sentences.append(f"{describe_ending(evidence.run)} A teacher will look at it.")
    if doubtful:
        sentences.append(
            "It was rebuilt from your code and may not be what you trained: a teacher will look."
        )
    alike = likeness(evidence, best) if share > 0 else None
    if alike is not None:
        sentences.append(
            f"Its weights are those of another submission (likeness {alike:.4f}): a teacher will look."
        )
    review = in_band or bool(rivals) or cut_short or doubtful or alike is not None
    return CheckResult(
        share=share,
        feedback=" ".join(filter(None, sentences)),
        state=ItemState.NEEDS_REVIEW if review else ItemState.AUTO,
        confidence=0.5 if review else 1.0,
        evidence={**_record(report, params, best, rivals), **({} if alike is None else {"likeness": alike})},
    )


def _figures(report: ModelReport, params: ReconstructionParameters, best: Measurement) -> str:
    pca = _pca_explained(report, params.latent_dim)
    yardstick = "" if pca is None else f" PCA with as many numbers explains {pca:.1%}."
    if params.reference is not None:
        figures = params.reference
        yardstick += f" The reference solution explains {figures.mean:.1%} ± {figures.band:.1%}."
    explained = f"{best.explained_variance:.1%}"
    if best.explained_variance < params.threshold and explained == f"{params.threshold:.1%}":
        explained = f"just under {explained}"
    return (
        f"Your model with latent_dim = {params.latent_dim} (cell {best.cell + 1}) has a mean squared error "
        f"of {best.mse:.4f} per pixel on images it never saw, where the average image has "
        f"{report.mean_image_mse:.4f}: it explains {explained} of their variance. "
        f"Wanted: {params.threshold:.1%} or more.{yardstick} "
        f"Pixels were scaled as the model expects them: {best.input_convention}.{_how(best)}{_classes(best)}"
    )


def _how(best: Measurement) -> str:
    if best.method != "replayed":
        return ""
    return (
        f" {best.class_name[:80]} is not the homework's architecture, so it was rebuilt from your code and "
        f"measured through the {best.latent_dim} numbers of its code alone."
    )


def _classes(best: Measurement) -> str:
    if len(best.mse_by_class) < 2:
        return ""
    ranked = sorted(range(len(best.mse_by_class)), key=lambda one: best.mse_by_class[one])
    easy, hard = ranked[0], ranked[-1]
    return (
        f" Images of class {hard} are hardest for it ({best.mse_by_class[hard]:.4f}), "
        f"those of class {easy} easiest ({best.mse_by_class[easy]:.4f})."
    )


def _advice(params: ReconstructionParameters, explained: float) -> str:
    if explained >= params.threshold:
        return ""
    if explained <= 0:
        return (
            "Always answering with the average image would be at least as good: check that the model is "
            "trained (optimizer.step() is reached, the loss falls) and that its output is compared with its "
            "input."
        )
    return "Train it for longer or with a better learning rate; points grow with the explained variance."


def _diverged(params: ReconstructionParameters) -> str:
    return (
        f"Your model with latent_dim = {params.latent_dim} does not give numbers any more (NaN or infinity): "
        "its training has diverged. Use a smaller learning rate and check the loss after each epoch."
    )


def _uncalibrated(
    evidence: Evidence, settings: ReconstructionSettings, best: Measurement | None
) -> CheckResult:
    report = evidence.models
    found = "" if best is None else f" It explains {best.explained_variance:.1%} of their variance."
    return CheckResult(
        share=0.0,
        feedback=f"What the model with latent_dim = {settings.latent_dim} should reach is not known for the "
        f"images that it was measured on (data set {report.dataset.name}): the reference solution was never "
        f"measured on them.{found} A teacher will look at it.",
        state=ItemState.NEEDS_REVIEW,
        confidence=0.0,
        evidence={
            "latent_dim": settings.latent_dim,
            "threshold": None,
            "uncalibrated_dataset": report.dataset.sha256,
            "explained_variance": round(best.explained_variance, 6) if best and is_finite(best) else None,
        },
    )


def _absent(evidence: Evidence, params: ReconstructionParameters) -> CheckResult:
    width = params.latent_dim
    unmeasured = possibly_of(evidence.models, {width})
    state = state_when_absent(evidence, unmeasured)
    sentences = [f"No model of the homework's architecture with latent_dim = {width} was found."]
    if unmeasured:
        sentences.append(f"What was found and could not be measured: {describe(unmeasured)}.")
    if others := of_other_widths(evidence.models):
        sentences.append(f"As measured, the code of {others} numbers.")
    sentences.append(describe_ending(evidence.run))
    if state is ItemState.NEEDS_REVIEW:
        sentences.append("A teacher will look at it.")
    else:
        sentences.append(f"Train Autoencoder({width}) as the homework defines it, in a code cell that runs.")
    return CheckResult(
        share=0.0,
        feedback=" ".join(filter(None, sentences)),
        state=state,
        confidence=1.0 if state is ItemState.AUTO else 0.0,
        evidence=_record(evidence.models, params, None, unmeasured),
    )


def _record(
    report: ModelReport,
    params: ReconstructionParameters,
    best: Measurement | None,
    unmeasured: tuple[UnmeasuredModel, ...] = (),
) -> Mapping[str, Any]:
    record: dict[str, Any] = {"latent_dim": params.latent_dim, "threshold": params.threshold}
    if params.reference is not None:
        record["reference"] = asdict(params.reference)
    if best is not None:
        finite = is_finite(best)
        record |= {
            "mse": round(best.mse, 6) if finite else None,  # NaN would be no JSON
            "explained_variance": round(best.explained_variance, 6) if finite else None,
            "pca_explained_variance": _pca_explained(report, params.latent_dim),
            "cell": best.cell,
            "weights_sha256": best.weights_sha256,
            "mean_image_mse": report.mean_image_mse,
            "mse_by_class": list(best.mse_by_class),
            "method": best.method,
            "input_convention": best.input_convention,
            "output_convention": best.output_convention,
        }
    if unmeasured:
        record["unmeasured"] = as_evidence(unmeasured)
    return record


def _pca_explained(report: ModelReport, latent_dim: int) -> float | None:
    mse = report.pca_mse.get(latent_dim)
    if mse is None or report.mean_image_mse <= 0:
        return None
    return round(1 - mse / report.mean_image_mse, 6)

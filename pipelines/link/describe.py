"""A trained model in words and bars: what each level weighs, how the training went, what to be wary of."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

from pipelines.link.trained import TrainedModel

BITS_PER_MARK = 1.0
WIDEST = 18


def describe_model(model: TrainedModel) -> str:
    """Return the model as plain text: priors, a weight chart per comparison, passes, warnings; no term."""
    parts = (_head, _priors, _chart, _passes, _starts, _hubs, _warnings)
    return "\n".join(line for part in parts for line in part(model))


def _head(model: TrainedModel) -> Iterator[str]:
    training = model.training
    yield f"model {model.definition.model}, version {model.version}: {model.definition.description.strip()}"
    yield (
        f"trained on {training.records:,} records, {training.random_pairs:,} random pairs (for u),"
        f" {training.candidate_pairs:,} candidate pairs (for m), seed {training.seed}"
    )
    yield f"links are accepted at a posterior of {model.link_probability}"


def _priors(model: TrainedModel) -> Iterator[str]:
    yield ""
    yield (
        f"prior per pair of sources (deterministic rules, assumed recall {model.training.assumed_recall};"
        f" {model.training.prior_sensitivity})"
    )
    for pair, prior in sorted(model.parameters.priors.items()):
        one_person, one_household = (
            f"1 in {1 / share:,.0f}" if share else "none" for share in (prior.match, prior.household)
        )
        yield f"  {pair.replace('|', ' and '):<42} one person {one_person:>14}   one household {one_household:>14}"
    for each in model.training.priors:
        rules, em = (
            f"1 in {1 / share:,.0f}" if share else "none" for share in (each.assumed, each.estimated)
        )
        sources = each.sources.replace("|", " and ")
        yield f"  {sources:<42} by the rules {rules:>12}   by EM over candidates {em:>12}"


def _chart(model: TrainedModel) -> Iterator[str]:
    for comparison in model.definition.comparisons:
        yield ""
        yield f"{comparison.name:<34}{'m':>10}{'u':>12}{'weight':>9}"
        values = zip(
            comparison.levels,
            model.parameters.m[comparison.name],
            model.parameters.u[comparison.name],
            strict=True,
        )
        for level, m, u in values:
            weight = log2(m / u) if m > 0 and u > 0 else 0.0
            yield f"  {level.name:<32}{m:>10.4g}{u:>12.3g}{weight:>9.2f}  {_bar(weight)}"


def _bar(weight: float) -> str:
    """Return a bar to the right for evidence of one person, to the left for evidence of two."""
    marks = min(round(abs(weight) / BITS_PER_MARK), WIDEST)
    left, right = ("-" * marks, "") if weight < 0 else ("", "+" * marks)
    return f"{left:>{WIDEST}}|{right}"


def _passes(model: TrainedModel) -> Iterator[str]:
    yield ""
    yield "EM, one pass per blocking rule, its own fields left out"
    for each in model.training.passes:
        ending = "converged" if each.converged else "DID NOT CONVERGE"
        worst = max(each.disagreement.items(), key=lambda item: item[1], default=("nothing", 0.0))
        yield (
            f"  {each.rule:<18}{each.pairs:>10,} pairs  {ending} after {each.iterations} (last change"
            f" {each.last_change:.1e}); furthest from the others: {worst[0]}, {worst[1]:.1f} bits"
        )


def _starts(model: TrainedModel) -> Iterator[str]:
    yield ""
    yield "rounds until no weight moves, from several starts"
    for each in model.training.starts:
        ending = "converged" if each.converged else "DID NOT CONVERGE"
        where = "chosen" if each.chosen else f"ends {each.distance:.2f} bits away"
        yield f"  {each.start:<18}{ending} after {each.rounds}; log-likelihood {each.log_likelihood:,.1f}; {where}"


def _hubs(model: TrainedModel) -> Iterator[str]:
    if model.hubs is None:
        return
    kinds = ", ".join(f"{len(keys):,} by {kind}" for kind, keys in model.hubs.items())
    yield ""
    yield f"hubs, shared by too many to tell people apart: {kinds}; {model.training.at_hubs:,} records carry one"


def _warnings(model: TrainedModel) -> Iterator[str]:
    yield ""
    yield f"{len(model.training.warnings)} warning(s)"
    yield from (f"  - {warning}" for warning in model.training.warnings)

"""Tables in Markdown for docs/benchmarks.md: stage by stage, what was checked, and how it grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.markdown import head, row
from benchmarks.pipeline.account import GIGABYTE, Account
from benchmarks.pipeline.task import PHASES

TITLES = {"ours": "joinedup", "rival": "pandas, COPY and Splink"}
CHECKED = ("landing", "normalised", "linked", "published")


def stage_table(accounts: Sequence[Account]) -> list[str]:
    """Return seconds and peak memory of each phase, side by side, and of all together."""
    names = [TITLES[each.contender] for each in accounts]
    lines = head(["stage", *(f"{name}, s" for name in names), *(f"{name}, peak GB" for name in names)])
    for phase in PHASES:
        if any(phase in each.seconds for each in accounts):
            seconds = [_or_nothing(each.seconds.get(phase), "{:.1f}") for each in accounts]
            peaks = [_or_nothing(each.peaks.get(phase), "{:.2f}", GIGABYTE) for each in accounts]
            lines.append(row([phase, *seconds, *peaks]))
    totals = [f"**{each.total:.1f}**" for each in accounts]
    peaks = [f"**{each.peak / GIGABYTE:.2f}**" for each in accounts]
    return [*lines, row(["**all**", *totals, *peaks])]


def sentences(accounts: Sequence[Account]) -> list[str]:
    """Return who failed, how they compare as a whole, and what was checked, one line each."""
    lines = [f"{TITLES[each.contender]} FAILED: {each.problem}" for each in accounts if each.problem]
    by_name = {each.contender: each for each in accounts}
    if not lines and {"ours", "rival"} <= set(by_name):
        ours, rival = by_name["ours"], by_name["rival"]
        lines.append(
            f"{TITLES['ours']} is {rival.total / ours.total:.2f} times as fast as a whole, at"
            f" {ours.peak / rival.peak:.2f} of the peak memory"
        )
    return lines + [line for each in accounts for line in _failed_checks(each)]


def _failed_checks(account: Account) -> list[str]:
    failed = account.facts.get("failed", {})
    return [
        f"{TITLES[account.contender]}, failed at {stage}: {name}"
        for stage in failed
        for name in failed[stage]
    ]


def checks_table(accounts: Sequence[Account]) -> list[str]:
    """Return how many expectations were run and failed at each stage, then those that not all ran.

    Nothing where no stage was checked.
    """
    if not any(_of(each, "expectations", stage) for each in accounts for stage in CHECKED):
        return []
    names = [TITLES[each.contender] for each in accounts]
    lines = head(
        ["expectations", *(f"{name}, run" for name in names), *(f"{name}, failed" for name in names)]
    )
    for stage in CHECKED:
        ran = [len(_of(each, "expectations", stage)) for each in accounts]
        failed = [len(_of(each, "failed", stage)) for each in accounts]
        if any(ran):
            lines.append(row([stage, *(f"{count:,}" for count in [*ran, *failed])]))
    return [*lines, "", *(f"- {line}" for line in _not_by_all(accounts))]


def _not_by_all(accounts: Sequence[Account]) -> list[str]:
    """Return the expectations that only some ran; of a contender that failed it is known what it did not reach."""
    accounts, lines = [each for each in accounts if not each.problem], []
    for stage in CHECKED:
        ran = {each.contender: set(_of(each, "expectations", stage)) for each in accounts}
        everything = set().union(*ran.values())
        for name in sorted(everything):
            by = [TITLES[contender] for contender, names in ran.items() if name in names]
            if len(by) < len(ran):
                lines.append(f"only {', '.join(by)} ran, at {stage}: {name}")
    return lines


def _of(account: Account, fact: str, stage: str) -> Sequence[str]:
    found: Mapping[str, Sequence[str]] = account.facts.get(fact, {})
    return found.get(stage, ())


def growth_table(accounts: Sequence[Account]) -> list[str]:
    """Return, per size and contender, what a record and a candidate pair cost, and what came of it."""
    columns = ["all, s", "records/s", "µs a record", "of which link", "candidate pairs", "pairs a record"]
    columns += ["link, ns a pair", "peak GB", "people", "precision", "recall"]
    lines = head(["records", "", *columns], texts=2)
    for each in accounts:
        facts, link = each.facts, each.seconds.get("link")
        pairs, total = facts.get("pairs"), None if each.problem else each.total
        cells = [
            _or_nothing(total, "{:,.1f}"),
            _or_nothing(each.records / total if total else None, "{:,.0f}"),
            _or_nothing(total, "{:,.0f}", each.records / 1e6),
            _or_nothing(link, "{:,.0f}", each.records / 1e6),
            _or_nothing(pairs, "{:,}"),
            _or_nothing(pairs, "{:.1f}", each.records),
            _or_nothing(link if pairs else None, "{:,.0f}", (pairs or 0) / 1e9),
            _or_nothing(each.peak, "{:.2f}", GIGABYTE),
            _or_nothing(facts.get("people"), "{:,}"),
            _or_nothing(facts.get("precision"), "{:.4f}"),
            _or_nothing(facts.get("recall"), "{:.4f}"),
        ]
        title = TITLES[each.contender] + (f" ({each.problem})" if each.problem else "")
        lines.append(row([f"{each.records:,}", title, *cells]))
    return lines


def flatness(accounts: Sequence[Account]) -> list[str]:
    """Return how far the cost of a record and of a pair is from flat, per contender over its sizes."""
    costs: Mapping[str, Callable[[Account], float | None]] = {
        "record": lambda each: each.total / each.records,
        "record in link": lambda each: _link_cost(each, each.records),
        "candidate pair": lambda each: _link_cost(each, each.facts.get("pairs")),
    }
    lines = []
    for name, title in TITLES.items():
        done = [each for each in accounts if each.contender == name and not each.problem]
        for what, cost in costs.items():
            found = [each for each in map(cost, done) if each is not None]
            if len(found) > 1:
                spread = max(found) / min(found)
                lines.append(
                    f"{title}: a {what} costs {spread:.2f} times as much at its dearest as at its cheapest"
                )
    return lines


def _link_cost(account: Account, number: int | None) -> float | None:
    return account.seconds["link"] / number if number and "link" in account.seconds else None


def _or_nothing(amount: float | None, form: str, divided_by: float = 1) -> str:
    """Return an amount as text; nothing where there is none."""
    if amount is None:
        return ""
    return form.format(amount if divided_by == 1 else amount / divided_by)

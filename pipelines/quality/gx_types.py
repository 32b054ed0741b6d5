"""Expectation types of our own, beside those that Great Expectations brings."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import render_suite_parameter_string
from great_expectations.render.components import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

FLOAT_NOISE = 1e-12


class ExpectNoRows(UnexpectedRowsExpectation):
    """Expect that a query finds no row. It is asked once, for their number; GX's own fetches the rows as well."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        """Return success and the number of rows."""
        rows = int(metrics["unexpected_rows_query.row_count"])
        return {"success": rows == 0, "result": {"observed_value": rows}}


class ExpectShareToBeBetween(UnexpectedRowsExpectation):
    """Expect `unexpected / evaluated`, two counts that a query returns as its one row, to be within bounds.

    An empty batch (`evaluated` is 0) passes: other expectations ask for rows where there must be some.
    """

    min_share: float | None = None
    max_share: float | None = None

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query", "min_share", "max_share")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        """Return success and both counts."""
        (row,) = metrics["unexpected_rows_query.table"]
        evaluated, unexpected = int(row["evaluated"] or 0), int(row["unexpected"] or 0)
        share = unexpected / evaluated if evaluated else None
        return {
            "success": share is None or self._holds(share),
            "result": {
                "observed_value": "no rows" if share is None else f"{unexpected:,} of {evaluated:,}",
                "evaluated": evaluated,
                "unexpected": unexpected,
            },
        }

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **kwargs: Any
    ) -> list[RenderedStringTemplateContent]:
        """Return the bounds and the query, for the Data Docs."""
        arguments = configuration.kwargs
        bounds = {
            name: arguments[name] for name in ("min_share", "max_share") if arguments.get(name) is not None
        }
        words = {"min_share": "at least $min_share", "max_share": "at most $max_share"}
        template = f"unexpected / evaluated is {' and '.join(words[name] for name in bounds)}: $query"
        params = {name: f"{bound:g}" for name, bound in bounds.items()}
        styling = (runtime_configuration or {}).get("styling")
        content = {"template": template, "params": {**params, "query": arguments["unexpected_rows_query"]}}
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template", string_template={**content, "styling": styling}
            )
        ]

    def _holds(self, share: float) -> bool:
        """Whether the share is within the bounds that are set."""
        above = self.min_share is None or share >= self.min_share - FLOAT_NOISE
        below = self.max_share is None or share <= self.max_share + FLOAT_NOISE
        return above and below

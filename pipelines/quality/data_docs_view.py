"""How Great Expectations' pages look here: our own frame and style, no script, and nothing from outside.

GX's own page frame loads style sheets, scripts and fonts from six servers, and its index is empty without them.
These classes keep GX's content and replace the frame around it; GX loads them by name from the site's settings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.components import RenderedDocumentContent
from great_expectations.render.renderer.content_block.validation_results_table_content_block import (
    ValidationResultsTableContentBlockRenderer,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

from pipelines.quality import gx_types
from pipelines.quality import report_words as words
from pipelines.quality.gx_store import results_folder
from pipelines.quality.report_environment import TEMPLATES, prepare, worst
from pipelines.quality.report_reader import settings_in_force
from pipelines.words import title

STATES = {"critical": "stopped", "warning": "warned", "info": "noted"}

assert gx_types  # noqa: S101 - imported so that GX finds our expectation types by name


def state_of(success: bool, severity: str | None) -> str:
    """Return what a result means for the batch, in the words of the expectation report."""
    return "passed" if success else STATES[severity or "critical"]


def _label(state: str) -> dict[str, Any]:
    """Return a result as a cell that our style sheet gives a colour."""
    styling = {"params": {"label": {"tag": "span", "classes": ["mark", state]}}}
    content = {"template": "$label", "params": {"label": words.STATE_TITLES[state]}, "styling": styling}
    return {"content_block_type": "string_template", "string_template": content}


class SeverityTable(ValidationResultsTableContentBlockRenderer):
    """The table of results, with how bad a failure is and why the expectation exists."""

    @classmethod
    def _process_content_block(
        cls, content_block: Any, has_failed_evr: bool, render_object: Any = None
    ) -> None:
        super()._process_content_block(content_block, has_failed_evr, render_object)
        content_block.header_row = ["Result", "Expectation", "Observed", "If it fails", "Why"]
        content_block.header_row_options = {}

    @classmethod
    def _get_content_block_fn(cls, expectation_type: str, expectation_config: Any = None) -> Any:
        make_row: Any = super()._get_content_block_fn(expectation_type, expectation_config)

        def with_severity(result: Any = None, **kwargs: Any) -> list[list[Any]]:
            (row,) = make_row(result=result, **kwargs)
            config = result.expectation_config
            severity = FailureSeverity(config.severity or "critical").value
            label = _label(state_of(result.success, severity))
            notes = str(config.notes or "")
            return [[label, *row[1:3], title(severity), notes.partition(": ")[2] or notes]]

        return with_severity


class SeverityPage(ValidationResultsPageRenderer):
    """The page of a validation, whose status says what the failures mean for the batch."""

    def __init__(self, data_context: Any = None) -> None:
        here = {"module_name": __name__, "class_name": SeverityTable.__name__}
        column_section = {"class_name": "ValidationResultsColumnSectionRenderer", "table_renderer": here}
        super().__init__(column_section_renderer=column_section, data_context=data_context)

    def render(
        self, validation_results: ExpectationSuiteValidationResult, suite_parameters: Any = None
    ) -> RenderedDocumentContent:
        """Return the page, its status in our words."""
        document: RenderedDocumentContent = super().render(validation_results, suite_parameters)
        state = worst(_state(single.to_json_dict()) for single in validation_results.results)
        params = document.sections[0].content_blocks[0].subheader.string_template["params"]
        params["success"], params["html_success_icon"] = words.STATE_TITLES[state], ""
        return document


class OfflinePage(DefaultJinjaPageView):
    """The frame around a suite or a validation result."""

    _template = "page.html"

    def __init__(self, **directories: Any) -> None:
        super().__init__(**directories)
        self.env.loader = ChoiceLoader(
            [FileSystemLoader([TEMPLATES / "data_docs", TEMPLATES]), *filter(None, [self.env.loader])]
        )
        prepare(self.env, "style.css", "data_docs.css").globals["settings"] = settings_in_force()

    def render(self, document: RenderedDocumentContent, template: str | None = None, **kwargs: Any) -> str:
        """Return the page as HTML; `home` leads back to the index from wherever the page lies."""
        name = str(document.expectation_suite_name or "")
        depth = name.count(".") + (4 if "Validation" in document.renderer_type else 1)
        kwargs["home"] = "../" * depth + "index.html"
        return str(super().render(document, template, **kwargs))  # type: ignore[no-untyped-call]


class OfflineIndex(OfflinePage):
    """The list of all validation results and suites, as a plain table."""

    _template = "index.html"

    def render(self, document: RenderedDocumentContent, template: str | None = None, **kwargs: Any) -> str:
        """Return the index as HTML, made from the rows that GX would have drawn with a script."""
        content: dict[str, Any] = document.to_json_dict()
        tabs: dict[str, list[dict[str, Any]]] = {
            tab["tab_name"]: tab["tab_content"]["table_data"]
            for section in content["sections"]
            for block in section["content_blocks"]
            for tab in block.get("tabs", [])
        }
        results = [_result_row(row) for row in tabs.get("Validation Results", [])]
        suites = sorted(_suite_row(row) for row in tabs.get("Expectation Suites", []))
        page = self._get_template(self._template)
        return str(page.render(home="index.html", results=results, suites=suites))


def _result_row(row: dict[str, Any]) -> dict[str, str]:
    """Return one line of the index from GX's row."""
    link = str(row["_table_row_link_path"])
    stored = results_folder() / Path(link).with_suffix(".json")
    results = json.loads(stored.read_text(encoding="utf-8"))["results"]
    return {
        "link": link,
        "table": str(row["asset_name"]),
        "run": str(row["run_name"]),
        "time": str(row["run_time"]),
        "state": worst(_state(single) for single in results),
    }


def _suite_row(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["expectation_suite_name"]), str(row["_table_row_link_path"])


def _state(single: dict[str, Any]) -> str:
    return state_of(single["success"], single["expectation_config"].get("severity"))

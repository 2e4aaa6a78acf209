"""Jinja2 and the templates: the only place that knows either.

Delimiters are `<%= value %>`, `<% statement %>` and `<# comment #>`, so that templates of workflows, YAML and
shell can hold `{{ }}`, `${{ }}` and `{% %}` as they are. A name that is not given is an error. Values in
`*.html` templates are escaped.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """The text of `templates/<template>` filled with `values`; jinja2.UndefinedError when one is missing."""
    return _environment().get_template(template).render(**values)


def templates() -> Path:
    """The folder of templates: inside the installed package, else at the root of the checkout."""
    installed = Path(str(files("mlops_ci"))) / "_templates"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "templates"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",), default_for_string=False),
        variable_start_string="<%=",
        variable_end_string="%>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

"""One self-contained HTML page in the house style: a template and its data come in, text goes out.

Rule: everything is escaped; nothing is loaded from anywhere, and the page itself forbids it (its content security
policy allows one style sheet by digest, and no script, picture, font, frame, form or connection).
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2

HERE = Path(__file__).parent


def render(template: str, style: str, folder: Path = HERE, **data: object) -> str:
    """A page from a template of a folder.

    template: file that extends page.html.j2. style: file with what the page adds to the house style.
    """
    sheet = _text(HERE / "house_style.css.j2") + _text(folder / style)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    page = _environment(folder).get_template(template).render(style=sheet, style_hash=digest, **data)
    return page.replace(" %", "\N{NO-BREAK SPACE}%")


@cache
def _environment(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")

"""The 3CX server-side CRM template: its model and file format, our own template, and the lint."""

from callhelm_threecx.template.builder import build_template, render_template
from callhelm_threecx.template.codec import parse, serialize
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.model import Crm

__all__ = [
    "Crm",
    "TemplateError",
    "build_template",
    "parse",
    "render_template",
    "serialize",
]

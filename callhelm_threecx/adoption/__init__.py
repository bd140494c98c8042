"""Adoption: tables that an earlier integration left under our names become ours, with every row.

`survey` looks and changes nothing; `Adoption` then does, in the transaction that it is given, what
the survey found to be done. The database is PostgreSQL; on any other a table of our name that no
migration of ours made is refused.
"""

from callhelm_threecx.adoption.afterwards import (
    guard,
    loosen,
    tables_that_stay,
    true_differences,
)
from callhelm_threecx.adoption.changes import Adoption
from callhelm_threecx.adoption.errors import AdoptionError, SchemaRefusedError, translated_refusals
from callhelm_threecx.adoption.report import Report
from callhelm_threecx.adoption.surveying import Survey, survey

__all__ = [
    "Adoption",
    "AdoptionError",
    "Report",
    "SchemaRefusedError",
    "Survey",
    "guard",
    "loosen",
    "survey",
    "tables_that_stay",
    "translated_refusals",
    "true_differences",
]

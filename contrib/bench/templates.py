"""How long a template takes to be generated, in lookups."""

import duel
import lookups
import servers
import wrk
from lab import Lab
from report import Row, at_most

PATH = "/api/3cx/template"


def rows(lab: Lab) -> list[Row]:
    """Both asked of one server, in turns."""
    filled = lab.on_postgres(lab.size.contacts)
    with servers.product(filled.environment, lab.kind) as product:
        sides = {
            "template": duel.Side(product, [wrk.Request(PATH, filled.key_of(0))]),
            "lookup": duel.Side(product, lookups.requests(filled)),
        }
        turns = duel.fight(sides, lab.pace)
    found = duel.ratio(turns, "template", "lookup", duel.median_latency)
    figures = duel.figures(turns, "template", "lookup")
    return [Row("template: p50 / a lookup's", at_most(2), found, figures=figures)]

"""A million believable contacts: common and rare names, accents, companies, addresses, numbers.

Names are drawn by a law of Zipf, as real ones are: a few are everywhere, most are rare. Half of the
people bear one of 20,000 invented surnames; companies are many and mostly small. Everything is the
same at each run.

Each table of `tables` has `SLOTS` rows to draw from, a common word in many of them. What the
product derives from a contact (folded text, the digits of each number) is derived here from words
that were folded once; a test compares the two.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from callhelm_threecx.stores import folding

T = TypeVar("T")
SLOTS = 65_536
SURNAMES, COMPANIES = 20_000, 60_000

FIRST = (
    "Anna Michael Thomas Sabine Andreas Maria Peter Julia Stefan Laura Christian Sarah Martin"
    " Katharina Daniel Lisa Markus Claudia Alexander Jürgen Petra Jan Susanne Frank Monika Jörg"
    " Nicole Tobias Karin Sebastian Renate David Ursula Florian Birgit Robert Heike Simon Andrea"
    " Philipp Anja Matthias Silke Günter Ute Björn Käthe Sören Zoë Chloé José Inés François Renée"
    " Łukasz Żaneta Dvořák Åsa Øyvind Siân Mehmet Ayşe Emine Fatma Giulia Marco Luca Elif Piotr"
    " Agnieszka Ivan Olga Dmitri Svetlana John Emily James Olivia William Sophie Grace Hiro Yuki"
    " Mei Li Wei Ahmed Fatima Omar Leyla Ada Bo Cy Dag Eve Finn Gus Hal Ida Jo Kay Lea Max Ned"
)
LAST = (
    "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer"
    " Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange"
    " Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter"
    " Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich"
    " Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon"
    " Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel"
    " Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch"
    " Smith Jones Taylor Brown García Rossi Dubois Novák Nowak Kowalski Doğan Şahin Ivanov Tanaka"
    " O'Brien Åberg Sørensen Núñez Lefèvre Çelik Nguyễn Li Wu Ng Ek"
)
BRANCHES = (
    "Logistik Consulting Bau Software Elektro Immobilien Handel Technik Solar Metallbau Catering"
    " Design Medien Versicherungen Systeme Gärtnerei Bäckerei Apotheke Reisen Druck Möbel Energie"
    " Transporte Steuerberatung Architekten Sanitär Dental Optik Spedition Werkzeuge"
)
FORMS = ("GmbH", "GmbH & Co. KG", "AG", "Ltd", "KG", "e.K.", "SARL", "S.p.A.")
MAIL = ("gmail.com", "web.de", "gmx.de", "t-online.de", "outlook.com", "yahoo.fr")
SYLLABLES = (
    "ba ber brin da del fel fo ge gru hof ka kel kö lan li lo ma mer mü no nik o pa pel ra rich ri"
    " sa schu son sta ste ta tel tz u va vel wal wi zan ze"
)
# Country code, trunk prefix, beginning, and how many digits come to it.
PLACES = (
    ("49", "0", "30", 8),
    ("49", "0", "89", 7),
    ("49", "0", "40", 7),
    ("49", "0", "221", 7),
    ("49", "0", "171", 7),
    ("49", "0", "151", 8),
    ("49", "0", "176", 8),
    ("44", "0", "20", 8),
    ("33", "0", "6", 8),
    ("1", "", "212", 7),
)
WORD_COLUMNS = ("slot", "word", "folded", "ascii")
PLACE_COLUMNS = ("slot", "country", "trunk", "area", "least")
Row = tuple[object, ...]


def tables() -> Mapping[str, tuple[Sequence[str], list[Row]]]:
    """What contacts are made of: by name of a table, its columns and its rows.

    Words come with their folded form, and with that of it which can stand in an address; of a place
    ``least`` is the smallest number behind its ``area``, and the greatest is five times that.
    """
    chance = random.Random(1)
    surnames = [*LAST.split(), *_surnames(chance)]
    words: dict[str, tuple[Sequence[str], int]] = {
        "town_first": (FIRST.split(), 2),
        "town_last": (surnames, 4),
        "town_company": (list(_companies(chance, surnames)), 40),
        "town_mail": (MAIL, 1),
    }
    made: dict[str, tuple[Sequence[str], list[Row]]] = {
        name: (WORD_COLUMNS, _word_rows(_by_zipf(chance, items, flat, SLOTS)))
        for name, (items, flat) in words.items()
    }
    places = enumerate(_by_zipf(chance, PLACES, 1, SLOTS))
    # Two to nine in front: nothing else begins a subscriber's number everywhere.
    rows: list[Row] = [
        (slot, country, trunk, area, 2 * 10 ** (digits - 1))
        for slot, (country, trunk, area, digits) in places
    ]
    made["town_place"] = (PLACE_COLUMNS, rows)
    return made


def _word_rows(drawn: Sequence[str]) -> list[Row]:
    folded = {word: folding.fold(word) for word in set(drawn)}
    return [(slot, word, folded[word], _ascii(folded[word])) for slot, word in enumerate(drawn)]


def _by_zipf(chance: random.Random, items: Sequence[T], flat: int, count: int) -> list[T]:
    weights = list(accumulate(1 / (rank + flat) for rank in range(len(items))))
    return chance.choices(items, cum_weights=weights, k=count)


def _surnames(chance: random.Random) -> Iterator[str]:
    syllables = SYLLABLES.split()
    for _ in range(SURNAMES):
        yield "".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4)))).capitalize()


def _companies(chance: random.Random, surnames: Sequence[str]) -> Iterator[str]:
    branches = BRANCHES.split()
    for form in _by_zipf(chance, FORMS, 1, COMPANIES):
        words = (chance.choice(surnames), chance.choice(branches))
        named = words if chance.random() < 0.6 else words[: 1 + (chance.random() < 0.5)]
        yield " ".join((*named, form))


def _ascii(folded: str) -> str:
    """What can stand in an address."""
    return "".join(
        c for c in folded.replace(" ", "-") if c in "-." or (c.isascii() and c.isalnum())
    )

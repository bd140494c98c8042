"""Invented contacts for the demo: some two hundred people in sixteen countries.

Everything is made from small tables, the same at each run. Numbers lie in ranges that a country
reserves for films and examples where it does (Australia, France, Germany, Ireland, Sweden, the
United Kingdom; 555-01 in North America); elsewhere they are only plausible, and nobody calls them.
Addresses end in ``.example``, which belongs to nobody (RFC 2606).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callhelm_threecx.stores.base import NewContact, Phone, PhoneType

REGION: Final = "DE"
"""Where the demo's organization is, and reads national numbers."""

PEOPLE_PER_COUNTRY: Final = 13


@dataclass(frozen=True, slots=True)
class Country:
    """What the contacts of a country are made of.

    ``office`` and ``mobile`` are the beginnings of numbers in E.164, to which two digits come.
    """

    region: str
    office: str
    mobile: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    companies: tuple[str, ...]


def _country(region: str, office: str, mobile: str, *names: str) -> Country:
    first, last, companies = (tuple(text.split(", ")) for text in names)
    return Country(region, office, mobile, first, last, companies)


COUNTRIES: Final = (
    _country(
        "DE",
        "+4930231250",
        "+4917139200",
        "Anna, Jürgen, Katrin, Lukas, Sabine, Holger, Mia",
        "Müller, Weiß, Schröder, Köhler, Brandt, Vogel, Lindner, Jäger, Sommer, Busch, Krüger",
        "Nordlicht Solar GmbH, Bäckerei Köhler, Hafenlogistik Elbe AG",
    ),
    _country(
        "AT",
        "+43123456",
        "+4366412345",
        "Magdalena, Florian, Theresa, Sebastian, Veronika, Matthias, Eva",
        "Gruber, Hofer, Steiner, Pichler, Moser, Egger, Eder, Auer, Fuchs, Haas, Wimmer",
        "Alpenblick Hotels, Donau Optik, Tischlerei Moser",
    ),
    _country(
        "CH",
        "+414466818",
        "+417912345",
        "Urs, Regula, Beat, Céline, Reto, Noémie, Luca",
        "Meier, Keller, Frei, Zürcher, Ammann, Rochat, Favre, Graf, Baumann, Suter, Wyss",
        "Uhrwerk Biel SA, Käserei Emmental, Limmat Treuhand AG",
    ),
    _country(
        "GB",
        "+4420794601",
        "+4477009003",
        "Olivia, Harry, Priya, Callum, Imogen, Dev, Rhys",
        "Ashworth, Patel, MacLeod, Okafor, Whitfield, Barnes, Singh, Hughes, Fenwick, Doyle, Lowe",
        "Thistle & Thorn Ltd, Camden Cycles, Harbour Street Dental",
    ),
    _country(
        "IE",
        "+3532091101",
        "+3538520451",
        "Aoife, Cian, Niamh, Oisín, Saoirse, Darragh, Róisín",
        "Byrne, O'Sullivan, Kavanagh, Ó Briain, Nolan, Walsh, Brennan, Daly, Quinn, Burke, Foley",
        "Liffey Software, Galway Bay Foods, Shamrock Print Co",
    ),
    _country(
        "FR",
        "+331990011",
        "+336399812",
        "Chloé, Étienne, Manon, Théo, Inès, Gaspard, Zoé",
        "Lefèvre, Moreau, Garnier, d'Aubigné, Roussel, Petit, Marchand, Blanc, Faure, Noël, Leroy",
        "Boulangerie du Port, Atelier Lumière SARL, Garonne Conseil",
    ),
    _country(
        "NL",
        "+312012345",
        "+316123456",
        "Sanne, Daan, Fleur, Bram, Lotte, Jeroen, Noor",
        "de Vries, van den Berg, Bakker, Visser, Smit, Mulder, Bos, Dekker, Kok, Prins, Vos",
        "Polder Energie BV, Grachten Makelaars, Tulp & Zoon",
    ),
    _country(
        "ES",
        "+349112345",
        "+346123456",
        "Lucía, Íñigo, Carmen, Álvaro, Nerea, Pablo, Begoña",
        "García López, Muñoz, Ibáñez, Ortega, Peña, Castro, Vidal, Rubio, Núñez, Soler, Gil",
        "Aceites del Sur SL, Clínica Mirador, Talleres Ebro",
    ),
    _country(
        "IT",
        "+3906123456",
        "+3931234567",
        "Giulia, Matteo, Chiara, Lorenzo, Niccolò, Elena, Dario",
        "Rossi, Bianchi, D'Angelo, Ferrari, Colombo, Greco, Marino, Conti, Gallo, Serra, Fontana",
        "Officina Ferrari & Figli, Caffè del Corso, Tessuti Como SpA",
    ),
    _country(
        "PL",
        "+482212345",
        "+485121234",
        "Zofia, Łukasz, Agnieszka, Paweł, Małgorzata, Wojciech, Ola",
        "Nowak, Wiśniewski, Wójcik, Kowalczyk, Zieliński, Dąbrowski, Mazur, Król, Pawlak, Lis, Sik",
        "Bałtyk Transport, Piekarnia Pod Lipą, Wisła Software",
    ),
    _country(
        "SE",
        "+468465004",
        "+467017406",
        "Astrid, Björn, Elsa, Göran, Linnéa, Åke, Maja",
        "Lindqvist, Åberg, Nyström, Sjögren, Ek, Öberg, Dahl, Holm, Wallin, Ström, Hedlund",
        "Fjällräven Bygg AB, Söder Kaffe, Mälaren Juridik",
    ),
    _country(
        "US",
        "+121255501",
        "+141555501",
        "Emily, Marcus, Guadalupe, Tyrone, Brooke, Ethan, Keisha",
        "Johnson, Ramirez, Washington, O'Connor, Nguyen, Cohen, Brooks, Kim, Foster, Reed, Hayes",
        "Prairie Wind Insurance, Golden Gate Bikes, Hudson Dental Group",
    ),
    _country(
        "BR",
        "+5511312345",
        "+55119123456",
        "Beatriz, João, Luíza, Thiago, Conceição, Rafael, Ana",
        "da Silva, Souza, Gonçalves, Araújo, Ribeiro, Mendes, Lima, Rocha, Dias, Barros, Leite",
        "Café Serra Azul, Construtora Horizonte, Farmácia Aurora",
    ),
    _country(
        "IN",
        "+9122234567",
        "+9198765432",
        "Aarav, Diya, Rohan, Ananya, Vikram, Meera, Kabir",
        "Sharma, Iyer, Reddy, Banerjee, Kapoor, Nair, Desai, Joshi, Menon, Bose, Rao",
        "Monsoon Textiles Pvt Ltd, Chai & Co, Deccan Robotics",
    ),
    _country(
        "JP",
        "+813123456",
        "+8190123456",
        "Yui, Haruto, Sakura, Ren, Aoi, Kenji, Mei",
        "Tanaka, Satō, Suzuki, Takahashi, Itō, Yamamoto, Nakamura, Katō, Mori, Ōno, Abe",
        "Hinode Seimitsu KK, Matsu Ryokan, Sumida Design",
    ),
    _country(
        "AU",
        "+612555012",
        "+614915701",
        "Charlotte, Lachlan, Kirra, Angus, Matilda, Nguyen, Ruby",
        "Taylor, Murray, Papadopoulos, Tran, Campbell, Fraser, Hogan, Russo, Webb, Chapman, Doig",
        "Southern Cross Freight, Billabong Vets, Wattle Street Legal",
    ),
)


def contacts() -> Iterator[NewContact]:
    """Every contact, country by country."""
    for country in COUNTRIES:
        for place in range(PEOPLE_PER_COUNTRY):
            yield _person(country, place)


def switchboard(country: Country, company: int) -> str:
    """The number that people of a company share."""
    return f"{country.office}{90 + company}"


def _person(country: Country, place: int) -> NewContact:
    first = country.first_names[place % len(country.first_names)]
    last = country.last_names[place * 3 % len(country.last_names)]
    is_private = place % 6 == 5
    company = "" if is_private else country.companies[place % len(country.companies)]
    mailbox = f"{_plain(first)}.{_plain(last)}"
    return NewContact(
        first_name=first,
        last_name=last,
        company=company,
        email=f"{mailbox}@{_plain(company) or 'post'}.example",
        phones=tuple(_phones(country, place, is_private=is_private)),
        external_id=f"{country.region}-{place + 1:03}",
        source="demo",
    )


def _phones(country: Country, place: int, *, is_private: bool) -> Iterator[Phone]:
    """The numbers of a person: each place in a country has a mixture of its own."""
    own, other = 10 + place * 6, 13 + place * 6
    office, mobile = f"{country.office}{own}", f"{country.mobile}{own}"
    if is_private:
        yield Phone(office, PhoneType.HOME)
        yield Phone(mobile, PhoneType.MOBILE)
        return
    main = switchboard(country, place % len(country.companies))
    fax = f"{country.office}{other}"
    mixtures = (
        ((office, PhoneType.BUSINESS), (mobile, PhoneType.MOBILE), (fax, PhoneType.FAX)),
        ((mobile, PhoneType.MOBILE), (f"{country.mobile}{other}", PhoneType.MOBILE2)),
        ((main, PhoneType.BUSINESS), (mobile, PhoneType.MOBILE)),
        ((office, PhoneType.BUSINESS), (main, PhoneType.BUSINESS2)),
        ((mobile, PhoneType.MOBILE),),
        ((office, PhoneType.BUSINESS), (mobile, PhoneType.OTHER)),
    )
    for number, kind in mixtures[place % 7 % len(mixtures)]:
        yield Phone(number, kind)


def _plain(text: str) -> str:
    """A text as it stands in an address: ``"Bäckerei Köhler"`` gives ``"backerei-kohler"``."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    plain = (char for char in folded if not unicodedata.combining(char))
    letters = "".join(char if char.isascii() and char.isalnum() else " " for char in plain)
    return "-".join(letters.split())

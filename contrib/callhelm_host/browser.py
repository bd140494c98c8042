"""A browser for the story: it keeps its cookies, fills in forms and reads tables."""

from html.parser import HTMLParser
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from types import TracebackType
from typing import Final

import httpx

SHOWN: Final = ("data-call", "data-contact")


class Page(HTMLParser):
    """What a person sees of a page.

    ``text`` is all of it; ``rows`` has each table row that shows a call or a contact, as its id and
    its cells; ``fields`` the hidden fields of its forms.
    """

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.status = response.status_code
        self.address = str(response.url)
        self.rows: list[tuple[str, list[str]]] = []
        self.fields: dict[str, str] = {}
        self._words: list[str] = []
        self._cells: list[str] = []
        self._in_cell = False
        self.feed(response.text)

    @property
    def text(self) -> str:
        """Every word, with single spaces between."""
        return " ".join(" ".join(self._words).split())

    def cells_of(self, row_id: str) -> list[list[str]]:
        """The cells of every row with this id."""
        return [cells for each, cells in self.rows if each == row_id]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note rows, cells and hidden fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "tr":
            ids = [given[name] for name in SHOWN if name in given]
            self._cells = []
            self.rows += [(each, self._cells) for each in ids]
        elif tag == "td":
            self._cells.append("")
            self._in_cell = True
        elif tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a cell."""
        self._in_cell = self._in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        """Note words."""
        self._words.append(data)
        if self._in_cell:
            self._cells[-1] = " ".join(f"{self._cells[-1]} {data}".split())


class Browser:
    """One person's browser at a host."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.client = httpx.Client(
            base_url=base_url,
            follow_redirects=True,
            timeout=30,
            trust_env=False,
            verify=SSLContext(PROTOCOL_TLS_CLIENT),  # trusts nobody: the host speaks plain http
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def open(self, address: str) -> Page:
        """Open a page, by its path or its whole address."""
        return Page(self.client.get(address))

    def sign_in(self, email: str, password: str, at: str = "/sign-in") -> Page:
        """Open a page that asks to sign in, and do; the page that comes then."""
        form = self.open(at).fields
        fields = {**form, "email": email, "password": password}
        return Page(self.client.post("/sign-in", data=fields))

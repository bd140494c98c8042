"""What the tests of imports as jobs share."""

from typing import Any

from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.import_jobs import Job
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore

ACME = Organization("acme", "DE")
PEOPLE = """\
FirstName,LastName,Company,PhoneBusiness,ExternalId,Shoe
Anna,Müller,,030 123456,1,38
Bert,,,030 123457,,44
Ben,Ohne,,none,,
,,,030 1,,
Bert,,Acme,030/123457,,
Anna,Müller,,030 123456,1,
"""


def many(count: int) -> bytes:
    rows = "".join(f"Name {n},030 {200000 + n}\n" for n in range(count))
    return f"FirstName,PhoneHome\n{rows}".encode()


def upload(imports: ContactImports, text: str | bytes = PEOPLE, **more: Any) -> Job:
    data = text if isinstance(text, bytes) else text.encode()
    return imports.upload(ACME, "people.csv", data, **more)


def run(imports: ContactImports, job: Job) -> Job:
    imports.start(ACME, job.id)
    imports.wait(60)
    return imports.progress("acme", job.id)


def counts(job: Any) -> tuple[int, int, int, int]:
    return job.created, job.updated, job.unchanged, job.refused


def names(store: SqlContactStore) -> list[str]:
    return sorted(contact.first_name for contact in store.export(ACME))

"""The settings as the README's table. Run as a script, it writes the table into the README."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from callhelm_threecx.settings import ENV_PREFIX, Settings

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def table() -> str:
    """A row for each setting, in the order of the class."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = _shown(field.get_default(call_default_factory=True))
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def written() -> str:
    """The table that the README has."""
    text = README.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def _shown(value: Any) -> str:
    if value is None or value in ((), {}) or isinstance(value, SecretStr):
        return ""
    return f"`{value}`"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(BEGIN + written() + END, BEGIN + table() + END), "utf-8")

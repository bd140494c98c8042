"""The template file, both ways: text to model and model to text.

`parse(serialize(crm)) == crm` holds for every model, and `serialize(parse(xml))` holds the same
elements, attributes and texts as `xml` did. Not kept are comments, the order of attributes, and the
order of differently named siblings such as `<Rules>` and `<Variables>`, which are written in the
order of the documentation.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from callhelm_threecx.template.elements import Element, Extra, RawNode, Section
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.fields import Binding, schema_of
from callhelm_threecx.template.model import Crm
from callhelm_threecx.template.xmlread import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, read_tree
from callhelm_threecx.template.xmlwrite import write_tree

ROOT: Final = "Crm"

E = TypeVar("E", bound=Element)


def parse(
    xml: bytes | str,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_ELEMENTS,
) -> Crm:
    """Read a template of any vendor, trusting nothing in it.

    Only what cannot be a template at all is an error; what is merely wrong in one is kept for the
    lint to report: unknown attributes and elements, second copies of a section, odd values.

    Raises:
        TemplateError: see `xmlread.read_tree`; or `wrong_root` when the root is not `Crm`.
    """
    root = read_tree(xml, max_bytes=max_bytes, max_depth=max_depth, max_elements=max_elements)
    if root.tag != ROOT:
        raise TemplateError(
            "wrong_root",
            f"The root element is <{root.tag}>; a 3CX template begins with <{ROOT}>.",
            line=root.line,
            column=root.column,
        )
    return _read(root, Crm)


def serialize(crm: Crm) -> str:
    """Write a template as indented XML that declares UTF-8.

    Raises:
        TemplateError: when a text cannot stand in XML; see `xmlwrite.write_tree`.
    """
    return write_tree(_write(crm, ROOT))


def _read(node: RawNode, cls: type[E]) -> E:
    schema = schema_of(cls)
    values: dict[str, Any] = {"line": node.line, "column": node.column}
    unknown: list[tuple[str, str]] = []
    for name, value in node.attributes:
        field = schema.attributes.get(name)
        if field is None:
            unknown.append((name, value))
        else:
            values[field] = value
    left = list(node.children)
    for part in schema.parts:
        left = _read_part(part, left, values)
    text = node.text
    if not text.strip() and (left or node.children or schema.content is None):
        text = ""
    if schema.content is not None:
        values[schema.content] = text or None
        text = ""
    values["extra"] = Extra(tuple(unknown), tuple(left), text.strip())
    return cls(**values)


def _read_part(part: Binding, nodes: list[RawNode], values: dict[str, Any]) -> list[RawNode]:
    """Take the elements of one binding out of `nodes`; what is left is returned."""
    if part.kind == "children":
        values[part.field] = tuple(
            _read(node, part.types[node.tag]()) for node in nodes if node.tag in part.types
        )
        return [node for node in nodes if node.tag not in part.types]
    index = next((i for i, node in enumerate(nodes) if node.tag == part.name), None)
    if index is None:
        return nodes
    node = nodes[index]
    if part.kind == "section":
        values[part.field] = _read_section(node, part)
    else:
        values[part.field] = _read(node, part.types[part.name]())
    return nodes[:index] + nodes[index + 1 :]


def _read_section(node: RawNode, part: Binding) -> Section[Element]:
    items = tuple(
        _read(item, part.types[item.tag]()) for item in node.children if item.tag in part.types
    )
    unknown = tuple(item for item in node.children if item.tag not in part.types)
    return Section(
        items=items,
        present=True,
        line=node.line,
        column=node.column,
        extra=Extra(node.attributes, unknown, node.text.strip()),
    )


def _write(element: Element, tag: str) -> RawNode:
    schema = schema_of(type(element))
    attributes = [
        (name, value)
        for name, field in schema.attributes.items()
        if (value := getattr(element, field)) is not None
    ]
    content: list[str | RawNode] = []
    if schema.content is not None and (text := getattr(element, schema.content)):
        content.append(text)
    for part in schema.parts:
        content += _write_part(part, getattr(element, part.field))
    return _with_extra(tag, attributes, content, element.extra)


def _write_part(part: Binding, value: Any) -> list[RawNode]:
    if part.kind == "children":
        return [_write(item, _tag_of(item, part)) for item in value]
    if part.kind == "child":
        return [] if value is None else [_write(value, part.name)]
    if not value.present:
        return []
    items: list[str | RawNode] = [_write(item, _tag_of(item, part)) for item in value.items]
    return [_with_extra(part.name, [], items, value.extra)]


def _tag_of(item: Element, part: Binding) -> str:
    for tag, cls in part.types.items():
        if type(item) is cls():
            return tag
    raise TemplateError(
        "bad_element", f"{type(item).__name__} cannot stand where {', '.join(part.types)} can."
    )


def _with_extra(
    tag: str, attributes: list[tuple[str, str]], content: list[str | RawNode], extra: Extra
) -> RawNode:
    text = [extra.text] if extra.text else []
    return RawNode(
        tag,
        (*attributes, *extra.attributes),
        (*content, *text, *extra.children),
    )

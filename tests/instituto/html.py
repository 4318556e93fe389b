"""Just enough reading of our own pages: attributes and text of elements, and what a page asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOID = frozenset({"meta", "link", "rect", "br", "img", "input"})


@dataclass
class Element:
    """An element: its name, attributes, children (elements and texts, in order) and the line where it starts."""

    name: str
    attrs: dict[str, str]
    line: int
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join("".join(parts).replace("\u00a0", " ").split())

    def walk(self) -> Iterator[Element]:
        # Without recursion: each element of a deep page would pass through as many generators as it has parents.
        left = [self]
        while left:
            item = left.pop()
            yield item
            left += [child for child in reversed(item.children) if isinstance(child, Element)]

    def all(self, name: str | None = None, **attrs: str | None) -> list[Element]:
        """Descendants of that name whose attributes (``_`` for ``-``) have that value; None: any value."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attrs.items()}
        return [
            item
            for item in self.walk()
            if (name is None or item.name == name)
            and all(key in item.attrs and value in (None, item.attrs[key]) for key, value in wanted.items())
        ]

    def one(self, name: str | None = None, **attrs: str | None) -> Element:
        found = self.all(name, **attrs)
        assert len(found) == 1, (name, attrs, len(found))
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {}, 0)
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [key for key, _ in attrs]
        assert len(set(names)) == len(names), f"repeated attribute in <{tag}> at {self.getpos()}"
        element = Element(tag, {key: value or "" for key, value in attrs}, self.getpos()[0])
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}> at {self.getpos()}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(page: bytes) -> Element:
    """The page as a tree; fails on tags that do not match."""
    builder = _Builder()
    builder.feed(page.decode())
    builder.close()
    assert builder._open == [builder.root]
    return builder.root

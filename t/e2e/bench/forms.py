"""HTML forms, read as a browser would (attribute names in any case)."""

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin


class Form:
    def __init__(self, attributes: dict, page: str):
        self.action = urljoin(page, attributes.get("action") or "")
        self.method = (attributes.get("method") or "get").lower()
        self.id = attributes.get("id")
        self.fields: list[tuple[str, str]] = []

    def encode(self, **changes: str) -> bytes:
        fields = [(n, v) for n, v in self.fields if n not in changes]
        return urlencode(fields + list(changes.items())).encode()


class _Parser(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.page = page
        self.forms: list[Form] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append(Form(attributes, self.page))
        elif tag == "input" and self.forms and attributes.get("name"):
            if attributes.get("type") not in ("submit", "checkbox", "button"):
                field = (attributes["name"], attributes.get("value") or "")
                self.forms[-1].fields.append(field)


def forms(html: bytes, page: str) -> list[Form]:
    parser = _Parser(page)
    parser.feed(html.decode(errors="replace"))
    return parser.forms

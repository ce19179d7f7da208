"""The table of what others made and wave ships (parts.json), as values."""

import dataclasses
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "packaging" / "parts.json"
LICENSES = ROOT / "packaging" / "licenses"


@dataclasses.dataclass(frozen=True)
class Part:
    """A row. What a kind of row does not have is empty."""

    name: str
    license: str  # under which it is shipped
    copyright: list
    declared: str = ""  # what its makers say, if that is something else
    url: str = ""
    note: str = ""
    only_where: str = ""  # it is in some builds only
    cmake: tuple = ()
    debian: tuple = ()
    file: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    linked: list
    copied: list
    build_tools: list
    browser: list
    not_shipped: list

    def all(self):
        return self.linked + self.copied + self.build_tools + self.browser


def load(path=TABLE):
    text = json.loads(path.read_text(encoding="utf-8"))
    kinds = {kind: [Part(**row) for row in text[kind]] for kind in ("linked", "copied", "build_tools", "browser")}
    return Table(not_shipped=text["not_shipped"], **kinds)


def licenses_of(expression):
    """The licences of an SPDX expression; one with an exception is one."""
    return [word.strip("() ") for word in re.split(r" AND | OR ", expression)]


def license_text(name):
    return (LICENSES / f"{name}.txt").read_text(encoding="utf-8")


def locked_packages():
    """(name, entry) of everything that web/package-lock.json has, some names more than once."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    return [(path.rpartition("node_modules/")[2], entry) for path, entry in lock["packages"].items() if path]


def shipped_packages():
    """The same, of what the application needs to run and not only to be built."""
    return [(name, entry) for name, entry in locked_packages() if not entry.get("dev")]


def asked_for():
    """The packages that web/package.json asks for, to be shipped."""
    return json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))["dependencies"]

"""notice.py: prints NOTICE, made from parts.json and licenses/."""

import sys
import textwrap

import parts

WIDTH = 100


def wrapped(text, indent):
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def entry(names, part):
    """Packages that have everything but their name in common are one entry."""
    lines = [wrapped(", ".join(names), ""), wrapped(part.license, "    ")]
    lines += [wrapped(f"Copyright (c) {holder}", "    ") for holder in part.copyright]
    if part.url:
        lines.append(f"    {part.url}")
    if part.only_where:
        lines.append(wrapped(f"Only where {part.only_where}.", "    "))
    if part.note:
        lines.append(wrapped(part.note, "    "))
    return "\n".join(lines)


def entries(rows):
    alike = {}
    for part in rows:
        alike.setdefault((part.license, tuple(part.copyright), part.url, part.note), []).append(part)
    return [entry([part.name for part in group], group[0]) for group in alike.values()]


def title(text):
    return f"{text}\n{'=' * len(text)}"


def notice(table):
    licenses = sorted({name for part in table.all() for name in parts.licenses_of(part.license)}, key=str.lower)
    sections = [
        title("NOTICE"),
        wrapped("wave is under the MIT licence: see LICENSE. What is shipped as wave contains what others made, each part"
                " under its own licence: a list of them, and then the texts of the licences.", ""),
        wrapped("`wave version --json` says which releases of the libraries are in a program, and the .spdx.json beside a"
                " package lists everything that is in it.", ""),
        wrapped("Made by packaging/notice.py from packaging/parts.json: change that, and run `./dev notice`.", ""),
        title("Linked into the program"),
        *entries(table.linked),
        title("Copied into the program"),
        *entries(table.copied),
        title("In the application for browsers"),
        *entries(table.build_tools + table.browser),
        *(f"{title(name)}\n\n{parts.license_text(name).rstrip()}" for name in licenses),
    ]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(notice(parts.load()))

"""check_parts.py: the table of parts against what is built, and NOTICE against the table.

Prints what does not agree, one a line, and fails if anything does not. Reads files only.
"""

import re
import sys

import notice
import parts

TABLE = "packaging/parts.json"


def read(path):
    return (parts.ROOT / path).read_text(encoding="utf-8")


def without_comments(text):
    return re.sub(r"(?m)#.*$", "", text)


def names_in_cmake():
    """What CMake looks for outside the project, in any of its files."""
    files = [parts.ROOT / "CMakeLists.txt", *sorted((parts.ROOT / "cmake").glob("*.cmake"))]
    text = "\n".join(without_comments(file.read_text(encoding="utf-8")) for file in files)
    # Parts of RE2 that have names of their own on some systems come from a variable: they are Abseil.
    calls = r"(?i)\b(?:wave_library|find_package|pkg_check_modules|pkg_search_module|FetchContent_Declare|ExternalProject_Add)"
    return sorted(set(re.findall(calls + r"\(\s*([\w.+-]+)", text)))


def packages_to_build_with():
    """Rows of tools/dev/packages.txt that bring a library: each the names that it goes by."""
    rows = [line.split()[1:] for line in read("tools/dev/packages.txt").splitlines() if line.startswith("build ")]
    return [row for row in rows if any(name.endswith("-dev") for name in row)]


def names_with_versions():
    return re.findall(r'(?m)^ *\{"([^"]+)",', read("src/cli/linked_libraries.cc"))


def check_linked(table):
    in_table = {name for part in table.linked for name in part.cmake} | set(table.not_shipped)
    in_cmake = set(names_in_cmake())
    for name in sorted(in_cmake - in_table):
        yield f"CMake looks for {name}: {TABLE} has no row under linked with that name"
    for name in sorted(in_table - in_cmake):
        yield f"{TABLE} names {name}: CMake no longer looks for it"

    known = {name for part in table.linked for name in part.debian}
    wanted = packages_to_build_with()
    for row in wanted:
        if not known.intersection(row):
            yield f"tools/dev/packages.txt has {' '.join(row)}: {TABLE} has no row under linked with that package"
    installed = {name for row in wanted for name in row}
    for part in table.linked:
        # The compiler and RE2 bring theirs.
        if part.cmake and not installed.intersection(part.debian):
            yield f"{TABLE}: {part.name} is in no package of tools/dev/packages.txt"

    with_versions = names_with_versions()
    for name in sorted(set(with_versions) ^ {part.name for part in table.linked}):
        yield f"{name} is in only one of {TABLE} (linked) and src/cli/linked_libraries.cc"


def check_browser(table):
    shipped = parts.shipped_packages()
    names = {name for name, _ in shipped}
    rows = {part.name: part for part in table.browser}
    for name, entry in shipped:
        if name not in rows:
            yield f"web/package-lock.json has {name} ({entry.get('license')}): {TABLE} has no row under browser for it"
    for name in sorted(rows.keys() - names):
        yield f"{TABLE}: {name} is no longer shipped with the application"
    for name in sorted(set(parts.asked_for()) - names):
        yield f"web/package.json has {name}, web/package-lock.json has not: run npm install"
    tools = {part.name: part for part in table.build_tools}
    locked = parts.locked_packages()
    for name in sorted(tools.keys() - {name for name, _ in locked}):
        yield f"{TABLE}: {name} is not in web/package-lock.json"
    of_interest = shipped + [(name, entry) for name, entry in locked if name in tools]
    for name, entry in of_interest:
        part = rows.get(name) or tools.get(name)
        if part and entry.get("license") != (part.declared or part.license):
            yield f"{TABLE}: {name} is under {part.declared or part.license}, its package says {entry.get('license')}"


def check_rows(table):
    used = {name for part in table.all() for name in parts.licenses_of(part.license)}
    texts = {file.stem for file in parts.LICENSES.glob("*.txt")}
    for name in sorted(used - texts):
        yield f"packaging/licenses has no text of {name}"
    for name in sorted(texts - used):
        yield f"packaging/licenses: nothing is under {name}"
    names = [part.name for part in table.all()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{TABLE} has {name} twice"
    for part in table.all():
        if not part.copyright and part.license not in ("blessing", "Unlicense"):
            yield f"{TABLE}: {part.name} has no copyright; its LICENSE file says whose it is"
    for part in table.copied:
        if not (parts.ROOT / part.file).is_file():
            yield f"{TABLE}: there is no {part.file} with {part.name} in it"


def check_notice(table):
    if read("NOTICE") != notice.notice(table):
        yield f"NOTICE is not what {TABLE} says: run ./dev notice"


def main():
    table = parts.load()
    complaints = [*check_rows(table), *check_linked(table), *check_browser(table)]
    # A row that is missing has no licence to print.
    complaints = complaints or [*check_notice(table)]
    for complaint in complaints:
        print(f"  {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

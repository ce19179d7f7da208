"""sbom.py BINARY NAME: prints what is in a binary, as SPDX 2.3 in JSON, for the package NAME.

Versions of libraries are what the binary says of itself; those of the application's packages stand in
web/package-lock.json, from which npm installs nothing else. Where the machine that builds is a Debian, the package
that a library came from is named with its version: its patches are part of that.
The same binary gives the same document, where SOURCE_DATE_EPOCH is set or the sources are a git checkout.
"""

import base64
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import urllib.parse
import uuid

import parts


def output_of(*command):
    """What a command prints; empty if it cannot be run or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def created():
    """The time of the sources, not of the build."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or output_of("git", "-C", str(parts.ROOT), "log", "-1", "--format=%ct")
    when = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc) if seconds else (
        datetime.datetime.now(datetime.timezone.utc))
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def purl(locator):
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}


def package(part, name_of_id, version, references, more=None):
    described = {
        "name": part.name,
        "SPDXID": spdx_id(name_of_id),
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": part.license,
        "licenseDeclared": part.declared or part.license,
        "copyrightText": "\n".join(f"Copyright (c) {holder}" for holder in part.copyright) or "NONE",
    }
    if part.url:
        described["homepage"] = part.url
    if part.note:
        described["comment"] = part.note
    if references:
        described["externalRefs"] = references
    return described | (more or {})


def same_release(debian_version, version):
    return debian_version.rpartition(":")[2].startswith(version)


def debian_reference(part, version):
    """The Debian package that the library was linked from, if this machine has one of that release."""
    for template in part.debian:
        found = output_of("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}", template.format(version=version))
        if not found:
            continue
        name, release, machine = found.split()
        if same_release(release, version):
            system = platform.freedesktop_os_release()
            at = f"{urllib.parse.quote(name, safe='')}@{urllib.parse.quote(release, safe='')}"
            distro = f"{system['ID']}-{system.get('VERSION_ID', 'unknown')}"
            return [purl(f"pkg:deb/{system['ID']}/{at}?arch={machine}&distro={distro}")]
    return []


def linked(table, versions):
    for part in table.linked:
        if part.name in versions:
            version = versions[part.name]
            yield package(part, part.name, version, debian_reference(part, version)), "STATIC_LINK"


def copied(table):
    for part in table.copied:
        yield package(part, part.name, "NOASSERTION", []), "CONTAINS"


def npm_package(part, entry):
    name, version = part.name, entry["version"]
    locator = "pkg:npm/" + urllib.parse.quote(name).replace("@", "%40", 1) + "@" + urllib.parse.quote(version)
    algorithm, _, digest = entry["integrity"].partition("-")
    checksum = {"algorithm": algorithm.upper(), "checksumValue": base64.b64decode(digest).hex()}
    return package(part, f"npm-{name}-{version}", version, [purl(locator)], {"checksums": [checksum]})


def browser(table):
    rows = {part.name: part for part in table.browser}
    tools = {part.name: part for part in table.build_tools}
    seen = set()
    for name, entry in parts.locked_packages():
        part = tools.get(name) or (None if entry.get("dev") else rows[name])
        if part and (name, entry["version"]) not in seen:
            seen.add((name, entry["version"]))
            yield npm_package(part, entry), "CONTAINS"


def own_licenses(table):
    """The texts of licences that SPDX has no name for."""
    names = {name for part in table.all() for name in parts.licenses_of(part.license) if name.startswith("LicenseRef-")}
    return [{"licenseId": name, "name": name.removeprefix("LicenseRef-"), "extractedText": parts.license_text(name)}
            for name in sorted(names)]


def document(binary, name, table):
    about = json.loads(output_of(str(binary), "version", "--json"))
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    wave = {
        "name": "wave",
        "SPDXID": "SPDXRef-wave",
        "versionInfo": about["version"],
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "copyrightText": "Copyright (c) 2026 The wave authors",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "primaryPackagePurpose": "APPLICATION",
        "comment": "The checksum is that of the program.",
    }
    inside = [*linked(table, about["libraries"]), *copied(table)]
    if about["browser_application"]:
        inside += browser(table)
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-wave"}]
    relations += [{"spdxElementId": "SPDXRef-wave", "relationshipType": relation, "relatedSpdxElement": other["SPDXID"]}
                  for other, relation in inside]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "creationInfo": {"created": created(), "creators": ["Organization: The wave authors", "Tool: packaging/sbom.py"]},
        "packages": [wave, *(other for other, _ in inside)],
        "relationships": relations,
        "hasExtractedLicensingInfos": own_licenses(table),
    }


if __name__ == "__main__":
    text = json.dumps(document(pathlib.Path(sys.argv[1]), sys.argv[2], parts.load()), indent=2, ensure_ascii=False)
    sys.stdout.reconfigure(encoding="utf-8")
    print(text)

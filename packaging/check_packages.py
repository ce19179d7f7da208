"""check_packages.py FOLDER: what build.sh has left there, as somebody sees it who got it.

The SBOM is sound SPDX 2.3 and names all that wave ships; checksums are those of the files; both packages have LICENSE
and NOTICE, and the program that the SBOM is about. Prints what is wrong, one a line, and fails if anything is.
"""

import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

import parts

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+\Z")
URI = re.compile(r"https?://[^\s#]+\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
PURL = re.compile(r"pkg:(deb/[a-z]+|npm)/[A-Za-z0-9.%+/_-]+@[A-Za-z0-9.%~-]+(\?arch=[a-z0-9]+&distro=[a-z0-9.-]+)?\Z")
LICENSE = re.compile(r"[A-Za-z0-9.+-]+( WITH [A-Za-z0-9.-]+)?\Z")
DIGITS = {"SHA256": 64, "SHA512": 128}
DOCUMENT = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages",
            "relationships", "hasExtractedLicensingInfos"}
PACKAGE = {"name", "SPDXID", "versionInfo", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared",
           "copyrightText"}
MAY = {"homepage", "comment", "externalRefs", "checksums", "primaryPackagePurpose"}


def check_document(sbom):
    for name in sorted(DOCUMENT ^ sbom.keys()):
        yield f"the document has one field too many or too few: {name}"
    if (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) != ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"):
        yield "it does not say that it is SPDX 2.3 under CC0-1.0"
    if not URI.match(sbom["documentNamespace"]):
        yield f"no namespace: {sbom['documentNamespace']}"
    if not TIME.match(sbom["creationInfo"]["created"]) or not sbom["creationInfo"]["creators"]:
        yield "it does not say when and by whom it was made"


def check_package(package, own_licenses):
    name = package.get("name")
    for field in sorted(PACKAGE - package.keys()) + sorted(package.keys() - PACKAGE - MAY):
        yield f"{name} has one field too many or too few: {field}"
    if not ID.match(package["SPDXID"]) or not package["versionInfo"]:
        yield f"{name} has no id or version"
    for license in parts.licenses_of(package["licenseConcluded"]) + parts.licenses_of(package["licenseDeclared"]):
        if not LICENSE.match(license) or (license.startswith("LicenseRef-") and license not in own_licenses):
            yield f"{name}: no licence of SPDX, and none with a text: {license}"
    for checksum in package.get("checksums", []):
        if not re.fullmatch(f"[0-9a-f]{{{DIGITS[checksum['algorithm']]}}}", checksum["checksumValue"]):
            yield f"{name}: no checksum: {checksum}"
    for reference in package.get("externalRefs", []):
        if not PURL.match(reference["referenceLocator"]):
            yield f"{name}: no purl: {reference['referenceLocator']}"


def check_relations(sbom):
    ids = [package["SPDXID"] for package in sbom["packages"]]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{name} is there twice"
    known = {"SPDXRef-DOCUMENT", *ids}
    for relation in sbom["relationships"]:
        ends = {relation["spdxElementId"], relation["relatedSpdxElement"]}
        for name in sorted(ends - known):
            yield f"a relation names {name}, which is not there"
    reached = {relation["relatedSpdxElement"] for relation in sbom["relationships"]}
    for name in sorted(set(ids) - reached):
        yield f"{name} belongs to nothing"


def check_content(sbom, about):
    """Everything that the program says is in it, and every package of the lock file."""
    has = {(package["name"], package["versionInfo"]) for package in sbom["packages"]}
    wanted = {("wave", about["version"]), *about["libraries"].items()}
    if about["browser_application"]:
        wanted |= {(name, entry["version"]) for name, entry in parts.shipped_packages()}
    else:
        yield "the program has no application for browsers: what is shipped has one"
    for name, version in sorted(wanted - has):
        yield f"the SBOM has no {name} {version}"


def check_sums(folder):
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {file.name for file in folder.iterdir() if file.is_file() and file.name != "SHA256SUMS"}
    for name in sorted(files ^ sums.keys()):
        yield f"{name} is in only one of SHA256SUMS and the folder"
    for name in sorted(files & sums.keys()):
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sums[name]:
            yield f"{name} has another checksum than SHA256SUMS says"


def open_archive(file):
    """A package as a tar; the .deb as its files are installed."""
    if file.suffix != ".deb":
        return tarfile.open(file)
    content = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(file)], capture_output=True, timeout=120, check=True)
    return tarfile.open(fileobj=io.BytesIO(content.stdout))


def content_of(archive, ending):
    for member in archive.getmembers():
        if member.isfile() and member.name.endswith(ending):
            return archive.extractfile(member).read()
    return b""


def check_archive(name, archive, digest):
    for paper in ("LICENSE", "NOTICE"):
        if content_of(archive, f"/share/doc/wave/{paper}") != (parts.ROOT / paper).read_bytes():
            yield f"{name} has no {paper}, or another one"
    if hashlib.sha256(content_of(archive, "/bin/wave")).hexdigest() != digest:
        yield f"{name} has another program than the SBOM is about"


def what_it_says_of_itself(archive):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "wave"
        program.write_bytes(content_of(archive, "/bin/wave"))
        program.chmod(0o755)
        answer = subprocess.run([program, "version", "--json"], capture_output=True, timeout=60, check=True)
    return json.loads(answer.stdout)


def complaints(folder):
    boms = sorted(folder.glob("*.spdx.json"))
    archives = {file.name: open_archive(file) for kind in ("*.tar.gz", "*.deb") for file in sorted(folder.glob(kind))}
    if len(boms) != 1 or not archives:
        yield f"there should be one SBOM and its packages in {folder}: {sorted(file.name for file in folder.iterdir())}"
        return
    sbom = json.loads(boms[0].read_text(encoding="utf-8"))
    own_licenses = {license["licenseId"] for license in sbom.get("hasExtractedLicensingInfos", [])}
    yield from check_document(sbom)
    for package in sbom["packages"]:
        yield from check_package(package, own_licenses)
    yield from check_relations(sbom)
    yield from check_content(sbom, what_it_says_of_itself(next(iter(archives.values()))))
    for name, archive in archives.items():
        yield from check_archive(name, archive, sbom["packages"][0]["checksums"][0]["checksumValue"])
    yield from check_sums(folder)


if __name__ == "__main__":
    found = list(complaints(pathlib.Path(sys.argv[1])))
    for complaint in found:
        print(f"  {complaint}")
    sys.exit(1 if found else 0)

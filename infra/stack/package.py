"""A zip for each binary, of what `sam build` has built, with a list of what it is made of (CycloneDX, of what cargo-cyclonedx
has listed), a template that needs nothing else, and the checksums of all: in dist/.

    python infra/stack/package.py arm64

The template is plain CloudFormation, so that StackSets can deploy it to many accounts and regions. Lambda takes code
only from a bucket of its own region: the template asks for the buckets' common name, and adds the region.
"""

import hashlib
import json
import sys
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path

from plain import FUNCTION, REPOSITORY, Template, plain, read, resources

BUILT = REPOSITORY / ".aws-sam/build"
DIST = REPOSITORY / "dist"
# What an ELF header says of the processor.
MACHINES = {"arm64": 183, "x86_64": 62}
BUCKET = "ArtifactBucket"


def package(architecture: str) -> None:
    version = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    keys, written = {}, []
    for binary, name in binaries().items():
        executable = (BUILT / name / "bootstrap").read_bytes()
        if machine(executable) != MACHINES[architecture]:
            raise SystemExit(f"{binary} is not built for {architecture}: its ELF header says machine {machine(executable)}")
        archive = zipped(executable)
        digest = hashlib.sha256(archive).hexdigest()[:12]
        keys[binary] = f"etcd-volume-backup/{version}/{binary}-{architecture}-{digest}.zip"
        file = DIST / keys[binary]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(archive)
        report(file, f"{mebibytes(archive)} zipped, {mebibytes(executable)} for {architecture}")
        bill = file.with_suffix(".cdx.json")
        bill.write_text(without_paths((REPOSITORY / f"functions/{binary}/{binary}_bin.cdx.json").read_text()))
        report(bill, f"{len(json.loads(bill.read_text())['components'])} components")
        written += [file, bill]
    file = DIST / "stack.json"
    file.write_text(json.dumps(template(keys, architecture), separators=(",", ":")))
    report(file, f"{file.stat().st_size:,} bytes")
    checksums = DIST / "SHA256SUMS"
    checksums.write_text(sums([*written, file], DIST))
    report(checksums, "sha256sum --check SHA256SUMS")


def binaries() -> dict[str, str]:
    """Each binary, with a function that runs it: two may run the same."""
    functions = resources(read("template.yaml"), FUNCTION).items()
    return {function["Metadata"]["BuildProperties"]["Binary"]: name for name, function in functions}


def without_paths(bill: str) -> str:
    """Our own crates are named by where they lie; the same list for the same code, wherever it was built."""
    return bill.replace(str(REPOSITORY), "")


def sums(files: list[Path], folder: Path) -> str:
    """As sha256sum writes and checks them, in that folder."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files]
    return "".join(sorted(lines, key=lambda line: line.split()[1]))


def machine(executable: bytes) -> int:
    if executable[:4] != b"\x7fELF":
        raise SystemExit("bootstrap is not an ELF executable")
    return int.from_bytes(executable[18:20], "little")


def zipped(executable: bytes) -> bytes:
    """The same bytes for the same executable: a stack is updated when its code has changed, and only then."""
    archive = BytesIO()
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, executable, compresslevel=9)
    return archive.getvalue()


def template(keys: dict[str, str], architecture: str) -> Template:
    bucket = {"Fn::Sub": f"${{{BUCKET}}}-${{AWS::Region}}"}
    template = plain(lambda binary: {"Bucket": bucket, "Key": keys[binary]})
    template["Parameters"][BUCKET] = {
        "Type": "String",
        "Description": "The functions' code is in buckets of this name with -<region> after it, one in each region.",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,40}$",
        "ConstraintDescription": "give the beginning of a bucket's name, without -<region>",
    }
    template["Parameters"]["Architecture"] |= {"Default": architecture, "AllowedValues": [architecture]}
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    interface["ParameterGroups"].append({"Label": {"default": "Where the code is"}, "Parameters": [BUCKET]})
    interface["ParameterLabels"][BUCKET] = {"default": "Buckets"}
    return template


def mebibytes(data: bytes) -> str:
    return f"{len(data) / 1024**2:.1f} MiB"


def report(file: Path, what: str) -> None:
    print(f"{file.relative_to(REPOSITORY)}: {what}")


if __name__ == "__main__":
    package(sys.argv[1])

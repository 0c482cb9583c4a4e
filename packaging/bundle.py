"""Make the offline bundle: everything that an installation without a network needs, in one archive.

    python packaging/bundle.py [--out dist]

The archive holds a wheel of every runtime requirement of requirements.lock (spyne comes as a source
archive and is built here), our own wheel, a requirements file with the hashes of exactly these
wheels, the systemd units, the installer and the how-to for upgrade and rollback. It is for the
interpreter version and processor it was made with; its name says which.

Needs the network, unless pip has the files cached. The result installs with the network off.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
NAME = "appeals-gateway"


def canonical(name: str) -> str:
    """The spelling of a project's name that requirement files compare by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def runtime_names(wanted: list[str]) -> set[str]:
    """Every project that the requirements need, directly or not, on this interpreter.

    Follows the metadata of what is installed here, so it must run in the project's environment.
    """
    names: set[str] = set()
    waiting = [(Requirement(text), "") for text in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        marker = requirement.marker
        if marker is not None and not marker.evaluate({"extra": extra}):
            continue
        name = canonical(requirement.name)
        extras = ["", *sorted(requirement.extras)]
        if name in names and len(extras) == 1:
            continue
        names.add(name)
        for text in metadata.requires(name) or []:
            waiting += [(Requirement(text), wish) for wish in extras]
    return names


def locked(names: set[str]) -> str:
    """The blocks of the lock file, hashes included, of these projects."""
    blocks = re.split(r"^(?=\S)", LOCK.read_text("utf-8"), flags=re.MULTILINE)
    found = {canonical(block.split("==")[0]): block for block in blocks if "==" in block}
    missing = names - found.keys()
    if missing:
        sys.exit(f"not in requirements.lock, run `make lock`: {', '.join(sorted(missing))}")
    return "".join(found[name] for name in sorted(names))


def pip(*arguments: str | Path) -> None:
    """Run pip of this environment and stop when it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*command, *map(str, arguments)], check=True, cwd=ROOT)


def collect_wheels(target: Path, wanted: list[str]) -> None:
    """Put a wheel of every runtime requirement and our own into `target`."""
    with tempfile.TemporaryDirectory() as directory:
        requirements = Path(directory) / "requirements.txt"
        requirements.write_text(locked(runtime_names(wanted)), encoding="utf-8")
        # Debian's pip builds spyne by its setup.py otherwise, and lacks the package for that.
        form = ("--require-hashes", "--no-deps", "--use-pep517")
        pip("wheel", *form, "-r", requirements, "-w", target)
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", target, ".")


def pins(wheels: Path) -> str:
    """A requirements file that admits exactly the wheels of this directory."""
    lines = []
    for wheel in sorted(wheels.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{canonical(name)}=={version} --hash=sha256:{digest}\n")
    return "".join(lines)


def checksums(directory: Path) -> str:
    """One line per file, as sha256sum -c reads it."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(directory)}\n"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    )


def build(out: Path) -> Path:
    """Make the bundle in `out` and return the path of the archive."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    title = f"{NAME}-{project['version']}-py{python}-linux-{platform.machine()}"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        bundle = Path(directory) / title
        collect_wheels(bundle / "wheels", project["dependencies"])
        (bundle / "requirements.txt").write_text(pins(bundle / "wheels"), encoding="utf-8")
        (bundle / "VERSION").write_text(f"{project['version']}\n", encoding="utf-8")
        (bundle / "PYTHON").write_text(f"{python}\n", encoding="utf-8")
        shutil.copytree(ROOT / "packaging" / "systemd", bundle / "systemd")
        shutil.copy2(ROOT / "packaging" / "install.sh", bundle)
        for page in ("LICENSE", "CHANGELOG.md", "docs/howto/upgrade-and-rollback.md"):
            shutil.copy2(ROOT / page, bundle)
        (bundle / "SHA256SUMS").write_text(checksums(bundle), encoding="utf-8")
        archive = out / f"{title}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(bundle, arcname=title, filter=_owned_by_nobody_in_particular)
    return archive


def _owned_by_nobody_in_particular(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def main() -> None:
    """Read the command line and make the bundle."""
    parser = argparse.ArgumentParser(description="Make the offline bundle of the gateway.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="directory to put it into")
    archive = build(parser.parse_args().out)
    print(f"{archive} {archive.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

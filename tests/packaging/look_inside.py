"""See that a wheel and a source distribution hold what they should and nothing else, and show their sizes.

``python tests/packaging/look_inside.py dist/*``
"""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
AT_MOST = 1_000_000  # bytes


def tracked(*folders):
    """Return the files that git knows."""
    done = subprocess.run(["git", "ls-files", "--", *folders], cwd=PROJECT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def files_of(archive):
    """Return the names in a wheel, or in a source distribution without its first folder, and their sizes."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {item.filename: item.file_size for item in wheel.infolist()}
    with tarfile.open(archive) as source:
        return {member.name.split("/", 1)[1]: member.size for member in source if member.isfile()}


def complaints(archive):
    """Return everything that is missing, or there and should not be."""
    names = set(files_of(archive))
    package = tracked("icdframes")
    found = [f"{name} is missing" for name in sorted(package - names)]
    if archive.suffix == ".whl":
        beside = {name for name in names - package if ".dist-info/" not in name}
        found += [f"{name} should not be there" for name in sorted(beside)]
        found += [f"{kind} is missing" for kind in ("METADATA", "LICENSE") if not any(n.endswith(kind) for n in names)]
    else:
        known = (tracked() - tracked("tests")) | {"PKG-INFO"}
        found += [f"{name} should not be there" for name in sorted(names - known)]
        found += [f"{name} is missing" for name in ("README.md", "CHANGELOG.md", "LICENSE") if name not in names]
    if archive.stat().st_size > AT_MOST:
        found.append(f"it has {archive.stat().st_size} bytes, more than {AT_MOST}")
    return found


def main(*paths):
    """Show each archive; give 1 where something is wrong."""
    wrong = 0
    for archive in map(Path, paths):
        if archive.suffix not in {".whl", ".gz"}:
            continue
        sizes = files_of(archive)
        sample = sum(size for name, size in sizes.items() if "/sandbox/sample/" in f"/{name}")
        packed, unpacked = (size / 1e3 for size in (archive.stat().st_size, sum(sizes.values())))
        print(
            f"{archive.name}: {packed:.0f} kB, {len(sizes)} files, {unpacked:.0f} kB unpacked, "
            f"of which the sample {sample / 1e3:.0f} kB"
        )
        for complaint in complaints(archive):
            wrong += 1
            print(f"WRONG  {complaint}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

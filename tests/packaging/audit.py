"""Ask pip-audit of every installed package: ``audit.py REQUIREMENTS``; it fails where a vulnerability is known.

Where no source of advisories answers, pip-audit skips every package and still says that it found nothing; this says how
many it could look up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SECONDS = 240


def main() -> None:
    packages = _report(sys.argv[1])
    audited = [package for package in packages if "vulns" in package]
    known = [f"{one['name']} {one['version']}: {fault['id']}" for one in audited for fault in one["vulns"]]
    print(f"pip-audit: {len(audited)} of {len(packages)} packages audited, {len(known)} vulnerabilities known")
    if not audited:
        print("pip-audit: no source of advisories answers here, so nothing was audited")
    sys.exit("\n".join(known) or 0)


def _report(requirements: str) -> list[dict[str, Any]]:
    command = ["uv", "tool", "run", "pip-audit", "--no-deps", "--disable-pip", "-f", "json", "-r", requirements]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []


if __name__ == "__main__":
    main()

"""Is every container as closed as the compose file promises, seen from the engine?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.compose.engine import run

PUBLIC = {"proxy", "metrics"}
ONCE = {"setup", "story"}  # end, or have nobody who waits for them


def breaches(containers: list[dict[str, Any]], secrets: Path, image: str) -> list[str]:
    """Return a sentence for each promise that a container does not keep."""
    found = []
    words = {path.name: path.read_text().strip() for path in secrets.iterdir() if path.read_text().strip()}
    history = run("docker", "history", "--no-trunc", image)
    for one in containers:
        service = one["Config"]["Labels"]["com.docker.compose.service"]
        host, said = one["HostConfig"], []
        user = run("docker", "exec", one["Id"], "id", "-u").strip() if one["State"]["Running"] else "ended"
        if user == "0":
            said.append("runs as root")
        if not host["ReadonlyRootfs"]:
            said.append("may write its root file system")
        if host["CapDrop"] != ["ALL"] or host["CapAdd"] or host["Privileged"]:
            said.append("has capabilities")
        if "no-new-privileges:true" not in (host["SecurityOpt"] or []):
            said.append("may gain privileges")
        if not host["Memory"] or not host["PidsLimit"]:
            said.append("has no limit of memory or processes")
        if host["RestartPolicy"]["Name"] != "unless-stopped" and service not in ONCE:
            said.append("is not started again")
        if not one["Config"].get("Healthcheck") and service not in ONCE | {"backup"}:
            said.append("is not asked whether it is well")
        if host["PortBindings"] and service not in PUBLIC:
            said.append("is reachable from outside")
        shown = " ".join([*one["Config"]["Env"], *(one["Config"]["Cmd"] or []), history])
        said += [f"shows the secret {name}" for name, word in words.items() if word in shown]
        found += [f"{one['Name']} {what}" for what in said]
    return found

"""Go: go.mod says both what is used and in which version."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from commontrace.environment.files import Pin, Project, nearest, pins, read

_MODULE: Final = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_REQUIRED: Final = re.compile(
    r"^(?:require)?[ \t]*\"?(?P<name>[\w.-]+\.[\w.-]+/[^\s\"]+|[\w.-]+\.\w+)\"?[ \t]+(?P<version>v\d[^\s/]*)"
    r"[ \t]*(?://[ \t]*(?P<indirect>indirect))?",
    re.MULTILINE,
)
_OTHER_BLOCKS: Final = re.compile(r"^(?:exclude|retract)\s*\([^)]*\)", re.MULTILINE)
_REPLACED: Final = re.compile(r"^(?:replace)?[ \t]*\"?([^\s\"]++)\"?[^=\n]*+=>", re.MULTILINE)
# Anybody may host a module; these are where the public ones lie, so that the name of a private host is never sent.
_HOSTS: Final = frozenset(
    """
    github.com gitlab.com bitbucket.org codeberg.org git.sr.ht golang.org google.golang.org cloud.google.com gopkg.in
    go.uber.org k8s.io sigs.k8s.io istio.io knative.dev helm.sh oras.land go.opentelemetry.io go.opencensus.io
    go.mongodb.org go.etcd.io go.starlark.net modernc.org gorm.io gonum.org gotest.tools honnef.co rsc.io mvdan.cc
    filippo.io connectrpc.com buf.build dario.cat entgo.io cel.dev go4.org gocloud.dev tailscale.com lukechampine.com
    golang.zx2c4.com software.sslmate.com cuelang.org howett.net
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


def read_go(places: Sequence[Path]) -> Project | None:
    """The modules of the nearest go.mod."""
    found = nearest(places, "go.mod")
    if found is None:
        return None
    distance, path = found
    text = _OTHER_BLOCKS.sub("", read(path))
    own = _MODULE.search(text)
    mine = _owner(own[1]) if own else ""
    replaced = frozenset(_REPLACED.findall(text))
    required = [
        match
        for match in _REQUIRED.finditer(text)
        if match["name"].split("/")[0] in _HOSTS and _owner(match["name"]) != mine
    ]
    every = [Pin(match["name"], match["version"]) for match in required]
    direct = [pin for pin, match in zip(every, required, strict=True) if not match["indirect"]]
    return Project("go", distance, pins(direct, replaced), pins(every, replaced))


def _owner(module: str) -> str:
    """Whose a module is: what the same people publish beside it may be as private as it is."""
    return "/".join(module.split("/")[:2])

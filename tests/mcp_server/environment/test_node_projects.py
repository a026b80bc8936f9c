"""JavaScript and TypeScript projects: npm's, pnpm's and Yarn's locks in all their formats."""

import json
from typing import Any

import pytest

from checkouts import Checkout

MANIFEST = {
    "name": "@acme/app",
    "dependencies": {
        "react": "^18.2.0",
        "@tanstack/query": "~5.0",
        "@acme/ui": "^1.0.0",
        "@corp/secret": "^2.0.0",
        "local": "file:../local",
        "sibling": "workspace:*",
        "forked": "user/forked",
        "hosted": "git+ssh://git@git.corp.example/hosted.git",
        "aliased": "npm:react@17",
    },
    "devDependencies": {"vite": "5.4.1"},
}
PUBLIC = "https://registry.npmjs.org/x/-/x.tgz"
PRIVATE = "https://npm.corp.example/x/-/x.tgz"
EXPECTED = ["react 18.3.1", "@tanstack/query 5.0.5", "vite 5.4.1", "loose-envify 1.4.0"]

NPM_1: dict[str, Any] = {
    "lockfileVersion": 1,
    "dependencies": {
        "react": {"version": "18.3.1", "resolved": PUBLIC, "dependencies": {"loose-envify": {"version": "0.9.0"}}},
        "@tanstack/query": {"version": "5.0.5", "resolved": PUBLIC},
        "@acme/ui": {"version": "1.0.0", "resolved": PUBLIC},
        "@corp/secret": {"version": "2.0.0", "resolved": PRIVATE},
        "local": {"version": "file:../local"},
        "forked": {"version": "github:user/forked#0123", "from": "forked@user/forked"},
        "vite": {"version": "5.4.1", "resolved": PUBLIC},
        "loose-envify": {"version": "1.4.0", "resolved": PUBLIC},
    },
}
NPM_3: dict[str, Any] = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "@acme/app", "version": "0.0.1"},
        "../local": {"version": "1.0.0"},
        "node_modules/local": {"resolved": "../local", "link": True},
        "node_modules/react": {"version": "18.3.1", "resolved": PUBLIC},
        "node_modules/react/node_modules/loose-envify": {"version": "0.9.0", "resolved": PUBLIC},
        "node_modules/@tanstack/query": {"version": "5.0.5", "resolved": PUBLIC},
        "node_modules/@acme/ui": {"version": "1.0.0", "resolved": PUBLIC},
        "node_modules/@corp/secret": {"version": "2.0.0", "resolved": PRIVATE},
        "node_modules/hosted": {"version": "1.0.0", "resolved": "git+ssh://git@git.corp.example/hosted.git#0123"},
        "node_modules/vite": {"version": "5.4.1"},
        "node_modules/loose-envify": {"version": "1.4.0", "resolved": PUBLIC},
        "node_modules/broken": 7,
    },
}
PNPM_9 = f"""lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      '@acme/ui':
        specifier: ^1.0.0
        version: 1.0.0
      '@corp/secret':
        specifier: ^2.0.0
        version: 2.0.0
      '@tanstack/query':
        specifier: ~5.0
        version: 5.0.5(react@18.3.1)
      local:
        specifier: file:../local
        version: file:../local
      react:
        specifier: ^18.2.0
        version: 18.3.1
    devDependencies:
      vite:
        specifier: 5.4.1
        version: 5.4.1(@types/node@20.0.0)

  packages/site:
    dependencies:
      react:
        specifier: ^17
        version: 17.0.2

packages:

  '@acme/ui@1.0.0':
    resolution: {{integrity: sha512-a==}}

  '@corp/secret@2.0.0':
    resolution: {{integrity: sha512-a==, tarball: {PRIVATE}}}

  '@tanstack/query@5.0.5':
    resolution: {{integrity: sha512-a==}}
    peerDependencies:
      react: ^18

  local@file:../local:
    resolution: {{directory: ../local, type: directory}}

  https://codeload.github.com/user/forked/tar.gz/0123:
    resolution: {{tarball: https://codeload.github.com/user/forked/tar.gz/0123}}
    version: 1.0.0

  react@17.0.2:
    resolution: {{integrity: sha512-a==}}

  react@18.3.1:
    resolution: {{integrity: sha512-a==, tarball: {PUBLIC}}}

  vite@5.4.1:
    resolution: {{integrity: sha512-a==}}

  loose-envify@1.4.0:
    resolution: {{integrity: sha512-a==}}
    hasBin: true

snapshots:

  never@9.9.9: {{}}
"""
PNPM_6 = """lockfileVersion: '6.0'

dependencies:
  '@tanstack/query':
    specifier: ~5.0
    version: 5.0.5(react@18.3.1)
  react:
    specifier: ^18.2.0
    version: 18.3.1

devDependencies:
  vite:
    specifier: 5.4.1
    version: 5.4.1

packages:

  /react@18.3.1:
    resolution: {integrity: sha512-a==}
    dev: false

  /@tanstack/query@5.0.5(react@18.3.1):
    resolution: {integrity: sha512-a==}

  /vite@5.4.1:
    resolution: {integrity: sha512-a==}

  /loose-envify@1.4.0:
    resolution: {integrity: sha512-a==}
"""
PNPM_5 = """lockfileVersion: 5.4

specifiers:
  '@tanstack/query': ~5.0
  react: ^18.2.0
  vite: 5.4.1

dependencies:
  '@tanstack/query': 5.0.5_react@18.3.1
  react: 18.3.1

devDependencies:
  vite: 5.4.1

packages:

  /react/18.3.1:
    resolution: {integrity: sha512-a==}

  /@tanstack/query/5.0.5_react@18.3.1:
    resolution: {integrity: sha512-a==}

  /vite/5.4.1:
    resolution: {integrity: sha512-a==}

  /loose-envify/1.4.0:
    resolution: {integrity: sha512-a==}

  npm.corp.example/@corp/secret/2.0.0:
    resolution: {integrity: sha512-a==}
"""
YARN_1 = f"""# yarn lockfile v1


"@acme/ui@^1.0.0":
  version "1.0.0"
  resolved "{PUBLIC}"

"@corp/secret@^2.0.0":
  version "2.0.0"
  resolved "{PRIVATE}"

"@tanstack/query@^5.0.0", "@tanstack/query@~5.0":
  version "5.0.5"
  resolved "{PUBLIC}#0123"
  integrity sha512-a==
  dependencies:
    react "^18.0.0"

"forked@user/forked":
  version "1.0.0"
  resolved "https://codeload.github.com/user/forked/tar.gz/0123"

react@^17.0.0:
  version "17.0.2"
  resolved "{PUBLIC}"

react@^18.2.0, react@^18.0.0:
  version "18.3.1"
  resolved "{PUBLIC}"

vite@5.4.1:
  version "5.4.1"
  resolved "{PUBLIC}"

loose-envify@^1.1.0:
  version "1.4.0"
  resolved "{PUBLIC}"
"""
YARN_BERRY = """__metadata:
  version: 8
  cacheKey: 10c0

"@acme/app@workspace:.":
  version: 0.0.0-use.local
  resolution: "@acme/app@workspace:."
  languageName: unknown

"@corp/secret@npm:^2.0.0":
  version: 2.0.0
  resolution: "@corp/secret@npm:2.0.0::__archiveUrl=https%3A%2F%2Fnpm.corp.example%2Fsecret.tgz"

"@tanstack/query@npm:^5.0.0, @tanstack/query@npm:~5.0":
  version: 5.0.5
  resolution: "@tanstack/query@npm:5.0.5"
  checksum: 10c0/0

"react@npm:^17.0.0":
  version: 17.0.2
  resolution: "react@npm:17.0.2::__archiveUrl=https%3A%2F%2Fregistry.npmjs.org%2Freact.tgz"

"react@npm:^18.0.0, react@npm:^18.2.0":
  version: 18.3.1
  resolution: "react@npm:18.3.1"

"typescript@patch:typescript@^5.0.0#~builtin<compat/typescript>":
  version: 5.4.5
  resolution: "typescript@patch:typescript@npm%3A5.4.5#~builtin<compat/typescript>"

"vite@npm:5.4.1":
  version: 5.4.1
  resolution: "vite@npm:5.4.1"

"loose-envify@npm:^1.1.0":
  version: 1.4.0
  resolution: "loose-envify@npm:1.4.0"
"""


@pytest.fixture
def app(checkout: Checkout) -> Checkout:
    checkout.write("package.json", json.dumps(MANIFEST))
    return checkout


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("package-lock.json", json.dumps(NPM_1)),
        ("package-lock.json", json.dumps({**NPM_3, "lockfileVersion": 2, "dependencies": NPM_1["dependencies"]})),
        ("package-lock.json", json.dumps(NPM_3)),
        ("npm-shrinkwrap.json", json.dumps(NPM_3)),
        ("pnpm-lock.yaml", PNPM_9),
        ("pnpm-lock.yaml", PNPM_6),
        ("pnpm-lock.yaml", PNPM_5),
        ("yarn.lock", YARN_1),
        ("yarn.lock", YARN_BERRY),
    ],
    ids=["npm 1", "npm 2", "npm 3", "shrinkwrap", "pnpm 9", "pnpm 6", "pnpm 5", "yarn 1", "yarn berry"],
)
def test_every_lock_is_read_and_what_is_not_public_left_out(app: Checkout, name: str, lock: str) -> None:
    for text in (lock, lock.replace("\n", "\r\n")):
        app.write(name, text)
        found = app.packages()
        assert found[:3] == EXPECTED[:3]
        assert [item for item in found[3:] if item != "react 17.0.2"] == EXPECTED[3:]


def test_a_package_in_a_workspace_has_its_own_versions(checkout: Checkout) -> None:
    checkout.write("packages/site/package.json", json.dumps({"dependencies": {"react": "^17", "vite": "^5"}}))
    checkout.write("pnpm-lock.yaml", PNPM_9)
    assert checkout.packages("packages/site")[:2] == ["react 17.0.2", "vite 5.4.1"]
    (checkout.top / "pnpm-lock.yaml").unlink()
    nested = {"packages/site/node_modules/react": {"version": "17.0.2", "resolved": PUBLIC}}
    checkout.write("package-lock.json", json.dumps({"packages": {**NPM_3["packages"], **nested}}))
    assert checkout.packages("packages/site")[:2] == ["react 17.0.2", "vite 5.4.1"]


def test_without_a_lock_only_exact_versions_are_known(app: Checkout) -> None:
    assert app.packages() == ["vite 5.4.1"]


@pytest.mark.parametrize("lock", [None, PNPM_9])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".npmrc", "save-exact=true\nregistry = https://npm.corp.example/\n"),
        (".yarnrc.yml", "nodeLinker: node-modules\nnpmRegistryServer: 'https://npm.corp.example'\n"),
    ],
)
def test_a_private_registry_for_everything_tells_nothing(app: Checkout, lock: str | None, file: str, text: str) -> None:
    if lock:
        app.write("pnpm-lock.yaml", lock)
    app.write(file, text)
    assert app.packages() == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".npmrc", "registry=https://registry.npmjs.org/\n@tanstack:registry=https://npm.corp.example/\n"),
        (
            ".yarnrc.yml",
            """npmScopes:
  acme:
    npmRegistryServer: https://registry.npmjs.org
  tanstack:
    npmAlwaysAuth: true
    npmRegistryServer: https://npm.corp.example
""",
        ),
    ],
)
def test_a_scope_with_a_registry_of_its_own_is_left_out(app: Checkout, file: str, text: str) -> None:
    app.write("yarn.lock", YARN_BERRY)
    app.write(file, text)
    assert app.packages()[:2] == ["react 18.3.1", "vite 5.4.1"]
    assert "tanstack" not in str(app.packages())


@pytest.mark.parametrize(
    ("files", "language"),
    [
        ({}, "javascript"),
        ({"tsconfig.json": "{}"}, "typescript"),
        ({"package.json": '{"devDependencies": {"typescript": "^5"}}'}, "typescript"),
    ],
)
def test_a_project_with_types_is_typescript(app: Checkout, files: dict[str, str], language: str) -> None:
    for name, text in files.items():
        app.write(name, text)
    assert app.language() == language

"""Actions of others that generated workflows use, as small composite actions: they copy folders on this machine."""

from __future__ import annotations

_COPY_TO = """
name: stand-in
description: keeps a folder
inputs:
  name: {description: n, default: artifact}
  path: {description: p, required: true}
  key: {description: k, default: ""}
  retention-days: {description: r, default: "1"}
  if-no-files-found: {description: i, default: warn}
  include-hidden-files: {description: h, default: "false"}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", PATHS: "${{ inputs.path }}", HIDDEN: "${{ inputs.include-hidden-files }}"}
      run: |
        [ -e "$PATHS" ] || exit 0
        rm -rf "$STANDIN_ARTIFACTS/$NAME"
        mkdir -p "$STANDIN_ARTIFACTS/$NAME"
        cp -r "$PATHS/." "$STANDIN_ARTIFACTS/$NAME/"
        [ "$HIDDEN" = true ] || find "$STANDIN_ARTIFACTS/$NAME" -mindepth 1 -name '.*' -prune -exec rm -rf {} +
"""
_COPY_FROM = """
name: stand-in
description: brings a folder
inputs:
  name: {description: n, required: true}
  path: {description: p, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", INTO: "${{ inputs.path }}"}
      run: |
        mkdir -p "$INTO"
        cp -r "$STANDIN_ARTIFACTS/$NAME/." "$INTO/"
"""
_CACHE = """
name: stand-in
description: a cache
inputs:
  path: {description: p, required: true}
  key: {description: k, required: true}
  restore-keys: {description: r, default: ""}
outputs:
  cache-primary-key: {description: p, value: "${{ inputs.key }}"}
  cache-matched-key: {description: m, value: "${{ steps.cache.outputs.matched }}"}
runs:
  using: composite
  steps:
    - shell: bash
      id: cache
      env: {PATHS: "${{ inputs.path }}", KEYS: "${{ inputs.key }}\\n${{ inputs.restore-keys }}", VERB: "%s"}
      run: python3 "$STANDIN_CACHE_PROGRAM" "$VERB"
"""
CACHE_PROGRAM = """
import os, pathlib, shutil, subprocess, sys
store = pathlib.Path(os.environ["STANDIN_CACHE"])
keys = [key.strip() for key in os.environ["KEYS"].replace("\\\\n", "\\n").splitlines() if key.strip()]
paths = [pathlib.Path(path.strip()) for path in os.environ["PATHS"].splitlines() if path.strip()]
paths = [path for path in paths if not path.is_absolute()]  # of the machine: there anyway
store.mkdir(parents=True, exist_ok=True)
log = store.parent / "cache.log"

def copy(source, target):
    # An environment is large and nobody writes into it: links of its files will do.
    links = ["--link"] if source.name == "env" else []
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--no-target-directory", *links, source, target], check=True)

if sys.argv[1] == "save":
    place = store / keys[0]
    if not place.exists():
        for path in paths:
            if path.exists():
                copy(path, place / path)
    log.open("a").write(f"save {keys[0]}\\n")
else:
    found = next((store / key for key in keys[:1] if (store / key).exists()), None)
    for key in keys[1:]:
        fitting = sorted(store.glob(key + "*"), key=lambda path: path.stat().st_mtime)
        found = found or (fitting[-1] if fitting else None)
    log.open("a").write(f"restore {keys} -> {found}\\n")
    if found:
        open(os.environ["GITHUB_OUTPUT"], "a").write(f"matched={found.name}\\n")
        for path in paths:
            if (found / path).exists():
                copy(found / path, path)
"""
_CHECKOUT = """
name: stand-in
description: brings a commit with all branches, as the token of the job lets it
inputs:
  ref: {description: r, default: ""}
  fetch-depth: {description: f, default: "1"}
  persist-credentials: {description: p, default: "true"}
  token: {description: t, default: "${{ github.token }}"}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        REF: ${{ inputs.ref }}
        DEPTH: ${{ inputs.fetch-depth }}
        KEEP: ${{ inputs.persist-credentials }}
        TOKEN: ${{ inputs.token }}
      run: |
        [ "$DEPTH" = 0 ] && [ "$KEEP" = false ]
        find . -mindepth 1 -delete
        agent="checkout/7 ($GITHUB_WORKFLOW_REF; $GITHUB_JOB)"
        basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap 0)
        as_job() { git -c http.userAgent="$agent" -c http.extraHeader="Authorization: basic $basic" "$@"; }
        as_job clone --quiet --no-checkout "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git" .
        as_job fetch --quiet origin "${REF:-$GITHUB_SHA}"
        git checkout --quiet --detach "${REF:-$GITHUB_SHA}"
        git branch --quiet --delete --force main
"""
_NOTHING = """
name: stand-in
description: nothing to do
inputs:
  enable-cache: {description: e, default: "true"}
  cache-suffix: {description: s, default: ""}
  cache-dependency-glob: {description: g, default: ""}
runs:
  using: composite
  steps: [{shell: bash, run: "true"}]
"""
STAND_INS = {
    "actions/checkout": _CHECKOUT,
    "astral-sh/setup-uv": _NOTHING,
    "actions/upload-artifact": _COPY_TO,
    "actions/download-artifact": _COPY_FROM,
    "actions/cache/restore": _CACHE % "restore",
    "actions/cache/save": _CACHE % "save",
}

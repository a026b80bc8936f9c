#!/bin/sh
# How the plugin starts commontrace: the installed command, else the plugin's own copy, which uv installs at the first
# start. Programs that a desktop starts have a short PATH, so the usual places are looked at too.
PATH=$PATH:$HOME/.local/bin:$HOME/.cargo/bin:/opt/homebrew/bin:/usr/local/bin
export PATH

if [ "$1" = hook ]; then
  # `commontrace setup` wrote this hook into the settings already: it is not to speak twice. All of this runs with every
  # command of an agent: it starts no other program than the one that looks at the settings.
  mine=${CLAUDE_CONFIG_DIR:-$HOME/.claude} project=${CLAUDE_PROJECT_DIR:-.}/.claude
  grep -qs "commontrace[\"']* hook $2" "$mine/settings.json" "$mine/settings.local.json" \
    "$project/settings.json" "$project/settings.local.json" && exit 0
  if command -v commontrace >/dev/null; then
    program=commontrace
  else
    program=${CLAUDE_PLUGIN_DATA:-${0%/*}/..}/.venv/bin/commontrace
  fi
  # A hook stands in nobody's way: neither where nothing is installed yet nor where an older version knows it not.
  "$program" "$@" 2>/dev/null || :
  exit 0
fi

if command -v commontrace >/dev/null; then
  exec commontrace "$@"
fi
if command -v uv >/dev/null; then
  root=$(CDPATH='' cd -- "${0%/*}/.." && pwd) || exit 1
  # An update replaces the plugin's folder; what uv installed stays in the plugin's data folder.
  UV_PROJECT_ENVIRONMENT=${CLAUDE_PLUGIN_DATA:-$root}/.venv
  export UV_PROJECT_ENVIRONMENT
  exec uv run --quiet --frozen --no-dev --project "$root" commontrace "$@"
fi
echo "commontrace is not installed. Install uv (https://docs.astral.sh/uv/), then \`uv tool install commontrace\`." >&2
exit 1

#!/bin/sh
# How the plugin starts commontrace: the installed command, else the plugin's own copy, which uv installs at the first
# start. Programs that a desktop starts have a short PATH, so the usual places are looked at too.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
PATH=$PATH:$HOME/.local/bin:$HOME/.cargo/bin:/opt/homebrew/bin:/usr/local/bin
export PATH
# An update replaces the plugin's folder; what uv installed stays in the plugin's data folder.
environment=${CLAUDE_PLUGIN_DATA:-$root}/.venv

if [ "$1" = hook ]; then
  # `commontrace setup` wrote this hook into the settings already: it is not to speak twice.
  for settings in "${CLAUDE_CONFIG_DIR:-$HOME/.claude}" "${CLAUDE_PROJECT_DIR:-.}/.claude"; do
    grep -qs "commontrace[\"']* hook $2" "$settings/settings.json" "$settings/settings.local.json" && exit 0
  done
  if command -v commontrace >/dev/null; then
    program=commontrace
  else
    program=$environment/bin/commontrace
  fi
  # A hook stands in nobody's way: neither where nothing is installed yet nor where an older version knows it not.
  "$program" "$@" 2>/dev/null || :
  exit 0
fi

if command -v commontrace >/dev/null; then
  exec commontrace "$@"
fi
if command -v uv >/dev/null; then
  UV_PROJECT_ENVIRONMENT=$environment
  export UV_PROJECT_ENVIRONMENT
  exec uv run --quiet --frozen --no-dev --project "$root" commontrace "$@"
fi
echo "commontrace is not installed. Install uv (https://docs.astral.sh/uv/), then \`uv tool install commontrace\`." >&2
exit 1

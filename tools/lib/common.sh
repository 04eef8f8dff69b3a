# shellcheck shell=bash
# Sourced by the tools: messages, directories and Debian packages.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OIDC_CACHE=${OIDC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ngx_openid_connect}
JOBS=${JOBS:-$(nproc)}
export OIDC_CACHE

say() { printf '== %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# quietly LOG COMMAND...: the command's output goes to LOG and is shown only when it fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 || {
    local status=$?
    tail -n 60 "$log" >&2
    printf '%s failed (%s), all of its output: %s\n' "$1" "$status" "$log" >&2
    return "$status"
  }
}

# in_directory DIRECTORY COMMAND...
in_directory() (
  cd "$1" || exit
  shift
  "$@"
)

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages PACKAGE... and COMMAND=PACKAGE...: installs what is missing. The second form is for
# programs that may as well come from somewhere else than Debian.
need_packages() {
  local want missing=()
  for want in "$@"; do
    case $want in
      *=*) command -v "${want%%=*}" >/dev/null || missing+=("${want#*=}") ;;
      *) installed "$want" || missing+=("$want") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || die "please install, or run as root: ${missing[*]}"
  say "apt-get install ${missing[*]}"
  install_packages "${missing[@]}"
}

# Debian starts a service when its package is installed, unless policy-rc.d forbids it. One that
# is there already stays as it is.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly "$OIDC_CACHE/log/apt-update.log" apt-get update -q
  quietly "$OIDC_CACHE/log/apt-install.log" \
    apt-get install -y -q --no-install-recommends "$@"
)

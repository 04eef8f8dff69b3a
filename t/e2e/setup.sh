# shellcheck shell=bash
# Sourced by t/e2e/run and tools/demo: brings what the bench needs and says what it does.
# Everything that is not a Debian package goes below $OIDC_CACHE.

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tools/lib/common.sh
. "$E2E_DIR/../../tools/lib/common.sh"

KEYCLOAK_VERSION=26.7.3
KEYCLOAK_HOME=$OIDC_CACHE/keycloak-$KEYCLOAK_VERSION
export PYTHON=$OIDC_CACHE/venv/bin/python
export KEYCLOAK_HOME

setup_packages() {
  need_packages python3=python3 nginx=nginx redis-server=redis-server chromium=chromium \
    java=openjdk-17-jre-headless mvn=maven unzip=unzip
  python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
}

setup_python() {
  local stamp=$OIDC_CACHE/venv/.requirements
  cmp -s "$E2E_DIR/requirements.txt" "$stamp" && return 0
  say "Python packages in $OIDC_CACHE/venv"
  [ -x "$PYTHON" ] || python3 -m venv "$OIDC_CACHE/venv"
  quietly "$OIDC_CACHE/log/pip.log" \
    "$PYTHON" -m pip install --disable-pip-version-check -r "$E2E_DIR/requirements.txt"
  cp "$E2E_DIR/requirements.txt" "$stamp"
}

setup_node() {
  local stamp=$E2E_DIR/node_modules/.lock
  cmp -s "$E2E_DIR/package-lock.json" "$stamp" && return 0
  need_packages npm=npm
  say "npm packages in $E2E_DIR/node_modules"
  quietly "$OIDC_CACHE/log/npm.log" npm ci --prefix "$E2E_DIR" --no-audit --no-fund
  cp "$E2E_DIR/package-lock.json" "$stamp"
}

setup_keycloak() {
  local archive=$OIDC_CACHE/dl/keycloak-quarkus-dist-$KEYCLOAK_VERSION.zip
  local stamp=$KEYCLOAK_HOME/.built-dev-mem partial
  if [ ! -x "$KEYCLOAK_HOME/bin/kc.sh" ]; then
    if [ ! -s "$archive" ]; then
      say "Keycloak $KEYCLOAK_VERSION (180 MB, by Maven)"
      quietly "$OIDC_CACHE/log/maven.log" \
        mvn -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip" \
        "-DoutputDirectory=$OIDC_CACHE/dl"
    fi
    say "unpacking Keycloak"
    partial=$(mktemp -d "$OIDC_CACHE/unpack.XXXXXX")
    unzip -q "$archive" -d "$partial"
    mv "$partial/keycloak-$KEYCLOAK_VERSION" "$KEYCLOAK_HOME"
    rmdir "$partial"
  fi
  [ ! -e "$stamp" ] || return 0
  say "building Keycloak's configuration (once, half a minute)"
  quietly "$OIDC_CACHE/log/keycloak-build.log" \
    "$KEYCLOAK_HOME/bin/kc.sh" build --db=dev-mem --health-enabled=true --cache=local
  touch "$stamp"
}

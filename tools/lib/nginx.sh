# shellcheck shell=bash
# Sourced by the tools: configured nginx trees and what a binary or module says about itself.
# A tree is "NGINX_TREE", its binary (empty if there is none to compare with) "NGINX_BINARY".

NGINX_SRC_CRATE=1.28.5
NGINX_STABLE_VERSION=1.28.3
NGINX_CONFIGURE=(
  --with-compat --with-debug --with-threads --error-log-path=stderr
  --with-http_ssl_module --with-http_v2_module --with-http_v3_module
  --with-http_auth_request_module --with-http_realip_module --with-http_slice_module
  --with-http_addition_module --with-http_sub_module --with-http_stub_status_module
)

# The string by which nginx refuses a module that was built with other options.
nginx_signature() { grep -aoE '[48],[48],[48],[01]{20,}' "$1" | head -n 1; }
nginx_source_version() {
  sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$1/src/core/nginx.h"
}
nginx_binary_version() { "$1" -v 2>&1 | sed -n 's,.*nginx/\([0-9.]*\).*,\1,p'; }

# make_tree NAME SOURCE COMMAND...: copies SOURCE into the cache and configures the copy there, once.
# COMMAND runs in the copy. Sets NGINX_TREE.
make_tree() {
  local name=$1 source=$2 partial
  shift 2
  NGINX_TREE=$OIDC_CACHE/$name
  [ ! -d "$NGINX_TREE" ] || return 0
  say "configuring $name"
  mkdir -p "$OIDC_CACHE"
  partial=$(mktemp -d "$NGINX_TREE.XXXXXX")
  cp -r "$source/." "$partial"
  chmod 755 "$partial"
  in_directory "$partial" quietly "$OIDC_CACHE/log/$name.log" "$@" || {
    rm -rf "$partial"
    die "nginx's configure failed"
  }
  keep "$partial" "$NGINX_TREE"
}

# keep PARTIAL DIRECTORY: what another run has finished meanwhile stays.
keep() { mv -T "$1" "$2" 2>/dev/null || rm -rf "$1"; }

configure_debian() {
  # shellcheck source=/dev/null
  . ./conf_flags
  ./configure "${NGX_CONF_FLAGS[@]}" "$@"
}

configure_upstream() {
  local script=./configure
  [ -x "$script" ] || script=./auto/configure
  "$script" "${NGINX_CONFIGURE[@]}" "$@"
}

build_upstream() {
  configure_upstream "$@"
  make -j "$JOBS" -f objs/Makefile binary
}

# nginx of the distribution: nginx-dev has the headers and the options that its binary was built with.
nginx_debian() {
  need_packages nginx nginx-dev
  local version
  version=$(dpkg-query -W -f '${Version}' nginx-dev)
  make_tree "nginx-debian-${version//[:~]/_}" /usr/share/nginx/src configure_debian
  NGINX_BINARY=$(command -v nginx || echo /usr/sbin/nginx)
}

# fetch_stable DIRECTORY: the source of stable nginx, from the crates.io package nginx-src.
fetch_stable() (
  need_packages cargo=cargo-web ca-certificates
  say "fetching nginx $NGINX_STABLE_VERSION (crates.io, nginx-src $NGINX_SRC_CRATE)"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  mkdir "$scratch/src"
  touch "$scratch/src/lib.rs"
  cat >"$scratch/Cargo.toml" <<END
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"

[dependencies]
nginx-src = "=$NGINX_SRC_CRATE"
END
  in_directory "$scratch" quietly "$OIDC_CACHE/log/cargo-vendor.log" cargo vendor --quiet vendor
  mkdir -p "$(dirname "$1")"
  cp -r "$scratch/vendor/nginx-src/nginx" "$1.$$"
  keep "$1.$$" "$1"
)

# nginx_stable PRESET: tree and binary; with the preset asan the binary is instrumented too, its
# pools hand out malloc'ed pieces, and the sanitizer sees what they hide.
nginx_stable() {
  local source=$OIDC_CACHE/nginx-$NGINX_STABLE_VERSION name=nginx-stable-$NGINX_STABLE_VERSION
  local options=()
  need_packages gcc make libssl-dev zlib1g-dev libpcre2-dev
  [ -d "$source" ] || fetch_stable "$source"
  if [ "$1" = asan ]; then
    name+=-asan
    options=(
      "--with-cc-opt=-O1 -fno-omit-frame-pointer -fsanitize=address -DNGX_DEBUG_PALLOC=1"
      --with-ld-opt=-fsanitize=address
    )
  fi
  make_tree "$name" "$source" build_upstream "${options[@]}"
  NGINX_BINARY=$NGINX_TREE/objs/nginx
}

# nginx_directory DIRECTORY: a source tree of the user's; one that is not configured is copied.
nginx_directory() {
  local source
  source=$(cd "$1" && pwd) || die "no such directory: $1"
  [ -f "$source/src/core/nginx.h" ] || die "$source is no nginx source tree"
  if [ -f "$source/objs/ngx_auto_config.h" ] && [ -f "$source/objs/Makefile" ]; then
    NGINX_TREE=$source
  else
    local key
    key=$(printf '%s' "$source" | cksum | cut -d' ' -f1)
    make_tree "nginx-$(nginx_source_version "$source")-$key" "$source" configure_upstream
  fi
  NGINX_BINARY=$NGINX_TREE/objs/nginx
  [ -x "$NGINX_BINARY" ] || NGINX_BINARY=$(command -v nginx || true)
}

# nginx_tree debian|stable|DIRECTORY PRESET
nginx_tree() {
  case $1 in
    debian) nginx_debian ;;
    stable) nginx_stable "$2" ;;
    *) nginx_directory "$1" ;;
  esac
}

# check_compatible MODULE: nginx refuses a module of another version or signature; say so now.
check_compatible() {
  local built running
  [ -n "$NGINX_BINARY" ] || return 0
  built=$(nginx_source_version "$NGINX_TREE")
  running=$(nginx_binary_version "$NGINX_BINARY")
  if [ "$built" != "$running" ]; then
    warn "the module is for nginx $built, $NGINX_BINARY is $running and will not load it"
  elif [ "$(nginx_signature "$1")" != "$(nginx_signature "$NGINX_BINARY")" ]; then
    warn "the signatures of the module and $NGINX_BINARY differ: it will say \"not binary" \
      "compatible\"; configure nginx's source with the options of nginx -V, or both with --with-compat"
  fi
}

# nginx_loads BINARY MODULE: does nginx -t accept a configuration that loads the module?
nginx_loads() (
  prefix=$(mktemp -d)
  trap 'rm -rf "$prefix"' EXIT
  mkdir "$prefix/tmp"
  cat >"$prefix/nginx.conf" <<END
load_module $2;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path tmp/body;
  proxy_temp_path tmp/proxy;
  fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi;
  scgi_temp_path tmp/scgi;
  server {
    listen unix:$prefix/socket;
  }
}
END
  "$1" -t -p "$prefix" -c "$prefix/nginx.conf"
)

# shellcheck shell=bash
# Sourced by the tools: building with cmake and with nginx's own configure.

BUILD_PACKAGES=(
  g++ cmake ninja-build libssl-dev zlib1g-dev libpcre2-dev libcurl4-openssl-dev libhiredis-dev
  nlohmann-json3-dev libgtest-dev libgmock-dev ccache
)
MODULE_FILE=ngx_http_openid_connect_module.so

# The core is built several times with the same flags; it is compiled once.
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
export CCACHE_DIR=$OIDC_CACHE/ccache CCACHE_NOHASHDIR=1

# The functions of this file work on NGINX_TREE, see nginx.sh.

build_dir() { echo "$ROOT/build/$1-nginx-$(nginx_source_version "$NGINX_TREE")"; }
module_path() { echo "$(build_dir "$1")/$MODULE_FILE"; }

# build_module PRESET
build_module() {
  cmake_build "$1" "$(build_dir "$1")" -DOIDC_TESTS=OFF "-DOIDC_NGINX_BUILD_DIR=$NGINX_TREE/objs" \
    "-DOIDC_NGINX_SOURCE_DIR=$NGINX_TREE"
}

# cmake_build PRESET DIRECTORY OPTION...
cmake_build() {
  local preset=$1 directory=$2
  shift 2
  in_directory "$ROOT" quietly "$directory/configure.log" \
    cmake -G Ninja --preset "$preset" -B "$directory" "$@"
  quietly "$directory/build.log" cmake --build "$directory" -j "$JOBS"
}

addon_path() { echo "$ROOT/build/addon-$(nginx_source_version "$NGINX_TREE")/objs/$MODULE_FILE"; }

# build_addon: the same by nginx's own ./configure --add-dynamic-module, in a copy of the tree.
build_addon() {
  local tree configure=configure_upstream
  tree=$ROOT/build/addon-$(nginx_source_version "$NGINX_TREE")
  rm -rf "$tree"
  mkdir -p "$ROOT/build"
  cp -r "$NGINX_TREE" "$tree"
  rm -rf "$tree/objs"
  [ ! -f "$tree/conf_flags" ] || configure=configure_debian
  in_directory "$tree" quietly configure.log "$configure" "--add-dynamic-module=$ROOT"
  in_directory "$tree" quietly make.log \
    make -j "$JOBS" -f objs/Makefile modules OIDC_CMAKE_OPTIONS=-DOIDC_WERROR=ON
}

# The only symbols another module may see.
check_exports() {
  local symbols
  symbols=$(nm -D --defined-only "$1" | awk '{print $3}' | sort | tr '\n' ' ')
  [ "$symbols" = "ngx_module_names ngx_module_order ngx_modules " ] || {
    echo "$1 exports: $symbols"
    return 1
  }
  ! ldd "$1" | grep -E 'hiredis|not found'
}

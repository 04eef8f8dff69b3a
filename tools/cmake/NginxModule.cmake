# The dynamic module, built against a configured nginx tree.

# The include directories that nginx's own makefile uses, absolute.
function(oidc_nginx_includes result)
  set(makefile "${OIDC_NGINX_BUILD_DIR}/Makefile")
  if(NOT EXISTS "${makefile}" OR NOT EXISTS "${OIDC_NGINX_BUILD_DIR}/ngx_auto_config.h")
    message(FATAL_ERROR "OIDC_NGINX_BUILD_DIR=${OIDC_NGINX_BUILD_DIR} is not the objs directory "
      "of a configured nginx tree (run nginx's ./configure there first)")
  endif()
  set(root "${OIDC_NGINX_SOURCE_DIR}")
  if(NOT root)
    get_filename_component(root "${OIDC_NGINX_BUILD_DIR}" DIRECTORY)
  endif()

  file(READ "${makefile}" text)
  string(REGEX MATCH "\nALL_INCS = ([^\n]*\\\\\n)*[^\n]*" incs "${text}")
  string(REGEX MATCHALL "-I[ \t]*[^ \t\n\\]+" flags "${incs}")
  set(directories)
  foreach(flag IN LISTS flags)
    string(REGEX REPLACE "^-I[ \t]*" "" directory "${flag}")
    get_filename_component(directory "${directory}" ABSOLUTE BASE_DIR "${root}")
    list(APPEND directories "${directory}")
  endforeach()
  # An objs directory outside of the tree is named as it was given to nginx's configure.
  list(APPEND directories "${OIDC_NGINX_BUILD_DIR}")
  list(REMOVE_DUPLICATES directories)
  if(NOT EXISTS "${root}/src/core/nginx.h")
    message(FATAL_ERROR "OIDC_NGINX_SOURCE_DIR=${root} has no src/core/nginx.h")
  endif()
  file(STRINGS "${root}/src/core/nginx.h" version REGEX "define NGINX_VERSION ")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" version "${version}")
  message(STATUS "nginx ${version} at ${root}")
  set(${result} "${directories}" PARENT_SCOPE)
endfunction()

# hiredis is linked statically: nginx loads modules into the global namespace, and another
# module's shared hiredis of another version would answer our calls.
function(oidc_find_hiredis)
  find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h REQUIRED)
  find_library(HIREDIS_STATIC_LIBRARY NAMES libhiredis.a REQUIRED)
  add_library(oidc_hiredis STATIC IMPORTED)
  set_target_properties(oidc_hiredis PROPERTIES
    IMPORTED_LOCATION "${HIREDIS_STATIC_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${HIREDIS_INCLUDE_DIR}")
endfunction()

function(oidc_add_nginx_module target)
  find_package(CURL 7.88 REQUIRED)
  oidc_find_hiredis()
  oidc_nginx_includes(nginx_includes)

  set(dir "${PROJECT_SOURCE_DIR}/src")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/io/*.cpp" "${dir}/ngx/*.cpp")
  set(exports "${dir}/ngx/exports.ld")

  add_library(${target} MODULE ${sources} "${dir}/ngx/modules.c")
  set_target_properties(${target} PROPERTIES PREFIX "" LINK_DEPENDS "${exports}")
  target_include_directories(${target} PRIVATE "${dir}")
  target_include_directories(${target} SYSTEM PRIVATE ${nginx_includes})
  target_link_libraries(${target} PRIVATE
    oidc_core CURL::libcurl oidc_hiredis OpenSSL::SSL OpenSSL::Crypto)
  # --require-defined: a module that modules.c names and no source defines would otherwise be
  # found out only by nginx, when it loads the file.
  target_link_options(${target} PRIVATE
    -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,relro -Wl,-z,now
    "-Wl,--version-script=${exports}"
    -Wl,--require-defined=ngx_http_openid_connect_module
    -Wl,--require-defined=ngx_http_openid_connect_filter_module)
endfunction()

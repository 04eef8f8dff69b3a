# Adds the module to nginx's targets "modules" (thereby "make") and "install".
# make OIDC_CMAKE_OPTIONS=... adds options for cmake.
oidc_objs=`cd "$NGX_OBJS" && pwd`
case "$NGX_MODULES_PATH" in
    /*) oidc_path=$NGX_MODULES_PATH ;;
    *)  oidc_path=$NGX_PREFIX/$NGX_MODULES_PATH ;;
esac

cat << END                                                    >> $NGX_MAKEFILE

modules:	oidc_module
install:	oidc_install
.PHONY:	oidc_module oidc_install

oidc_module:
	cmake -S '$ngx_addon_dir' -B '$oidc_objs/oidc' -DOIDC_TESTS=OFF -DOIDC_WERROR=OFF \\
		-DOIDC_NGINX_BUILD_DIR='$oidc_objs' -DOIDC_NGINX_SOURCE_DIR='$PWD' \\
		-DCMAKE_LIBRARY_OUTPUT_DIRECTORY='$oidc_objs' \$(OIDC_CMAKE_OPTIONS)
	+cmake --build '$oidc_objs/oidc'

oidc_install:	oidc_module
	mkdir -p '\$(DESTDIR)$oidc_path'
	cp '$oidc_objs/ngx_http_openid_connect_module.so' '\$(DESTDIR)$oidc_path'

END

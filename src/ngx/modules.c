/*
 * What nginx reads from a dynamic module. nginx's own build generates such a file; ours is built by
 * cmake in both ways of building, so it is written down once.
 */
#include <ngx_config.h>
#include <ngx_core.h>

extern ngx_module_t ngx_http_openid_connect_module;
extern ngx_module_t ngx_http_openid_connect_filter_module;

#define OIDC_EXPORT __attribute__((visibility("default")))

OIDC_EXPORT ngx_module_t *ngx_modules[] = {
    &ngx_http_openid_connect_module,
    &ngx_http_openid_connect_filter_module,
    NULL,
};

OIDC_EXPORT char *ngx_module_names[] = {
    "ngx_http_openid_connect_module",
    "ngx_http_openid_connect_filter_module",
    NULL,
};

/*
 * Each of our modules is put before the earliest loaded module that follows it here. Handlers of a
 * phase run from the last module to the first, so allow/deny, auth_basic and auth_request decide
 * before us. The price of that place: it is before nginx's write and header filters, which start
 * their chains anew, so a header filter set up by the first module would be lost. It has a module
 * of its own, at the place of every other filter.
 */
OIDC_EXPORT char *ngx_module_order[] = {
    "ngx_http_openid_connect_module",
    "ngx_http_auth_request_module",
    "ngx_http_auth_basic_module",
    "ngx_http_access_module",
    "ngx_http_openid_connect_filter_module",
    "ngx_http_copy_filter_module",
    NULL,
};

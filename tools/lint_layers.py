#!/usr/bin/env python3
"""Checks what each layer may include, and that nothing calls what blocks a worker."""

import re
import sys

from lib import cpp_text

# The layers whose private headers a layer may include, besides its own.
BELOW = {
    "crypto": ("base",),
    "jose": ("base", "crypto"),
    "proto": ("base", "crypto", "jose"),
    "session": ("base", "crypto"),
    "flow": ("base", "crypto", "jose", "proto", "session"),
    "conf": ("base", "crypto", "jose", "proto", "session", "flow"),
}
# What only some layers may use. Everything else that a core file includes is a standard header,
# one of include/oidc or a private header as above.
LIBRARIES = {
    r"nlohmann/": ("include", "base", "crypto", "jose", "proto", "session", "flow", "conf"),
    r"openssl/": ("crypto", "jose"),
    r"zlib\.h": ("base",),
    r"(arpa/inet|netinet/in|sys/socket)\.h": ("base",),
    r"(sys/stat|fcntl|unistd)\.h": ("conf",),
}
STANDARD = re.compile(r"[a-z_0-9]+$")

BLOCKING = re.compile(
    r"(?<![\w.>])(?:::|std::)?(?:"
    r"getaddrinfo|gethostbyname\w*|getnameinfo|res_n?(?:query|search)"
    r"|sleep|usleep|nanosleep|clock_nanosleep"
    r"|system|popen|fork|waitpid|poll|ppoll|select|pselect|fsync|fdatasync"
    r"|curl_easy_perform|curl_multi_wait|curl_multi_poll"
    r"|redisConnect\w*|redisCommand\w*|redisvCommand|redisGetReply|redisAppendCommand\w*"
    r")\s*\("
    r"|std::(?:this_)?(?:thread|jthread|async|future|condition_variable)\b"
)


def layer_of(path):
    parts = path.relative_to(cpp_text.ROOT).parts
    return "include" if parts[0] == "include" else parts[1]


def include_fault(layer, bracket, name):
    """Why a core file of `layer` may not include this, or None."""
    for library, layers in LIBRARIES.items():
        if re.match(library, name):
            return None if layer in layers else f"{layer} may not use {name}"
    if bracket == "<":
        return None if STANDARD.match(name) else f"the core may not use <{name}>"
    other = re.match(r"\.\./(\w+)/[\w.]+$", name)
    if name.startswith("oidc/") or "/" not in name or (
        other and other.group(1) in BELOW.get(layer, ())
    ):
        return None
    return f"{layer} may not include {name}"


def include_faults(path, text):
    code = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
    for match in code.finditer(text):
        fault = include_fault(layer_of(path), match.group(1), match.group(2))
        if fault:
            yield match.start(), fault


def blocking_faults(code):
    for match in BLOCKING.finditer(code):
        yield match.start(), f"{match.group(0).rstrip('(').strip()} blocks a worker"


def self_test():
    assert include_fault("proto", "<", "curl/curl.h")
    assert include_fault("flow", "<", "openssl/evp.h")
    assert include_fault("include", '"', "ngx/request.h")
    assert include_fault("session", '"', "../jose/jwk.h")
    assert include_fault("jose", '"', "../crypto/openssl.h") is None
    assert include_fault("jose", "<", "openssl/evp.h") is None
    assert include_fault("base", "<", "string_view") is None
    assert list(blocking_faults("x = getaddrinfo(a, b);"))
    assert list(blocking_faults("std::this_thread::yield();"))
    assert not list(blocking_faults("timer.sleep(1); loop->poll(); my_select(2);"))


def main():
    self_test()
    failed = 0
    core = ["include", *(f"src/{layer}" for layer in cpp_text.CORE_LAYERS)]
    for path in cpp_text.files(*core):
        text = path.read_text(encoding="utf-8")
        for position, fault in include_faults(path, text):
            cpp_text.complain(path, cpp_text.line_of(text, position), fault)
            failed += 1
    for path in cpp_text.files("include", "src"):
        text = path.read_text(encoding="utf-8")
        for position, fault in blocking_faults(cpp_text.code_of(text)):
            cpp_text.complain(path, cpp_text.line_of(text, position), fault)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

// Prints the name of each directive, one per line: the check of the documentation reads them.
#include <cstdio>

#include "oidc/directives.h"

int main() {
  for (const oidc::Directive& directive : oidc::directives()) {
    std::printf("%.*s\n", static_cast<int>(directive.name.size()), directive.name.data());
  }
}

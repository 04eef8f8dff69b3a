// Who we are to the provider.
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr Choices<ClientAuth, 3> kMethods = {{
    {"client_secret_basic", ClientAuth::client_secret_basic},
    {"client_secret_post", ClientAuth::client_secret_post},
    {"none", ClientAuth::none},
}};

Result<void> client_id(SettingsDraft& draft, const DirectiveUse& use) {
  // RFC 6749 appendix A.1: VSCHAR, which has the space.
  const std::string& id = use.words[0];
  if (id.empty() || id.find_first_of("\t\r\n") != std::string::npos) {
    return bad_value(id, "printable characters are expected");
  }
  draft.settings.client.id = id;
  return {};
}

Result<void> client_auth(SettingsDraft& draft, const DirectiveUse& use) {
  draft.settings.client.auth.reset();
  if (use.words[0] == "auto") return {};
  return assign(draft.settings.client.auth, choose(kMethods, use.words[0]));
}

constexpr Directive kDirectives[] = {
    {"oidc_client_id", 1, 1, Contexts::all, false, "", client_id},
    {"oidc_client_secret", 1, 1, Contexts::all, false, "off",
     secret_or_off<&Settings::client, &ClientSettings::secret>},
    {"oidc_client_auth", 1, 1, Contexts::all, false, "auto", client_auth},
};

}  // namespace

std::span<const Directive> client_directives() {
  return kDirectives;
}

Result<void> finish_client(SettingsDraft& draft) {
  ClientSettings& client = draft.settings.client;
  if (client.id.empty()) {
    return draft.conflict("oidc_client_id", "it must be set where \"oidc\" is on");
  }
  const bool has_secret = !client.secret.empty();
  if (!client.auth) {
    if (!has_secret) client.auth = ClientAuth::none;
    return {};
  }
  if (*client.auth != ClientAuth::none && !has_secret) {
    return draft.conflict("oidc_client_auth", "oidc_client_secret must be set for this method");
  }
  if (*client.auth == ClientAuth::none && has_secret &&
      !draft.words->flag("oidc_enable_hs_signatures")) {
    return draft.conflict("oidc_client_auth",
                          "none: oidc_client_secret would be used for nothing; "
                          "remove one of them");
  }
  return {};
}

}  // namespace oidc

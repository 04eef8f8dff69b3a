// An OpenID provider for the tests of flows: it signs, it checks what it is sent as RFC 6749, 7636
// and 9700 want it, and it can be made to lie.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/form.h"
#include "oidc/io.h"
#include "oidc/url.h"
#include "sample_settings.h"
#include "scripted_io.h"
#include "scripted_loop.h"
#include "signing_key.h"

namespace oidc::test {

class ScriptedOp {
 public:
  explicit ScriptedOp(const ScriptedLoop& loop) : loop_(loop) {
    metadata = {{"issuer", kIssuer},
                {"authorization_endpoint", url("/authorize")},
                {"token_endpoint", url("/token")},
                {"jwks_uri", url("/jwks")},
                {"end_session_endpoint", url("/logout")},
                {"revocation_endpoint", url("/revoke")},
                {"code_challenge_methods_supported", {"S256"}}};
  }

  // ---- what it is
  Json metadata;
  const SigningKey* key = &SigningKey::ec("first");
  std::vector<const SigningKey*> published = {&SigningKey::ec("first")};
  Json expires_in = 300;
  bool gives_refresh_tokens = true;
  bool rotates = true;
  bool id_token_at_refresh = true;
  std::string subject = "alice";
  // Lies: called with what is about to be signed or sent.
  std::function<void(Json& claims)> edit_id_token;
  std::function<void(Json& tokens)> edit_tokens;
  std::optional<HttpResponse> token_answer;  // instead of anything else

  HttpResponse revocation_answer{200, "", ""};
  std::function<HttpResponse(const Form& form)> introspect;  // with the client's right credentials
  std::function<HttpResponse(const std::string& authorization)> userinfo;

  // ---- what happened
  std::vector<std::string> revoked;  // "HINT TOKEN", with the client's right credentials
  std::size_t codes_redeemed = 0;
  std::size_t refreshes = 0;
  bool token_was_reused = false;  // RFC 9700 section 4.14.2: the family is revoked

  // The browser was sent here and the user agreed: what comes back to the redirect_uri.
  Form authorize(const std::string& location) {
    const Form query = Form::parse(parse_url(location)->query).value();
    const std::string code = "code-" + std::to_string(++last_);
    codes_[code] = query;
    Form answer;
    answer.add("code", code);
    answer.add("state", query.get("state").value_or(""));
    if (metadata.contains("authorization_response_iss_parameter_supported")) {
      answer.add("iss", kIssuer);
    }
    return answer;
  }
  [[nodiscard]] static Form refuse(const std::string& location, std::string_view error) {
    const Form query = Form::parse(parse_url(location)->query).value();
    Form answer;
    answer.add("error", error);
    answer.add("state", query.get("state").value_or(""));
    return answer;
  }

  HttpResponse answer(const HttpRequest& request) {
    if (request.url.ends_with("/.well-known/openid-configuration")) return json(200, metadata);
    if (request.url == url("/jwks")) return json(200, key_set());
    if (request.url == url("/token")) return token(request);
    if (request.url == url("/revoke")) return revoke(request);
    if (request.url == url("/introspect") && introspect && knows_client(request)) {
      return introspect(Form::parse(request.body.view()).value());
    }
    if (request.url == url("/userinfo") && userinfo && !request.post) {
      return userinfo(std::string(request.authorization.view()));
    }
    return {404, "text/html", "not here"};
  }

  void revoke_all() { current_refresh_token_.clear(); }

 private:
  static std::string url(std::string_view path) { return std::string(kIssuer).append(path); }
  static HttpResponse json(int status, const Json& body) {
    return {status, "application/json", body.dump()};
  }
  static HttpResponse error(std::string_view code, int status = 400) {
    return json(status, {{"error", code}, {"error_description", "canary-description"}});
  }

  [[nodiscard]] Json key_set() const {
    Json keys = Json::array();
    for (const SigningKey* one : published) keys.push_back(one->jwk());
    return {{"keys", keys}};
  }

  static bool knows_client(const HttpRequest& request) {
    const std::string basic =
        base64_encode(std::string(kClientId) + ":" + form_encode(kClientSecret));
    return request.authorization.view() == "Basic " + basic;
  }

  HttpResponse revoke(const HttpRequest& request) {
    if (!knows_client(request)) return error("invalid_client", 401);
    const Form form = Form::parse(request.body.view()).value();
    revoked.push_back(std::string(form.get("token_type_hint").value_or("?")) + " " +
                      std::string(form.get("token").value_or("?")));
    return revocation_answer;
  }

  HttpResponse token(const HttpRequest& request) {
    if (token_answer) return *token_answer;
    if (!knows_client(request)) return error("invalid_client", 401);
    const Form form = Form::parse(request.body.view()).value();
    if (form.get("grant_type") == "authorization_code") return redeem(form);
    if (form.get("grant_type") == "refresh_token") return refresh(form);
    return error("unsupported_grant_type");
  }

  HttpResponse redeem(const Form& form) {
    const auto found = codes_.find(std::string(form.get("code").value_or("")));
    if (found == codes_.end()) return error("invalid_grant");
    const Form query = found->second;
    codes_.erase(found);
    if (form.get("redirect_uri") != query.get("redirect_uri")) return error("invalid_grant");
    if (query.count("code_challenge") > 0) {
      const std::string hash = sha256_text(form.get("code_verifier").value_or(""));
      if (base64url_encode(hash) != query.get("code_challenge")) return error("invalid_grant");
    }
    ++codes_redeemed;
    Json claims = id_token_claims();
    claims["nonce"] = query.get("nonce").value_or("");
    return tokens(claims);
  }

  HttpResponse refresh(const Form& form) {
    const std::string presented(form.get("refresh_token").value_or(""));
    if (presented != current_refresh_token_ || presented.empty()) {
      token_was_reused = token_was_reused || issued_.contains(presented);
      return error("invalid_grant");
    }
    ++refreshes;
    return id_token_at_refresh ? tokens(id_token_claims()) : tokens(Json());
  }

  [[nodiscard]] Json id_token_claims() {
    if (auth_time_ == 0) auth_time_ = loop_.now();
    return {{"iss", kIssuer},           {"sub", subject},     {"aud", kClientId},
            {"exp", loop_.now() + 300}, {"iat", loop_.now()}, {"auth_time", auth_time_},
            {"sid", "provider-session"}};
  }

  HttpResponse tokens(Json claims) {
    Json body = {{"access_token", "access-" + std::to_string(++last_)},
                 {"token_type", "Bearer"},
                 {"scope", "openid profile"}};
    if (!expires_in.is_null()) body["expires_in"] = expires_in;
    if (gives_refresh_tokens) {
      if (rotates || current_refresh_token_.empty()) {
        current_refresh_token_ = "refresh-" + std::to_string(last_);
        issued_.insert(current_refresh_token_);
      }
      body["refresh_token"] = current_refresh_token_;
    }
    if (!claims.is_null()) {
      const std::string hash = sha256_text(body["access_token"].get<std::string>());
      claims["at_hash"] = base64url_encode(hash.substr(0, 16));
      if (edit_id_token) edit_id_token(claims);
      body["id_token"] = key->sign(Json::object(), claims);
    }
    if (edit_tokens) edit_tokens(body);
    return json(200, body);
  }

  const ScriptedLoop& loop_;
  std::map<std::string, Form> codes_;
  std::string current_refresh_token_;
  std::set<std::string> issued_;
  Seconds auth_time_ = 0;
  int last_ = 0;
};

// The provider as a worker reaches it.
class ScriptedHttp final : public HttpClient {
 public:
  ScriptedHttp(IoScript& io, ScriptedOp& op) : io_(io), op_(op) {}

  Task<Result<HttpResponse>> send(HttpRequest request) override {
    const Fault fault = co_await io_.call(name_of(request));
    if (fault == Fault::error) co_return Errc::provider_unreachable;
    HttpResponse response = op_.answer(request);
    if (fault == Fault::timeout) co_return Errc::provider_timeout;
    if (fault == Fault::refusal) response.status = 500;
    co_return response;
  }

 private:
  static std::string name_of(const HttpRequest& request) {
    return (request.post ? "POST " : "GET ") + parse_url(request.url)->path;
  }

  IoScript& io_;
  ScriptedOp& op_;
};

}  // namespace oidc::test

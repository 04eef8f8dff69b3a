// What the provider encrypted to the client: ID tokens at the login and at refresh, userinfo, logout
// tokens.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "jwe_maker.h"
#include "logout_token_sample.h"
#include "oidc/claims.h"
#include "oidc/logout_flows.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class EncryptedTokens : public testing::Test {
 protected:
  EncryptedTokens() {
    world_.settings.client.decryption_keys = {key_};
    world_.settings.encryption.accepted = all_encryption();
    world_.op.metadata["userinfo_endpoint"] = "https://op.example.com/userinfo";
    world_.op.userinfo = [this](const std::string&) { return userinfo_; };
    world_.op.edit_tokens = [this](Json& tokens) {
      const std::string inner = tokens["id_token"];
      signed_ = inner;
      if (encrypt_) tokens["id_token"] = encrypt_(inner);
    };
  }
  void encrypts() {
    encrypt_ = [this](const std::string& inner) { return encrypted(inner, *key_); };
  }
  std::string id_token() {
    const auto session = world_.session_of(browser_);
    return session ? session->record().id_token.text() : std::string("no session");
  }
  Outcome log_in() { return world_.log_in(browser_); }
  Outcome log_in_with(std::string (*make)(const std::string& inner, const DecryptionKey& key)) {
    encrypt_ = [this, make](const std::string& inner) { return make(inner, *key_); };
    Browser browser;
    const Outcome outcome = world_.log_in(browser);
    EXPECT_EQ(world_.session_of(browser), nullptr);
    return outcome;
  }

  std::shared_ptr<const DecryptionKey> key_ = decryption_key(kJweRsa);
  std::function<std::string(const std::string& inner)> encrypt_;
  std::string signed_;
  HttpResponse userinfo_{200, "application/jwt", ""};
  World world_;
  Browser browser_;
};

TEST_F(EncryptedTokens, TheSignedTokenInsideIsKept) {
  encrypts();
  EXPECT_EQ(log_in().reason, Errc::none);
  EXPECT_EQ(id_token(), signed_) << "it is what id_token_hint wants (Core 3.1.2.1)";
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(EncryptedTokens, PlainOnesAreFineUnlessEncryptionIsDemanded) {
  EXPECT_EQ(log_in().reason, Errc::none);
  world_.settings.encryption.id_token = true;
  Browser other;
  EXPECT_TRUE(denies(world_.log_in(other), Errc::jwe_missing));
  EXPECT_EQ(world_.session_of(other), nullptr);
  encrypts();
  EXPECT_EQ(world_.log_in(other).reason, Errc::none);
}

TEST_F(EncryptedTokens, WithoutAKeyNobodyLogsIn) {
  encrypts();
  world_.settings.client.decryption_keys.clear();
  EXPECT_TRUE(denies(log_in(), Errc::jwe_decryption));
}

TEST_F(EncryptedTokens, WhatIsInsideIsJudgedAsEver) {
  encrypts();
  world_.op.edit_id_token = [](Json& claims) { claims["nonce"] = "another"; };
  EXPECT_TRUE(denies(log_in(), Errc::id_token_nonce));
  world_.op.edit_id_token = [](Json& claims) { claims["aud"] = "another"; };
  EXPECT_TRUE(denies(log_in(), Errc::id_token_aud));
  world_.op.edit_id_token = nullptr;
  const auto wrong = [](const std::string& inner, const DecryptionKey& key) {
    return encrypted(inner.substr(0, inner.rfind('.') + 1), key);
  };
  EXPECT_TRUE(denies(log_in_with(wrong), Errc::jwt_signature));
}

TEST_F(EncryptedTokens, EncryptionAloneSaysNothingOfWhoMadeIt) {
  const auto claims_alone = [](const std::string& inner, const DecryptionKey& key) {
    return encrypted(base64url_decode(parts_of(inner)[1]).value(), key);
  };
  EXPECT_TRUE(denies(log_in_with(claims_alone), Errc::jwt_malformed));
  const auto unsigned_one = [](const std::string& inner, const DecryptionKey& key) {
    const Parts parts = parts_of(inner);
    return encrypted(base64url_encode(R"({"alg":"none"})") + "." + parts[1] + ".", key);
  };
  EXPECT_TRUE(denies(log_in_with(unsigned_one), Errc::jwt_alg_none));
  const auto twice = [](const std::string& inner, const DecryptionKey& key) {
    return encrypted(encrypted(inner, key), key);
  };
  EXPECT_TRUE(denies(log_in_with(twice), Errc::jwt_malformed)) << "one layer is opened";
}

TEST_F(EncryptedTokens, HostileOnesAreNoLogin) {
  const auto zipped = [](const std::string& inner, const DecryptionKey& key) {
    return encrypted(inner, key, {{"zip", "DEF"}});
  };
  EXPECT_TRUE(denies(log_in_with(zipped), Errc::jwe_not_allowed));
  const auto cut = [](const std::string& inner, const DecryptionKey& key) {
    std::string whole = encrypted(inner, key);
    whole.resize(whole.size() - 6);
    return whole;
  };
  EXPECT_TRUE(denies(log_in_with(cut), Errc::jwe_decryption));
  const auto large = [](const std::string& inner, const DecryptionKey& key) {
    return encrypted(inner + std::string(kMaxJwe, 'A'), key);
  };
  EXPECT_TRUE(denies(log_in_with(large), Errc::jwe_malformed));
}

TEST_F(EncryptedTokens, AtRefreshToo) {
  encrypts();
  world_.settings.encryption.id_token = true;
  log_in();
  world_.loop.advance(Milliseconds(250'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(id_token(), signed_);
  encrypt_ = nullptr;
  const std::string before = id_token();
  world_.loop.advance(Milliseconds(250'000));
  const Outcome outcome = world_.visit(browser_, "/");
  EXPECT_EQ(world_.op.refreshes, 2U);
  EXPECT_EQ(id_token(), before) << "a plain one is not taken";
  EXPECT_TRUE(world_.log.count(Errc::jwe_missing) > 0);
}

TEST_F(EncryptedTokens, ARefreshWithoutAnIdTokenIsFine) {
  encrypts();
  world_.settings.encryption.id_token = true;
  log_in();
  world_.op.edit_tokens = nullptr;
  world_.op.id_token_at_refresh = false;
  const std::string before = id_token();
  world_.loop.advance(Milliseconds(250'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(id_token(), before);
}

// ---- userinfo --------------------------------------------------------------------------------------

TEST_F(EncryptedTokens, Userinfo) {
  world_.settings.userinfo.at_login = true;
  world_.settings.userinfo.accept = "application/jwt";
  const std::string inner =
      world_.op.key->sign(Json::object(), {{"sub", "alice"}, {"email", "a@example.com"}});
  userinfo_.body = encrypted(inner, *key_);
  EXPECT_EQ(log_in().reason, Errc::none);
  EXPECT_EQ(userinfo_of(world_.session_of(browser_)->record()),
            R"({"email":"a@example.com","sub":"alice"})");
  world_.settings.userinfo.accept = "application/json";
  Browser other;
  EXPECT_EQ(world_.log_in(other).reason, Errc::none) << "the provider may encrypt unasked";
}

TEST_F(EncryptedTokens, UserinfoThatWillNotDo) {
  world_.settings.userinfo.at_login = true;
  const auto said = [this](HttpResponse answer) {
    userinfo_ = std::move(answer);
    Browser browser;
    const Outcome outcome = world_.log_in(browser);
    EXPECT_EQ(world_.session_of(browser), nullptr);
    EXPECT_EQ(outcome.reason, Errc::userinfo_invalid) << describe(outcome);
    return outcome.detail;
  };
  const Json claims = {{"sub", "alice"}};
  const std::string inner = world_.op.key->sign(Json::object(), claims);
  const char* jwt = "application/jwt";
  EXPECT_EQ(said({200, jwt, encrypted(claims.dump(), *key_)}), "jwt_malformed");
  EXPECT_EQ(said({200, jwt, encrypted(inner, *key_) + "="}), "jwe_malformed");
  EXPECT_EQ(said({200, jwt, encrypted(inner, *key_, {{"zip", "DEF"}})}), "jwe_not_allowed");
  EXPECT_EQ(said({200, jwt, encrypted(inner, *decryption_key(kRfc7516A1Key))}), "jwe_decryption");
  world_.settings.encryption.userinfo = true;
  EXPECT_EQ(said({200, jwt, inner}), "jwe_missing");
  EXPECT_EQ(said({200, "application/json", claims.dump()}), "jwe_missing");
}

// ---- logout tokens ---------------------------------------------------------------------------------

class EncryptedLogoutTokens : public EncryptedTokens {
 protected:
  EncryptedLogoutTokens() { log_in(); }
  int send(const std::string& token) {
    auto facts = Browser().post("/backchannel");
    facts->accept = facts->origin = facts->sec_fetch_site = facts->sec_fetch_mode =
        facts->sec_fetch_dest = "";
    Form form;
    form.add("logout_token", token);
    ScriptedBody reader(world_.io, form.encode());
    const Outcome outcome = world_.loop.run(
        backchannel_logout_flow({&worker_without_keys_, &world_.worker.services}, facts, reader));
    reason_ = outcome.reason;
    return outcome.status;
  }
  std::string token() { return LogoutTokenSample(world_.loop.now()).signed_by(*world_.op.key); }
  bool logged_in() { return world_.session_of(browser_) != nullptr; }

  Settings settings_without_keys_ = [] {
    Settings settings = sample_settings();
    settings.client.id = "another";
    return settings;
  }();
  ScriptedWorker other_{settings_without_keys_, world_.loop,   world_.io,   world_.op,
                        world_.store,           world_.ledger, world_.shared, world_.keys, world_.log};
  Services& worker_without_keys_ = other_.services;
  Errc reason_ = Errc::none;
};

TEST_F(EncryptedLogoutTokens, EndTheSession) {
  EXPECT_EQ(send(encrypted(token(), *key_)), 200);
  EXPECT_FALSE(logged_in());
}

TEST_F(EncryptedLogoutTokens, PlainOnesAreRefusedWhereIdTokensMustBeEncrypted) {
  world_.settings.encryption.id_token = true;
  EXPECT_EQ(send(token()), 400);
  EXPECT_EQ(reason_, Errc::jwe_missing);
  EXPECT_TRUE(logged_in());
  EXPECT_EQ(send(encrypted(token(), *key_)), 200);
  EXPECT_FALSE(logged_in());
}

TEST_F(EncryptedLogoutTokens, WrongOnesEndNothing) {
  const std::string whole = encrypted(token(), *key_);
  EXPECT_EQ(send(encrypted(token(), *decryption_key(kRfc7516A1Key))), 400);
  EXPECT_EQ(reason_, Errc::jwe_decryption);
  EXPECT_EQ(send(whole.substr(0, whole.size() - 6)), 400);
  EXPECT_EQ(send(encrypted("{}", *key_)), 400);
  EXPECT_EQ(send(encrypted(token(), *key_, {{"zip", "DEF"}})), 400);
  EXPECT_TRUE(logged_in());
}

}  // namespace
}  // namespace oidc

// What goes out of an opened session: headers of the upstream's request and of the response.
#include "oidc/prepared_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "oidc/base64url.h"
#include "oidc/client_key.h"
#include "oidc/jose.h"
#include "private_keys.h"
#include "session_sample.h"

namespace oidc {
namespace {

using test::kNow;
using test::sample_record;
using test::sample_settings;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Source = IdentityHeader::Source;
using Sent = std::map<std::string, std::string>;

std::string part(const Json& json) { return base64url_encode(json.dump()); }

// A JWT whose signature nobody looks at here.
std::string jwt_of(const Json& claims) { return part({{"alg", "RS256"}}) + "." + part(claims) + ".c2ln"; }

class PreparedHeader : public testing::Test {
 protected:
  PreparedHeader() { settings_.headers.prepared = true; }

  IdentityHeader& add(Source source, std::string name, bool down = false) {
    IdentityHeader header;
    header.source = source;
    header.name = std::move(name);
    auto& list = down ? settings_.headers.downstream : settings_.headers.upstream;
    list.push_back(std::move(header));
    settings_.headers.id = ++last_id_;
    return list.back();
  }
  void add_claim(std::string name, std::string_view path,
                 IdentityHeader::Encoding encoding = IdentityHeader::Encoding::percent) {
    IdentityHeader& header = add(Source::claim, std::move(name));
    header.path = ClaimPath::parse(path).value();
    header.encoding = encoding;
  }
  std::shared_ptr<const OpenSession> open(const SessionRecord& record) {
    return OpenSession::make({}, {}, "12345678", encode_record(record)).value();
  }
  std::shared_ptr<const OpenSession> with_claims(const Json& claims) {
    const std::string id_token = jwt_of(claims);
    SessionRecord record = sample_record();
    record.id_token = id_token;
    return open(record);
  }
  Sent upstream(const OpenSession& session, Seconds now = kNow) {
    Sent sent;
    ReadyHeaders(settings_, session, now)
        .for_each_upstream([&sent](std::string_view name, std::string_view prefix,
                                   std::string_view value) {
          sent.emplace(name, std::string(prefix).append(value));
        });
    return sent;
  }
  Sent downstream(const OpenSession& session) {
    Sent sent;
    ReadyHeaders(settings_, session, kNow)
        .for_each_downstream([&sent](std::string_view name, std::string_view prefix,
                                     std::string_view value) {
          sent.emplace(name, std::string(prefix).append(value));
        });
    return sent;
  }
  Result<void> size(const OpenSession& session) {
    return ReadyHeaders(settings_, session, kNow).check_size();
  }

  Settings settings_ = sample_settings();
  std::uint64_t last_id_ = 1000;
};

TEST_F(PreparedHeader, OfASessionFromALogin) {
  SessionRecord record = sample_record();
  record.introspection = R"({"sub":"alice","name":"Zoë"})";
  add(Source::access_token, "authorization").bearer = true;
  for (const auto& [source, name] : std::initializer_list<std::pair<Source, const char*>>{
           {Source::access_token_jwk, "x-atk"}, {Source::id_token, "x-idt"},
           {Source::id_token_jwk, "x-idk"}, {Source::refresh_token, "x-ref"},
           {Source::session_id, "x-sid"}, {Source::user_info, "x-ui"},
           {Source::user_info_jwt, "x-uij"}, {Source::introspection, "x-intro"},
           {Source::introspection_jwt, "x-introj"}}) {
    add(source, name);
    add(source, name, true);
  }
  const auto session = open(record);
  Sent expected = {{"x-idt", "header.payload.signature"},
                   {"x-idk", base64url_encode(R"({"kty":"EC"})")},
                   {"x-ref", "the-refresh-token"},
                   {"x-sid", log_id(session->key())},
                   {"x-ui", base64url_encode(record.introspection)},
                   {"x-uij", "the.signed.answer"}};
  EXPECT_EQ(downstream(*session), expected) << "nothing of an introspection, and no access token's key";
  expected["authorization"] = "Bearer the-access-token";
  EXPECT_EQ(upstream(*session), expected);
}

TEST_F(PreparedHeader, OfAnAccessToken) {
  for (const auto& [source, name] : std::initializer_list<std::pair<Source, const char*>>{
           {Source::access_token, "x-at"}, {Source::access_token_jwk, "x-atk"},
           {Source::id_token_jwk, "x-idk"}, {Source::session_id, "x-sid"},
           {Source::user_info, "x-ui"}, {Source::introspection, "x-intro"},
           {Source::introspection_jwt, "x-introj"}}) {
    add(source, name);
  }
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(Method::introspection);
  record.access_token = "opaque";
  record.introspection = R"({"active":true})";
  record.answer_jwt = "a.b.c";
  EXPECT_EQ(upstream(*open(record)), (Sent{{"x-at", "opaque"},
                                           {"x-intro", base64url_encode(R"({"active":true})")},
                                           {"x-introj", "a.b.c"}}));
  record.method = static_cast<std::uint8_t>(Method::userinfo);
  EXPECT_EQ(upstream(*open(record)),
            (Sent{{"x-at", "opaque"}, {"x-ui", base64url_encode(R"({"active":true})")}}));
  record.method = static_cast<std::uint8_t>(Method::bearer);
  record.introspection = {};
  record.jwk = R"({"kid":"k"})";
  EXPECT_EQ(upstream(*open(record)),
            (Sent{{"x-at", "opaque"}, {"x-atk", base64url_encode(R"({"kid":"k"})")}}));
}

TEST_F(PreparedHeader, HostileClaimsStayInOneHeader) {
  const std::string hostile = "a\r\nX-Admin: yes\n\t\x7f" "\xc3\xa9%41";
  const auto session = with_claims({{"sub", hostile}, {"many", {"a,b", "c\\d", "e\r\nf"}},
                                    {"deep", {{"er", {{"x", "\n"}}}}}, {"empty", ""},
                                    {"none", nullptr}});
  for (const char* claim : {"sub", "many", "deep", "deep.er", "empty", "none", "missing"}) {
    add_claim(std::string("x-pct-") + claim, claim);
    add_claim(std::string("x-b64-") + claim, claim, IdentityHeader::Encoding::base64url);
    add_claim(std::string("x-plain-") + claim, claim, IdentityHeader::Encoding::plain);
  }
  const Sent sent = upstream(*session);
  for (const auto& [name, value] : sent) {
    for (const char c : value) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << name;
    EXPECT_FALSE(value.empty()) << name;
  }
  EXPECT_EQ(sent.at("x-pct-sub"), "a%0D%0AX-Admin: yes%0A%09%7F%C3%A9%2541");
  EXPECT_EQ(base64url_decode(sent.at("x-b64-sub")).value(), hostile);
  EXPECT_EQ(sent.at("x-pct-many"), R"(a\,b,c\\d,e%0D%0Af)");
  EXPECT_EQ(sent.count("x-plain-sub"), 0U) << "what cannot be sent as it is is not sent";
  EXPECT_EQ(sent.count("x-plain-many"), 0U);
  EXPECT_EQ(sent.at("x-plain-deep.er"), R"({"x":"\n"})") << "JSON escapes what it holds";
  for (const char* absent : {"empty", "none", "missing"}) {
    EXPECT_EQ(sent.count(std::string("x-pct-") + absent), 0U) << absent;
  }
}

TEST_F(PreparedHeader, TokensThatNoHeaderCanCarryAreNotSent) {
  SessionRecord record = sample_record();
  record.refresh_token = "a\r\nb";
  record.answer_jwt = "a\nb";
  record.introspection = "{}";
  add(Source::refresh_token, "x-ref");
  add(Source::user_info_jwt, "x-uij");
  EXPECT_THAT(upstream(*open(record)), IsEmpty());
}

TEST_F(PreparedHeader, IsMadeOnceForEachSetOfDirectives) {
  add_claim("x-user", "sub");
  const auto session = with_claims({{"sub", "alice"}});
  EXPECT_EQ(upstream(*session), (Sent{{"x-user", "alice"}}));
  const auto first = session->preparations().find(settings_.headers.id);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(session->preparations().bytes(), first->bytes());
  upstream(*session, kNow + 100'000);
  EXPECT_EQ(session->preparations().find(settings_.headers.id), first) << "they do not age";
  const std::uint64_t before = settings_.headers.id;
  for (int i = 0; i < 10; ++i) {
    add_claim("x-more-" + std::to_string(i), "sub");
    EXPECT_EQ(upstream(*session).size(), 2U + static_cast<std::size_t>(i));
  }
  EXPECT_EQ(session->preparations().find(before), nullptr) << "only the last few are kept";
  EXPECT_LT(session->preparations().bytes(), 8192U);
}

TEST_F(PreparedHeader, NothingIsMadeForAnAccessTokenAsItIs) {
  settings_.headers.prepared = false;
  add(Source::access_token, "authorization").bearer = true;
  const auto session = open(sample_record());
  EXPECT_EQ(upstream(*session), (Sent{{"authorization", "Bearer the-access-token"}}));
  EXPECT_EQ(session->preparations().bytes(), 0U);
}

TEST_F(PreparedHeader, TooMuchIsRefusedByName) {
  add_claim("x-user", "sub");
  add_claim("x-groups", "groups");
  settings_.headers.most_bytes = 2048;
  EXPECT_TRUE(size(*with_claims({{"sub", "alice"}, {"groups", std::string(1000, 'g')}})));
  const Result<void> one = size(*with_claims({{"sub", "alice"}, {"groups", std::string(1020, 'g')}}));
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code, Errc::headers_too_large);
  EXPECT_THAT(one.error().detail, HasSubstr("x-groups has 1032 bytes"));
  EXPECT_THAT(one.error().detail, HasSubstr("oidc_headers_size allows 2048"));
  EXPECT_EQ(one.error().detail.find("ggg"), std::string::npos) << "no value in a log";
  add_claim("x-again", "groups");
  add_claim("x-thrice", "groups");
  EXPECT_FALSE(size(*with_claims({{"sub", "alice"}, {"groups", std::string(700, 'g')}}))) << "all";
}

TEST_F(PreparedHeader, TheAccessTokenCountsAndTheResponseToo) {
  settings_.headers.most_bytes = 1024;
  settings_.headers.prepared = false;
  SessionRecord record = sample_record();
  const std::string large(500, 't');
  record.access_token = large;
  add(Source::access_token, "authorization").bearer = true;
  EXPECT_FALSE(size(*open(record)));
  settings_.headers.upstream.clear();
  EXPECT_TRUE(size(*open(record)));
  add(Source::access_token, "authorization", true).bearer = true;
  const Result<void> down = size(*open(record));
  ASSERT_FALSE(down);
  EXPECT_THAT(down.error().detail, HasSubstr("(downstream)"));
}

class GatewaySigns : public PreparedHeader {
 protected:
  GatewaySigns() {
    GatewayJwt jwt;
    jwt.key = ClientKey::parse(test::kPrivateP256).value();
    jwt.issuer = "https://gateway.example.org";
    jwt.audience = "backend";
    jwt.lifetime = 60;
    jwt.claims = {{"email", ClaimPath::parse("email").value()},
                  {"roles", ClaimPath::parse("realm_access.roles").value()},
                  {"missing", ClaimPath::parse("missing").value()}};
    settings_.headers.jwts.push_back(std::move(jwt));
    add(Source::gateway_jwt, "x-identity");
  }
  Jwt read(const std::string& compact) {
    Jwt jwt = parse_jwt(compact).value();
    const Json set = {{"keys", Json::array({settings_.headers.jwts[0].key->public_jwk()})}};
    EXPECT_TRUE(verify_with_key_set(jwt, KeySet::parse(set.dump()).value()));
    return jwt;
  }
};

TEST_F(GatewaySigns, WhoTheUserIs) {
  const auto session = with_claims({{"email", "a@example.org"}, {"secret", "x"},
                                    {"realm_access", {{"roles", {"reader", "editor"}}}}});
  const Jwt jwt = read(upstream(*session).at("x-identity"));
  EXPECT_EQ(jwt.alg, Alg::ES256);
  EXPECT_EQ(jwt.kid, settings_.headers.jwts[0].key->kid());
  EXPECT_EQ(jwt.claims, (Json{{"iss", "https://gateway.example.org"},
                              {"aud", "backend"},
                              {"sub", "alice"},
                              {"idp", settings_.provider.issuer},
                              {"iat", kNow},
                              {"exp", kNow + 60},
                              {"email", "a@example.org"},
                              {"roles", {"reader", "editor"}}}));
}

TEST_F(GatewaySigns, OnceInHalfOfItsLife) {
  const auto session = with_claims({{"email", "a@example.org"}});
  const std::string first = upstream(*session).at("x-identity");
  EXPECT_EQ(upstream(*session, kNow + 29).at("x-identity"), first);
  const std::string second = upstream(*session, kNow + 30).at("x-identity");
  EXPECT_NE(second, first);
  EXPECT_EQ(read(second).claims["iat"], kNow + 30);
}

TEST_F(GatewaySigns, NotBeyondTheSessionOrTheToken) {
  SessionRecord record = sample_record();
  record.subject = "alice";
  record.absolute_end = kNow + 20;
  record.access_expires = kNow + 5;  // a session gets another one
  EXPECT_EQ(read(upstream(*open(record)).at("x-identity")).claims["exp"], kNow + 20);
  record.method = static_cast<std::uint8_t>(Method::bearer);
  EXPECT_EQ(read(upstream(*open(record)).at("x-identity")).claims["exp"], kNow + 5);
  record.access_expires = kNow + 2;
  const auto ending = open(record);
  const std::string first = upstream(*ending).at("x-identity");
  EXPECT_EQ(upstream(*ending, kNow).at("x-identity"), first);
  EXPECT_EQ(read(upstream(*ending, kNow + 1).at("x-identity")).claims["exp"], kNow + 2);
}

TEST_F(GatewaySigns, WhoseSubjectItIs) {
  SessionRecord record = sample_record();
  record.subject = "alice";
  record.method = static_cast<std::uint8_t>(Method::bearer);
  const std::string token = jwt_of({{"iss", "https://another.example.org"}, {"sub", "alice"}});
  record.access_token = token;
  EXPECT_EQ(read(upstream(*open(record)).at("x-identity")).claims["idp"],
            "https://another.example.org");
  record.access_token = "opaque";
  record.id_token = {};
  EXPECT_EQ(read(upstream(*open(record)).at("x-identity")).claims["idp"],
            settings_.provider.issuer);
}

TEST_F(GatewaySigns, NothingOfNobody) {
  SessionRecord record = sample_record();
  record.subject = {};
  EXPECT_THAT(upstream(*open(record)), IsEmpty());
}

}  // namespace
}  // namespace oidc

#include "token_extras.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/json.h"
#include "oidc/presented_grant.h"

namespace oidc {
namespace {

constexpr std::size_t kLongestClientValue = 512;
constexpr std::size_t kMostFields = 1024;

// One line of plain text: no value may begin another header.
bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

const std::string* header_of(const RequestFacts& facts, std::string_view lowercase_name) {
  for (const auto& [name, value] : facts.token_headers) {
    if (name == lowercase_name) return &value;
  }
  return nullptr;
}

// The fields of the query and, where one was read, of the body; the query's come first.
Form sent_fields(const RequestFacts& facts) {
  Form all;
  if (Result<Form> query = Form::parse(facts.query, kMostFields)) all = std::move(*query);
  if (facts.body == nullptr) return all;
  if (facts.content_type.starts_with("application/json")) {
    const Result<Json> json = parse_json_object(facts.body->view());
    if (!json) return all;
    for (const auto& [name, value] : json->items()) {
      if (value.is_string()) all.add(name, value.get_ref<const std::string&>());
    }
    return all;
  }
  Result<Form> form = Form::parse(facts.body->view(), kMostFields);
  if (!form) return all;
  for (const FormField& field : form->fields()) all.add(field.name, field.value);
  form->wipe();
  return all;
}

void copy_from_client(TokenExtras& extras, const TokenSettings& settings,
                      const RequestFacts& facts) {
  Form fields;
  if (!settings.post_args_client.empty()) fields = sent_fields(facts);
  for (const std::string& name : settings.post_args_client) {
    std::optional<std::string_view> value = fields.get(name);
    if (!value) {
      const std::string* header = header_of(facts, header_name_of(name));
      if (header != nullptr) value = *header;
    }
    if (value && value->size() <= kLongestClientValue) extras.args.emplace_back(name, *value);
  }
  fields.wipe();
  for (const std::string& name : settings.headers_client) {
    const std::string* value = header_of(facts, header_name_of(name));
    if (value == nullptr || value->empty() || value->size() > kLongestClientValue) continue;
    if (is_header_text(*value)) extras.headers.emplace_back(name, *value);
  }
}

}  // namespace

TokenExtras token_extras(const Settings& settings, const RequestFacts& facts, Copies copies) {
  const TokenSettings& wanted = settings.token;
  TokenExtras extras;
  extras.keep_headers = wanted.headers_replay;
  for (const auto& [name, value] : wanted.post_args) {
    std::string text = facts.evaluator->evaluate(value);
    if (!text.empty()) extras.args.emplace_back(name, std::move(text));
  }
  for (const auto& [name, value] : wanted.headers) {
    std::string text = facts.evaluator->evaluate(value);
    if (!text.empty() && is_header_text(text)) extras.headers.emplace_back(name, std::move(text));
  }
  if (copies == Copies::yes) copy_from_client(extras, wanted, facts);
  return extras;
}

}  // namespace oidc

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "oidc/client_key.h"
#include "values.h"

namespace oidc {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kEnvironment = "env:";
constexpr std::size_t kMaxSecretFile = 64 * 1024;

Error unusable(std::string text) {
  return {Errc::invalid_configuration, std::move(text)};
}

std::string full_name(std::string_view name, const BuildFacts& facts) {
  if (name.starts_with('/')) return std::string(name);
  return std::string(facts.conf_prefix).append(name);
}

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Result<Secret> read_file(const std::string& name) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(name.c_str(), "rb"));
  if (!file) return unusable("cannot open \"" + name + "\": " + std::strerror(errno));
  // Unbuffered: no copy of the secret stays behind in the stream's own memory.
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  Secret buffer = Secret::of_size(kMaxSecretFile + 1);
  const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get());
  if (std::ferror(file.get()) != 0) {
    return unusable("cannot read \"" + name + "\": " + std::strerror(errno));
  }
  if (size > kMaxSecretFile) return unusable("the file \"" + name + "\" is larger than 64k");
  std::string_view content = buffer.view().substr(0, size);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  if (content.empty()) return unusable("the file \"" + name + "\" is empty");
  return Secret(content);
}

}  // namespace

Result<std::string> parse_file_name(std::string_view word, const BuildFacts& facts) {
  if (word.empty()) return bad_value(word, "a file name is expected");
  std::string name = full_name(word, facts);
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(name, failure);
  if (!std::filesystem::exists(status)) {
    return unusable("cannot find \"" + name + "\": " + failure.message());
  }
  if (std::filesystem::is_directory(status)) {
    return unusable("\"" + name + "\" is a directory, not a file");
  }
  return name;
}

Result<Secret> parse_secret(std::string_view word, const BuildFacts& facts) {
  if (word.starts_with(kFile)) return read_file(full_name(word.substr(kFile.size()), facts));
  if (word.starts_with(kEnvironment)) {
    const std::string name(word.substr(kEnvironment.size()));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
      return unusable("the environment has no variable \"" + name + "\", or it is empty");
    }
    return Secret(std::string_view(value));
  }
  if (word.empty()) return unusable("the secret is empty");
  return Secret(word);
}

Result<std::shared_ptr<const ClientKey>> parse_key_file(const std::string& word,
                                                        const BuildFacts& facts) {
  const Result<std::string> name = parse_file_name(word, facts);
  if (!name) return name.error();
  const Result<Secret> text = read_file(*name);
  if (!text) return text.error();
  Result<std::shared_ptr<const ClientKey>> parsed = ClientKey::parse(text->view());
  if (!parsed) return bad_value(word, parsed.error().detail);
  return parsed;
}

}  // namespace oidc

#include "draft.h"

namespace oidc {

bool SettingsDraft::is_set(std::string_view directive) const {
  return words != nullptr && words->get(directive) != nullptr;
}

Error SettingsDraft::conflict(std::string_view directive, std::string_view what) const {
  return {Errc::invalid_configuration, about(directive, what)};
}

void SettingsDraft::warn(std::string_view directive, std::string_view what) {
  warnings.push_back(about(directive, what));
}

std::string SettingsDraft::about(std::string_view directive, std::string_view what) const {
  std::string line(directive);
  line.append(": ").append(what);
  const DirectiveWords::Lines* lines = words == nullptr ? nullptr : words->get(directive);
  if (lines == nullptr || lines->empty() || lines->front().file.empty()) return line;
  line.append(" in ").append(lines->front().file);
  return line.append(":").append(std::to_string(lines->front().line));
}

}  // namespace oidc

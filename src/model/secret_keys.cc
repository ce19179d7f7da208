#include "model/secret_keys.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wave::model {
namespace {

constexpr std::array<std::string_view, 7> kSecretWords{
    "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY"};

// yaml.cc bounds the depth of a document.
void collect(const yaml::Node& node, bool is_secret, std::vector<std::string>& found) {
  if (node.is_scalar() && is_secret && !node.text.empty()) found.push_back(node.text);
  for (const yaml::Node& item : node.items) collect(item, is_secret, found);
  for (const yaml::Node::Entry& entry : node.entries) {
    collect(entry.value, is_secret || is_secret_key(entry.key.text), found);
  }
}

}  // namespace

bool is_secret_key(std::string_view name) {
  const std::string upper = to_upper(name);
  if (std::ranges::any_of(kSecretWords,
                          [&](std::string_view word) { return upper.contains(word); })) {
    return true;
  }
  if (upper == "TOKEN" || upper.ends_with("_TOKEN")) return true;
  const bool is_variable = upper == name;
  return is_variable && (upper.ends_with("_KEY") || upper.contains("TOKEN"));
}

std::vector<std::string> written_secrets(const yaml::Node& root) {
  std::vector<std::string> found;
  collect(root, false, found);
  return found;
}

}  // namespace wave::model

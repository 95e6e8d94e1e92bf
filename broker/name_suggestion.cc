#include "broker/name_suggestion.h"

#include <algorithm>
#include <vector>

namespace sillok::broker {
namespace {

// Longer names are none of ours, and the work grows with the square of the length.
constexpr std::size_t kNameSizeMax = 100;

// The optimal string alignment distance, or `enough` where it is not less.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t enough) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= enough) return enough;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  std::size_t previous_least = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    const std::size_t least = std::ranges::min(current);
    if (least >= enough && previous_least >= enough) return enough;
    previous_least = least;
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> known) {
  if (name.empty() || name.size() > kNameSizeMax) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t least = std::max<std::size_t>(name.size() / 3, 2) + 1;
  for (std::string_view candidate : known) {
    const std::size_t distance = edit_distance(name, candidate, least);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const auto nearest = nearest_name(name, known);
  if (!nearest) return {};
  return "; did you mean " + std::string(*nearest) + "?";
}

}  // namespace sillok::broker

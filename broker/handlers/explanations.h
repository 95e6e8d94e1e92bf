// The texts of an answer's errors: the answer views them until it is sent.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sillok::broker {

// Invariants: what keep() returned stays where it is as long as this lives. No more than kMax are kept, since
// a short request can name much that is wrong: the errors after them have codes only.
class Explanations {
 public:
  static constexpr std::size_t kMax = 1000;

  std::optional<std::string_view> keep(std::string text) {
    if (texts_.size() == kMax) return std::nullopt;
    return texts_.emplace_back(std::move(text));
  }

 private:
  std::deque<std::string> texts_;
};

}  // namespace sillok::broker

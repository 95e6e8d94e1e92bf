// Some elements of a list.
#pragma once

#include <utility>

namespace sillok::broker {

// Takes what `is_wanted` out of the list, gives each to `give`, and keeps the others in their order.
template <class List, class IsWanted, class Give>
void take_out(List& list, const IsWanted& is_wanted, const Give& give) {
  auto kept = list.begin();
  for (auto it = list.begin(); it != list.end(); ++it) {
    if (is_wanted(*it)) {
      give(std::move(*it));
    } else {
      if (kept != it) *kept = std::move(*it);
      ++kept;
    }
  }
  list.erase(kept, list.end());
}

}  // namespace sillok::broker

// Requests that name topics: each once, or it is refused.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

namespace sillok::broker {

// What is asked of each topic, in order. `ask(topic)` makes one of the request's topics; `refuse(asked)` is
// called for one that comes again, which is in the result once.
template <class Topics, class Ask, class Refuse>
auto named_once(const Topics& topics, const Ask& ask, const Refuse& refuse) {
  std::vector<decltype(ask(topics.front()))> asked;
  std::map<std::string_view, std::size_t> places;
  for (const auto& topic : topics) {
    const auto [place, is_new] = places.emplace(topic.name, asked.size());
    if (is_new) {
      asked.push_back(ask(topic));
    } else {
      refuse(asked[place->second]);
    }
  }
  return asked;
}

}  // namespace sillok::broker

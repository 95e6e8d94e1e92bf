#include "broker/ring.h"

#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <random>

using sillok::broker::Ring;

TEST_CASE("ring: entries leave in the order in which they came") {
  std::mt19937 random(Catch::rngSeed());
  Ring<int> ring;
  std::deque<int> model;
  for (int i = 0; i < 10'000; ++i) {
    if (random() % 5 < 3 || model.empty()) {
      ring.push_back(i);
      model.push_back(i);
    } else {
      REQUIRE(ring.front() == model.front());
      ring.pop_front();
      model.pop_front();
    }
    REQUIRE(ring.size() == model.size());
    if (model.empty()) {
      if (random() % 2 == 0) ring.release();
      continue;
    }
    const std::size_t at = random() % model.size();
    REQUIRE(ring[at] == model[at]);
  }
}

TEST_CASE("ring: what leaves is destroyed at once") {
  Ring<std::shared_ptr<int>> ring;
  const auto first = std::make_shared<int>(1);
  const auto second = std::make_shared<int>(2);
  ring.push_back(first);
  ring.push_back(second);
  CHECK(first.use_count() == 2);
  ring.pop_front();
  CHECK(first.use_count() == 1);
  CHECK(second.use_count() == 2);
  ring.clear();
  CHECK(second.use_count() == 1);
}

TEST_CASE("ring: its memory is used again until it is released") {
  Ring<int> ring;
  ring.push_back(0);
  const int* const place = &ring.front();
  for (int i = 1; i < 100; ++i) {
    ring.push_back(i);
    ring.pop_front();
    REQUIRE(&ring.front() >= place);
    REQUIRE(&ring.front() < place + 4);
  }
  ring.clear();
  ring.release();
  CHECK(ring.empty());
  ring.push_back(7);
  CHECK(ring.front() == 7);
}

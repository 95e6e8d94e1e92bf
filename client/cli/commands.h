// The verbs. Each takes the words after its own name, and gives the exit code.
#pragma once

#include <span>
#include <string>

namespace sillok::client {

int run_topic(std::span<const std::string> words);
int run_produce(std::span<const std::string> words);
int run_consume(std::span<const std::string> words);

// The whole program, without its own name.
int run_program(std::span<const std::string> words);

}  // namespace sillok::client

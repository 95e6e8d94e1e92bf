// Rows of text in columns.
#pragma once

#include <string>
#include <vector>

namespace sillok::client {

class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  // Requires: as many cells as the head has.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Each column as wide as its widest cell, two spaces between, none at the end of a line.
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sillok::client

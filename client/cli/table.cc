#include "client/cli/table.h"

#include <algorithm>

#include "protocol/base/check.h"

namespace sillok::client {

std::string Table::to_string() const {
  std::vector<std::size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    CHECK(row.size() == widths.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace sillok::client

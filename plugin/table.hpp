// Columns of text, as kubectl prints them: a head in capitals, three spaces between.
#pragma once

#include <string>
#include <vector>

#include "console.hpp"

namespace certpair::plugin {

struct Cell {
  std::string text;  ///< must have gone through Escaped where others wrote it
  Tint tint = Tint::None;
};
using Row = std::vector<Cell>;

class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  void Add(Row row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool Empty() const { return rows_.empty(); }

  /// All rows so far; a cell that is empty stands as `-`. Rows may have fewer cells than the head.
  void Print(const Console& console) const;
  /// One more row, in the widths of those before it.
  void PrintLine(const Console& console, const Row& row) const;

 private:
  [[nodiscard]] std::vector<std::size_t> Widths() const;
  static void PrintRow(const Console& console, const Row& row,
                       const std::vector<std::size_t>& widths);

  std::vector<std::string> head_;
  std::vector<Row> rows_;
};

}  // namespace certpair::plugin

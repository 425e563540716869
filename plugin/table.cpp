#include "table.hpp"

#include <algorithm>

#include "text.hpp"

namespace certpair::plugin {
namespace {

constexpr std::size_t kBetween = 3;
// A longer cell moves the rest of its own line; it does not make every other line as long.
constexpr std::size_t kWidest = 120;
const std::string kNothing = "-";

const std::string& TextOf(const Cell& cell) { return cell.text.empty() ? kNothing : cell.text; }

// The last cell is not filled up: no line ends in spaces.
void Append(std::string& line, const std::string& shown, std::size_t width, std::size_t wanted,
            bool last) {
  line += shown;
  if (!last) line.append(std::max(wanted, width) + kBetween - width, ' ');
}

}  // namespace

std::vector<std::size_t> Table::Widths() const {
  std::vector<std::size_t> widths;
  widths.reserve(head_.size());
  for (const std::string& title : head_) widths.push_back(title.size());
  for (const Row& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], std::min(WidthOf(TextOf(row[i])), kWidest));
  return widths;
}

void Table::PrintRow(const Console& console, const Row& row,
                     const std::vector<std::size_t>& widths) {
  std::string line;
  const std::size_t cells = std::min(row.size(), widths.size());
  for (std::size_t i = 0; i < cells; ++i) {
    const std::string& text = TextOf(row[i]);
    Append(line, console.Coloured(row[i].tint, text), WidthOf(text), widths[i], i + 1 == cells);
  }
  console.Print(line);
}

void Table::Print(const Console& console) const {
  const std::vector<std::size_t> widths = Widths();
  Row head;
  head.reserve(head_.size());
  for (const std::string& title : head_) head.push_back({title});
  PrintRow(console, head, widths);
  for (const Row& row : rows_) PrintRow(console, row, widths);
}

void Table::PrintLine(const Console& console, const Row& row) const {
  PrintRow(console, row, Widths());
}

}  // namespace certpair::plugin

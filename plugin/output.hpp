// Output for machines. What it holds is an interface: the API's own objects, as `kubectl get`
// prints them, or the documents that docs/plugin.md describes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "console.hpp"

namespace certpair::plugin {

enum class Format { Table, Wide, Json, Yaml, Name };

/// One document. Format is Json or Yaml. Text that is not UTF-8 is replaced (U+FFFD); on a terminal
/// everything beyond ASCII stands as the format's own escape.
void PrintDocument(const Console& console, Format format, const nlohmann::json& document);

/// A list of the API's objects that is printed while it comes, so that its length costs no memory:
/// `{"apiVersion": "v1", "kind": "List", "items": [...]}`.
class ListPrinter {
 public:
  ListPrinter(const Console& console, Format format) : console_(console), format_(format) {}
  void Add(const nlohmann::json& object);
  void Finish();

 private:
  const Console& console_;
  const Format format_;
  bool begun_ = false;
};

}  // namespace certpair::plugin

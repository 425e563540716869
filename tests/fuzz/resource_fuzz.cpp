// Any octets as an object of the API: a system, an operation, an authority, a Secret. The API
// server checks them by their schema; an older server, or a newer version's object, may not.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "reconcile/authority_codec.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/secret_codec.hpp"
#include "reconcile/system_codec.hpp"

namespace {

void Want(bool good) {
  if (!good) std::abort();
}

// What was read, and is written to an object that has no status, is read again as the same.
void WantStatusKept(nlohmann::json object) {
  using namespace certpair::reconcile;  // NOLINT(google-build-using-namespace): one function
  const StoredSystem system = DecodeSystem(object);
  object.erase("status");
  const nlohmann::json patch = StatusPatch(DecodeSystem(object), system.status);
  if (patch.is_object()) object.merge_patch(patch);
  const StoredSystem again = DecodeSystem(object);
  Want(again.status.conditions == system.status.conditions);
  Want(again.status.next == system.status.next);
  Want(again.status.ledger == system.status.ledger);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace certpair::reconcile;  // NOLINT(google-build-using-namespace): one function
  nlohmann::json object = nlohmann::json::parse(
      std::string_view{reinterpret_cast<const char*>(data), size}, nullptr, false);
  if (object.is_discarded()) return 0;
  const StoredSystem system = DecodeSystem(object);
  Want(system.undecodable.size() < 2000);
  static_cast<void>(DecodeOperation(object));
  static_cast<void>(DecodeAuthority(object));
  static_cast<void>(DecodeSecretMetadata(object));
  if (object.is_object()) WantStatusKept(object);
  static_cast<void>(DecodeSecret(object));
  return 0;
}

// Any octets as one kubeconfig, or as two that are merged (a NUL octet divides them).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kube/config.hpp"
#include "kube/endpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace certpair::kube;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::size_t cut = text.find('\0');
  std::vector<KubeconfigFile> files{{"/nowhere/config", std::string{text.substr(0, cut)}}};
  if (cut != std::string_view::npos)
    files.push_back({"/nowhere/else", std::string{text.substr(cut + 1)}});
  const auto config = ParseKubeconfig(files, "");
  if (config ? config->server.empty() : config.error().message.empty()) std::abort();
  if (config) static_cast<void>(ParseEndpoint(config->server));
  return 0;
}

#include "reconcile/secret_metadata.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/secret_metadata.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

bool Contains(const TextMap& have, const TextMap& want) {
  return std::ranges::all_of(want, [&](const auto& entry) {
    const auto found = have.find(entry.first);
    return found != have.end() && found->second == entry.second;
  });
}

// What spec.secret puts on the Secret, by name: so that what is taken out of the spec is taken off
// the Secret, and what others put there stays.
std::string TemplateEntries(const core::AllowedMetadata& spec) {
  std::string entries;
  const auto add = [&](std::string_view kind, const auto& names) {
    for (const auto& entry : names)
      entries += fmt::format("{}{}{}", entries.empty() ? "" : " ", kind, entry.first);
  };
  add(kTemplateLabelEntry, spec.labels);
  add(kTemplateAnnotationEntry, spec.annotations);
  return entries;
}

// Names that are there and not wanted; never one of ours, whatever stands in the annotation.
void AddStale(std::string_view name, const TextMap& there, const TextMap& wanted,
              std::vector<std::string>& stale) {
  const std::string key{name};
  if (name.starts_with(kOurPrefix) || !there.contains(key) || wanted.contains(key)) return;
  stale.push_back(key);
}

StaleMetadata Stale(const SecretMetadata& metadata, const WantedMetadata& wanted) {
  StaleMetadata stale;
  const std::string listed = metadata.Annotation(kTemplateAnnotation);
  std::string_view entries = listed;
  while (!entries.empty()) {
    const std::size_t end = std::min(entries.find(' '), entries.size());
    const std::string_view entry = entries.substr(0, end);
    entries.remove_prefix(std::min(end + 1, entries.size()));
    if (entry.starts_with(kTemplateLabelEntry))
      AddStale(entry.substr(kTemplateLabelEntry.size()), metadata.labels, wanted.labels,
               stale.labels);
    else if (entry.starts_with(kTemplateAnnotationEntry))
      AddStale(entry.substr(kTemplateAnnotationEntry.size()), metadata.annotations,
               wanted.annotations, stale.annotations);
  }
  const std::string list{kTemplateAnnotation};
  if (metadata.annotations.contains(list) && !wanted.annotations.contains(list))
    stale.annotations.push_back(list);
  return stale;
}

// Nothing: the Secret outlives its system.
std::optional<OwnerReference> OwnerOf(const StoredSystem& system) {
  if (system.spec.secret.deletion_policy != core::DeletionPolicy::Delete) return std::nullopt;
  return OwnerReference{.api_version = std::string{kApiVersion},
                        .kind = "ProvisioningSystem",
                        .name = system.identity.name,
                        .uid = system.identity.uid,
                        .controller = true};
}

}  // namespace

WantedMetadata WantedMetadataOf(const StoredSystem& system,
                                const core::Installation& installation) {
  core::AllowedMetadata allowed = core::AllowedMetadataOf(system.spec.secret, installation);
  std::string entries = TemplateEntries(allowed);
  WantedMetadata wanted;
  wanted.labels = std::move(allowed.labels);
  wanted.labels[std::string{kManagedByLabel}] = kManagedBy;
  wanted.labels[std::string{kSystemLabel}] = system.identity.name;
  wanted.annotations = std::move(allowed.annotations);
  wanted.annotations[std::string{kSystemUidAnnotation}] = system.identity.uid;
  if (!entries.empty()) wanted.annotations[std::string{kTemplateAnnotation}] = std::move(entries);
  wanted.owner = OwnerOf(system);
  return wanted;
}

StaleMetadata StaleMetadataOf(const SecretMetadata& metadata, const StoredSystem& system,
                              const core::Installation& installation) {
  return Stale(metadata, WantedMetadataOf(system, installation));
}

bool MetadataDiffers(const SecretMetadata& metadata, const StoredSystem& system,
                     const core::Installation& installation) {
  const WantedMetadata wanted = WantedMetadataOf(system, installation);
  return !Contains(metadata.labels, wanted.labels) ||
         !Contains(metadata.annotations, wanted.annotations) || !Stale(metadata, wanted).Empty();
}

std::optional<std::vector<OwnerReference>> OwnersAfter(const std::vector<OwnerReference>& now,
                                                       const StoredSystem& system) {
  std::vector<OwnerReference> after;
  for (const OwnerReference& owner : now)
    if (owner.uid != system.identity.uid) after.push_back(owner);
  if (auto wanted = OwnerOf(system)) {
    // The API allows one controller; where another object holds that place, ours owns without it.
    wanted->controller = std::ranges::none_of(after, &OwnerReference::controller);
    after.push_back(std::move(*wanted));
  }
  if (std::ranges::is_permutation(after, now)) return std::nullopt;
  return after;
}

}  // namespace certpair::reconcile

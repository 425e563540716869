#include "notify/send_window.hpp"

#include <algorithm>
#include <vector>

namespace certpair::notify {
namespace {

constexpr std::chrono::seconds kLife{30};
constexpr std::chrono::minutes kCompanyLasts{1};

}  // namespace

void SendWindow::Begin(const std::string& space, Steady now) {
  std::erase_if(last_sent_, [&](const auto& one) { return one.second + kCompanyLasts <= now; });
  last_sent_.insert_or_assign(space, now);
}

void SendWindow::Enter(const std::string& id, const std::string& space, Steady now) {
  Leave(id);
  mails_.insert_or_assign(id, Mail{space, now});
  ++by_space_[space];
}

void SendWindow::Leave(const std::string& id) {
  const auto mail = mails_.find(id);
  if (mail == mails_.end()) return;
  const auto of = by_space_.find(mail->second.space);
  if (--of->second == 0) by_space_.erase(of);
  mails_.erase(mail);
}

// Of one namespace, or of all.
std::optional<SendWindow::Steady> SendWindow::OldestLeaves(const std::string* space) const {
  std::optional<Steady> oldest;
  for (const auto& [id, mail] : mails_) {
    if (space != nullptr && mail.space != *space) continue;
    if (!oldest || mail.entered < *oldest) oldest = mail.entered;
  }
  return oldest ? std::optional{*oldest + kLife} : std::nullopt;
}

std::optional<SendWindow::Steady> SendWindow::Opens(Steady now) {
  std::vector<std::string> over;
  for (const auto& [id, mail] : mails_)
    if (mail.entered + kLife <= now) over.push_back(id);
  for (const std::string& id : over) Leave(id);
  return mails_.size() < size_ ? std::nullopt : OldestLeaves(nullptr);
}

bool SendWindow::HasCompany(const std::string& space, Steady now) const {
  return std::ranges::any_of(last_sent_, [&](const auto& one) {
    return one.first != space && now < one.second + kCompanyLasts;
  });
}

std::optional<SendWindow::Steady> SendWindow::OpensFor(const std::string& space, bool another_waits,
                                                       Steady now) const {
  const auto taken = by_space_.find(space);
  if (taken == by_space_.end() || taken->second < (size_ + 1) / 2) return std::nullopt;
  if (!another_waits && !HasCompany(space, now)) return std::nullopt;
  return OldestLeaves(&space);
}

}  // namespace certpair::notify

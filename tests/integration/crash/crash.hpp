// An operator that is killed after its n-th write, and another that goes on where it left off: for
// each n, until one survives.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "support/certificates.hpp"
#include "support/proxied_operator_test.hpp"

namespace certpair::test {

inline constexpr std::chrono::seconds kCrashLimit{90};

class Crash : public ProxiedOperatorTest {
 protected:
  void SetUp() override;

  /// What happens, and what it comes to, be there a crash or none. Each time to a system of its
  /// own, whose name is given.
  struct Scenario {
    std::function<void(const std::string& name)> prepare;  ///< to the end, without a crash
    std::function<void(const std::string& name)> act;
    std::function<bool(const std::string& name)> done;
    int secret_writes = 1;        ///< in all, of both processes
    int automatic_issuances = 0;  ///< that the Secret counts in the end
  };
  void AfterEachWrite(const std::string& title, const Scenario& scenario);

  /// Signed by the authority `crash-ca`, and neither the first nor the last of its life.
  static x509::IssuedCertificate Made(const std::string& name, std::chrono::minutes since,
                                      std::chrono::minutes left);
  // Regeneration begins an hour before the end (`TurnOn`); none of these is in the last quarter.
  static x509::IssuedCertificate Expired(const std::string& name);
  static x509::IssuedCertificate InWindow(const std::string& name);
  static x509::IssuedCertificate Newer(const std::string& name);

  static Json SystemOf(const std::string& name);
  static void MakeItReady(const Json& system);
  /// A system that is ready, OFF, and has these two.
  void MakeItHold(const Json& system, const x509::IssuedCertificate& active,
                  const x509::IssuedCertificate* inactive = nullptr);
  /// What comes out of it lives too long to be renewed here.
  static void TurnOn(Json& system);
  static void PatchSecret(const std::string& name, const Json& patch);

  static bool IsReady(const std::string& system, const std::string& reason = {});

  /// Of the system that was made ready last.
  Pair before_;

 private:
  void StartOperator();
  bool IsKilledAfter(int writes, const std::string& name, const Scenario& scenario);
  bool Rests(const std::string& name);
  [[nodiscard]] int SecretWrites() const;
  static std::ptrdiff_t Issuances(const std::string& system);
  /// That the status remembers and the Secret, which was filled by hand, does not: the next write
  /// of the Secret counts them again (R27).
  static std::ptrdiff_t OutlivedIssuances(const std::string& system);

  std::optional<OperatorProcess> operator_;
  int looks_ = 0;
};

}  // namespace certpair::test

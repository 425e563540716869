// A visitor of a variant, written as a list of lambdas.
#pragma once

namespace certpair {

/// `std::visit(Match{[](const A&) {…}, [](const B&) {…}}, variant)`. With one case for each
/// alternative and none that takes everything, a new alternative does not compile until each place
/// handles it.
template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

}  // namespace certpair

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "crypto/otr_wire.hpp"

namespace sotto {

/// What stands before libotr (R21): it is given only whole, well-formed
/// messages from a bounded number of instances. Fragments are assembled here
/// and never reach it, so that none can make it keep anything.
class otr_guard {
 public:
  static constexpr std::size_t largest_body = 256UL * 1024;
  static constexpr std::size_t most_instances = 16;
  static constexpr unsigned most_pieces = 64;
  static constexpr std::size_t most_assembling = 256UL * 1024;

  enum class verdict {
    whole,       ///< `message` may go on
    incomplete,  ///< a piece was kept
    malformed,
    reflected,       ///< it came from our own instance
    other_instance,  ///< for another device of this account
    stray,           ///< no handshake or session with that instance here
    flood            ///< a cap was hit
  };

  struct outcome {
    verdict what = verdict::malformed;
    /// The first of its kind since something went through: say so once.
    bool first_flood = false;
    otr_kind kind = otr_kind::malformed;
    std::string message{};
  };

  /// Looks at one body that begins with `?OTR`. `own_tag` is 0 as long as
  /// this side has no key.
  outcome inspect(std::string_view body, std::uint32_t own_tag);

  /// As after construction: no instance known, nothing assembling.
  void reset();

  std::size_t instances() const noexcept { return instances_.size(); }
  std::size_t assembling_bytes() const noexcept { return assembling_; }

 private:
  struct assembly {
    unsigned last = 0;
    unsigned total = 0;
    std::string text;
  };

  outcome flood();
  outcome pass(std::string message, std::uint32_t own_tag);
  outcome keep_piece(const otr_body& piece, std::uint32_t own_tag);
  bool make_room(const otr_body& piece);
  void forget(std::uint32_t sender);
  /// What is wrong with the instance tags, if anything.
  static std::optional<verdict> misaddressed(const otr_body& body,
                                             std::uint32_t own_tag);

  std::set<std::uint32_t> instances_;
  std::map<std::uint32_t, assembly> assemblies_;
  std::size_t assembling_ = 0;
  bool flood_reported_ = false;
};

}  // namespace sotto

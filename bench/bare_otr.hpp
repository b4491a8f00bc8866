#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/ledger.hpp"
#include "bench/report.hpp"
#include "bench/scenario.hpp"
#include "crypto/otr_identity.hpp"
#include "crypto/otr_user_state.hpp"

namespace sotto::bench {

/// One side of a conversation on libotr alone, as its examples use it: the
/// yardstick for the engine.
class bare_side {
 public:
  static result<std::unique_ptr<bare_side>> open(const otr_identity& identity,
                                                 std::string contact);

  /// Asks for a private conversation.
  void start();
  /// False if libotr made no line of it.
  bool send(const std::string& text);
  /// A line from the contact; the text, if it carried one.
  std::optional<std::string> receive(const std::string& line);
  bool is_private() const;

  std::deque<std::string> out;  ///< lines for the contact, oldest first

 private:
  bare_side(otr_user_state state, std::string account, std::string contact)
      : state_(std::move(state)),
        account_(std::move(account)),
        contact_(std::move(contact)) {}
  static const OtrlMessageAppOps* callbacks();

  otr_user_state state_;
  std::string account_;
  std::string contact_;
};

/// All pairs of a run, on one thread.
class bare_pairs {
 public:
  static result<bare_pairs> open(std::size_t pairs);

  /// One handshake after the other.
  figures handshakes();
  /// One message after the other; with turns, a round over all pairs at a
  /// time.
  figures exchange(const bench_settings& settings, traffic kind);

 private:
  struct pair {
    std::unique_ptr<bare_side> left;
    std::unique_ptr<bare_side> right;
  };
  /// Delivers until both sides are quiet.
  void deliver(std::size_t number, ledger* book);
  void deliver_one(std::size_t number, bool to_left, ledger* book);

  std::vector<pair> pairs_;
  std::size_t resident_before_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace sotto::bench

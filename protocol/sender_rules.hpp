#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// Who may say what (R2). `own` is the bound full JID.

/// A roster push or answer counts only without `from` or from the own bare
/// JID (RFC 6121 section 2.1.6).
bool may_push_roster(const iq_stanza& push, const jid& own);
/// A carbon counts only if its outer `from` is the own bare JID (XEP-0280
/// section 11).
bool may_send_carbon(const jid& outer_from, const jid& own);
/// An archive result counts only from the archive that was asked and with the
/// id of a query that is open (XEP-0313).
bool may_send_archive_result(const jid& outer_from, const jid& asked_archive,
                             const std::string& query_id,
                             const std::string& open_query_id);
/// A stanza-id counts only where `by` is us, or our server says so for us
/// (XEP-0359 section 6).
bool may_assign_stanza_id(const jid& by, const jid& own);
/// A correction counts only from the full JID that sent the original
/// (XEP-0308).
bool may_correct(const jid& corrector, const jid& original_sender);

/// Our open IQ requests: an answer counts only if its id is ours and its
/// `from` is whom we asked (for the own account or server: no `from`, the own
/// bare JID, own full JID or the own domain). (RFC 6120 section 8.1.2.1)
class pending_iqs {
 public:
  static constexpr std::size_t max_open = 1'000;  ///< R5

  /// `to` is empty for requests to the own server. False: too many are open.
  bool add(const std::string& id, const jid& to, std::string purpose,
           std::chrono::steady_clock::time_point deadline);
  /// The purpose of the request that `answer` answers, which is then closed;
  /// nothing if it is not a valid answer.
  std::optional<std::string> take(const iq_stanza& answer, const jid& own);
  /// Closes and returns the purpose of one request past its deadline.
  std::optional<std::string> expired(std::chrono::steady_clock::time_point now);
  void clear() { open_.clear(); }
  std::size_t size() const noexcept { return open_.size(); }

 private:
  struct request {
    jid to;
    std::string purpose;
    std::chrono::steady_clock::time_point deadline;
  };
  std::map<std::string, request> open_;
};

}  // namespace sotto

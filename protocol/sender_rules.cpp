#include "protocol/sender_rules.hpp"

namespace sotto {
namespace {

bool is_answer(const iq_stanza& iq) {
  return iq.type == iq_type::result || iq.type == iq_type::error;
}

/// The own account, or the own server: both answer what is sent to no one.
bool is_own_side(const jid& address, const jid& own) {
  if (address.empty()) return true;
  if (address == own || address == own.bare()) return true;
  return address.domain() == own.domain() && address.local().empty() &&
         address.is_bare();
}

}  // namespace

bool may_push_roster(const iq_stanza& push, const jid& own) {
  if (own.empty()) return false;
  return push.from.empty() || push.from == own.bare();
}

bool may_send_carbon(const jid& outer_from, const jid& own) {
  return !own.empty() && outer_from == own.bare();
}

bool may_send_archive_result(const jid& outer_from, const jid& asked_archive,
                             const std::string& query_id,
                             const std::string& open_query_id) {
  return !open_query_id.empty() && query_id == open_query_id &&
         !asked_archive.empty() && outer_from == asked_archive;
}

bool may_assign_stanza_id(const jid& by, const jid& own) {
  return !own.empty() && by == own.bare();
}

bool may_correct(const jid& corrector, const jid& original_sender) {
  return !corrector.is_bare() && corrector == original_sender;
}

bool pending_iqs::add(const std::string& id, const jid& to, std::string purpose,
                      std::chrono::steady_clock::time_point deadline) {
  if (id.empty() || open_.size() >= max_open) return false;
  return open_.try_emplace(id, request{to, std::move(purpose), deadline})
      .second;
}

std::optional<std::string> pending_iqs::take(const iq_stanza& answer,
                                             const jid& own) {
  if (!is_answer(answer) || own.empty()) return {};
  const auto found = open_.find(answer.id);
  if (found == open_.end()) return {};
  const jid& asked = found->second.to;
  const bool from_whom_we_asked = is_own_side(asked, own)
                                      ? is_own_side(answer.from, own)
                                      : answer.from == asked;
  if (!from_whom_we_asked) return {};
  std::string purpose = std::move(found->second.purpose);
  open_.erase(found);
  return purpose;
}

std::optional<std::string> pending_iqs::expired(
    std::chrono::steady_clock::time_point now) {
  for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
    if (entry->second.deadline > now) continue;
    std::string purpose = std::move(entry->second.purpose);
    open_.erase(entry);
    return purpose;
  }
  return {};
}

}  // namespace sotto

#include <array>
#include <utility>

#include "crypto/otr_conversation.hpp"

namespace sotto {

namespace {

constexpr std::array policies = {
    std::pair{otr_policy::opportunistic, std::string_view("opportunistic")},
    std::pair{otr_policy::automatic, std::string_view("automatic")},
    std::pair{otr_policy::required, std::string_view("required")},
    std::pair{otr_policy::never, std::string_view("never")},
};

}  // namespace

std::string_view to_string(otr_policy policy) {
  for (const auto& [value, name] : policies) {
    if (value == policy) return name;
  }
  return "unknown";
}

std::optional<otr_policy> parse_otr_policy(std::string_view text) {
  for (const auto& [value, name] : policies) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string_view to_string(otr_state state) {
  switch (state) {
    case otr_state::plaintext:
      return "plaintext";
    case otr_state::starting:
      return "starting";
    case otr_state::timed_out:
      return "timed_out";
    case otr_state::unverified:
      return "unverified";
    case otr_state::verified:
      return "verified";
    case otr_state::finished:
      return "finished";
  }
  return "unknown";
}

std::string_view to_string(message_security security) {
  switch (security) {
    case message_security::plaintext:
      return "plaintext";
    case message_security::unverified:
      return "unverified";
    case message_security::verified:
      return "verified";
  }
  return "unknown";
}

std::string_view to_string(otr_notice notice) {
  switch (notice) {
    case otr_notice::started:
      return "started";
    case otr_notice::refreshed:
      return "refreshed";
    case otr_notice::ended_by_us:
      return "ended_by_us";
    case otr_notice::ended_by_contact:
      return "ended_by_contact";
    case otr_notice::timed_out:
      return "timed_out";
    case otr_notice::key_first_seen:
      return "key_first_seen";
    case otr_notice::key_changed:
      return "key_changed";
    case otr_notice::received_unencrypted:
      return "received_unencrypted";
    case otr_notice::unreadable:
      return "unreadable";
    case otr_notice::malformed:
      return "malformed";
    case otr_notice::not_private:
      return "not_private";
    case otr_notice::contact_error:
      return "contact_error";
    case otr_notice::reflected:
      return "reflected";
    case otr_notice::other_instance:
      return "other_instance";
    case otr_notice::refused_version:
      return "refused_version";
    case otr_notice::refused_by_policy:
      return "refused_by_policy";
    case otr_notice::flood:
      return "flood";
    case otr_notice::setup_error:
      return "setup_error";
  }
  return "unknown";
}

}  // namespace sotto

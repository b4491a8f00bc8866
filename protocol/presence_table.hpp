#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// One available resource of a contact.
struct resource_presence {
  std::string resource;
  presence_show show = presence_show::none;
  std::string status;
  int priority = 0;

  friend bool operator==(const resource_presence&,
                         const resource_presence&) = default;
};

/// Who is available, with which resources (RFC 6121 section 4). Pure.
class presence_table {
 public:
  static constexpr std::size_t max_contacts = 20'000;  ///< R5
  static constexpr std::size_t max_resources = 32;     ///< of one contact, R5
  static constexpr std::size_t max_entries = 30'000;   ///< of all, R5
  static constexpr std::size_t max_status = 512;       ///< bytes, R5

  /// Applies available and unavailable; true if anything changed. What goes
  /// beyond the caps is ignored; a longer status is cut. Unavailable from a
  /// bare JID is about all of its resources (RFC 6121 section 4.3.2.1).
  bool apply(const presence_stanza& incoming);
  /// The link is gone: nobody's presence is known.
  void clear();

  /// Available resources, best first (priority, then availability, then
  /// name); empty if none.
  std::vector<resource_presence> of(const jid& bare) const;
  /// The resource to talk to first; nothing while unavailable.
  std::optional<resource_presence> best(const jid& bare) const;
  bool available(const jid& full) const;

 private:
  bool add(const jid& from, resource_presence now);
  bool remove(const jid& from);

  std::map<jid, std::map<std::string, resource_presence>> resources_;
  std::size_t entries_ = 0;
};

/// The word for a contact's presence: "available", "chat", "away", "xa",
/// "dnd", or "unavailable" for nothing.
std::string_view presence_word(const std::optional<resource_presence>& best);

}  // namespace sotto

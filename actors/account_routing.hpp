#pragma once

#include <set>
#include <string>
#include <string_view>

#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// What an account does with a message that came in.
enum class message_route {
  converse,  ///< a text or OTR line for the conversation
  bounce,    ///< one of our messages came back
  late_otr,  ///< OTR that was stored on the way: of no use any more (R21)
  ignore     ///< nothing for a conversation
};
message_route route_of(const message_stanza& message);

/// Whose handshakes may be answered (R21): contacts who see our presence, or
/// whose presence we asked for. Follows the server's roster.
class consent_list {
 public:
  void restore(const roster_item& item) { push(item); }
  void reset(const roster_query& full);
  void push(const roster_item& item);
  bool contains(const jid& bare) const { return consented_.contains(bare); }

 private:
  std::set<jid> consented_;
};

/// The message stanza that carries one line to a contact: OTR lines get the
/// tags of XEP-0364 section 4 (no copies, no storing) and XEP-0380.
message_stanza stanza_for(const std::string& line, const jid& to,
                          std::string id);

/// The answer to a request that somebody else sent us (XEP-0199, XEP-0030;
/// RFC 6120 section 8.2.3 wants an error for the rest).
iq_stanza answer_to(const iq_stanza& request);

}  // namespace sotto

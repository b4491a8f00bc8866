#include "actors/account_routing.hpp"

#include "protocol/namespaces.hpp"

namespace sotto {

namespace {

bool is_otr(std::string_view body) { return body.starts_with("?OTR"); }

/// A data message may be read while its session stands; anything else of OTR
/// (query, handshake, error, fragment) has had its time.
bool is_otr_data(std::string_view body) {
  return body.starts_with("?OTR:AAMD") || body.starts_with("?OTR:AAID");
}

}  // namespace

message_route route_of(const message_stanza& message) {
  if (message.type == message_type::error) return message_route::bounce;
  if (message.type == message_type::groupchat || !message.body ||
      message.is_carbon || message.is_archived)
    return message_route::ignore;
  if (message.delay && is_otr(*message.body) && !is_otr_data(*message.body))
    return message_route::late_otr;
  return message_route::converse;
}

void consent_list::reset(const roster_query& full) {
  consented_.clear();
  for (const auto& item : full.items) push(item);
}

void consent_list::push(const roster_item& item) {
  const bool consents = item.ask_subscribe ||
                        item.subscribed == subscription::to ||
                        item.subscribed == subscription::from ||
                        item.subscribed == subscription::both;
  if (consents)
    consented_.insert(item.address);
  else
    consented_.erase(item.address);
}

message_stanza stanza_for(const std::string& line, const jid& to,
                          std::string id) {
  message_stanza message;
  message.to = to;
  message.id = std::move(id);
  message.origin_id = message.id;
  message.type = message_type::chat;
  message.body = line;
  if (is_otr(line)) {
    message.encryption_ns = ns::otr;
    message.encryption_name = "OTR";
    message.hints.no_copy = true;
    message.hints.no_permanent_store = true;
    message.hints.private_copy = true;
  }
  return message;
}

iq_stanza answer_to(const iq_stanza& request) {
  iq_stanza answer;
  answer.to = request.from;
  answer.id = request.id;
  answer.type = iq_type::result;
  const auto* info = std::get_if<info_query>(&request.payload);
  if (std::holds_alternative<ping_query>(request.payload) &&
      request.type == iq_type::get)
    return answer;
  if (info != nullptr && info->ns == ns::disco_info &&
      request.type == iq_type::get) {
    answer.payload =
        disco_info{info->node, {ns::disco_info, ns::ping, ns::otr}};
    return answer;
  }
  answer.type = iq_type::error;
  answer.error = stanza_error{"cancel", "service-unavailable", {}};
  return answer;
}

}  // namespace sotto

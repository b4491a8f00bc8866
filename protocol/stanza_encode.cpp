#include "protocol/stanza_codec.hpp"

#include "protocol/namespaces.hpp"
#include "protocol/time_stamp.hpp"
#include "protocol/xml_writer.hpp"

namespace sotto {
namespace {

template <class Stanza>
void write_addresses(xml_writer& out, const Stanza& from_stanza) {
  out.attribute_if_any("from", from_stanza.from.str());
  out.attribute_if_any("to", from_stanza.to.str());
  out.attribute_if_any("id", from_stanza.id);
}

/// The conditions of RFC 6120 section 8.3.3; anything else leaves as
/// undefined-condition, for a name cannot be escaped.
void write_condition(xml_writer& error, std::string_view condition) {
  static constexpr xml_constant known[] = {"bad-request",
                                           "conflict",
                                           "feature-not-implemented",
                                           "forbidden",
                                           "gone",
                                           "internal-server-error",
                                           "item-not-found",
                                           "jid-malformed",
                                           "not-acceptable",
                                           "not-allowed",
                                           "not-authorized",
                                           "policy-violation",
                                           "recipient-unavailable",
                                           "redirect",
                                           "registration-required",
                                           "remote-server-not-found",
                                           "remote-server-timeout",
                                           "resource-constraint",
                                           "service-unavailable",
                                           "subscription-required",
                                           "unexpected-request"};
  for (const xml_constant& name : known) {
    if (name.view() != condition) continue;
    error.empty_child(name, ns::stanza_errors);
    return;
  }
  error.empty_child("undefined-condition", ns::stanza_errors);
}

void write_error(xml_writer& parent, const std::optional<stanza_error>& what) {
  if (!what) return;
  xml_writer error{parent.content(), "error"};
  error.attribute("type", what->type.empty() ? "cancel" : what->type);
  write_condition(error, what->condition);
  if (what->text.empty()) return;
  xml_writer text{error.content(), "text", ns::stanza_errors};
  text.text(what->text);
}

void write_type(xml_writer& out, message_type type) {
  switch (type) {
    case message_type::normal:
      return;  // the default
    case message_type::chat:
      return out.constant_attribute("type", "chat");
    case message_type::groupchat:
      return out.constant_attribute("type", "groupchat");
    case message_type::headline:
      return out.constant_attribute("type", "headline");
    case message_type::error:
      return out.constant_attribute("type", "error");
  }
}

void write_hints(xml_writer& message, const message_hints& hints) {
  if (hints.no_copy) message.empty_child("no-copy", ns::hints);
  if (hints.no_store) message.empty_child("no-store", ns::hints);
  if (hints.no_permanent_store)
    message.empty_child("no-permanent-store", ns::hints);
  if (hints.private_copy) message.empty_child("private", ns::carbons);
}

void write_receipts(xml_writer& message, const message_stanza& what) {
  if (what.receipt_request) message.empty_child("request", ns::receipts);
  if (what.receipt_for.empty()) return;
  xml_writer received{message.content(), "received", ns::receipts};
  received.attribute("id", what.receipt_for);
}

void write_ids_and_delay(xml_writer& message, const message_stanza& what) {
  if (!what.origin_id.empty()) {
    xml_writer origin{message.content(), "origin-id", ns::stanza_ids};
    origin.attribute("id", what.origin_id);
  }
  if (!what.encryption_ns.empty()) {
    xml_writer encryption{message.content(), "encryption", ns::encryption};
    encryption.attribute("namespace", what.encryption_ns);
    encryption.attribute_if_any("name", what.encryption_name);
  }
  if (!what.delay) return;
  xml_writer delay{message.content(), "delay", ns::delay};
  delay.attribute_if_any("from", what.delay_from);
  delay.attribute("stamp", format_time_stamp(*what.delay));
}

void write(std::string& out, const message_stanza& what) {
  xml_writer message{out, "message"};
  write_addresses(message, what);
  write_type(message, what.type);
  if (what.body) message.text_child("body", *what.body);
  message.text_child_if_any("thread", what.thread);
  write_ids_and_delay(message, what);
  write_receipts(message, what);
  write_hints(message, what.hints);
  write_error(message, what.error);
}

void write_type(xml_writer& out, presence_type type) {
  switch (type) {
    case presence_type::available:
      return;  // the default
    case presence_type::unavailable:
      return out.constant_attribute("type", "unavailable");
    case presence_type::subscribe:
      return out.constant_attribute("type", "subscribe");
    case presence_type::subscribed:
      return out.constant_attribute("type", "subscribed");
    case presence_type::unsubscribe:
      return out.constant_attribute("type", "unsubscribe");
    case presence_type::unsubscribed:
      return out.constant_attribute("type", "unsubscribed");
    case presence_type::probe:
      return out.constant_attribute("type", "probe");
    case presence_type::error:
      return out.constant_attribute("type", "error");
  }
}

std::string_view show_word(presence_show show) {
  switch (show) {
    case presence_show::chat:
      return "chat";
    case presence_show::away:
      return "away";
    case presence_show::xa:
      return "xa";
    case presence_show::dnd:
      return "dnd";
    case presence_show::none:
      break;
  }
  return {};
}

void write(std::string& out, const presence_stanza& what) {
  xml_writer presence{out, "presence"};
  write_addresses(presence, what);
  write_type(presence, what.type);
  presence.text_child_if_any("show", show_word(what.show));
  presence.text_child_if_any("status", what.status);
  if (what.priority != 0)
    presence.text_child("priority", std::to_string(what.priority));
  write_error(presence, what.error);
}

void write_item(xml_writer& query, const roster_item& what) {
  xml_writer item{query.content(), "item"};
  item.attribute("jid", what.address.str());
  item.attribute_if_any("name", what.name);
  switch (what.subscribed) {
    case subscription::none:
      break;  // the default
    case subscription::to:
      item.constant_attribute("subscription", "to");
      break;
    case subscription::from:
      item.constant_attribute("subscription", "from");
      break;
    case subscription::both:
      item.constant_attribute("subscription", "both");
      break;
    case subscription::remove:
      item.constant_attribute("subscription", "remove");
      break;
  }
  if (what.ask_subscribe) item.constant_attribute("ask", "subscribe");
  for (const std::string& group : what.groups) item.text_child("group", group);
}

void write_payload(xml_writer&, const std::monostate&) {}

void write_payload(xml_writer& iq, const roster_query& what) {
  xml_writer query{iq.content(), "query", ns::roster};
  query.attribute_if_any("ver", what.version);
  for (const roster_item& item : what.items) write_item(query, item);
}

void write_payload(xml_writer& iq, const ping_query&) {
  iq.empty_child("ping", ns::ping);
}

void write_payload(xml_writer& iq, const info_query& what) {
  if (what.ns == ns::version) return iq.empty_child("query", ns::version);
  if (what.ns != ns::disco_info) return;
  xml_writer query{iq.content(), "query", ns::disco_info};
  query.attribute_if_any("node", what.node);
}

void write_payload(xml_writer& iq, const disco_info& what) {
  xml_writer query{iq.content(), "query", ns::disco_info};
  query.attribute_if_any("node", what.node);
  {
    xml_writer identity{query.content(), "identity"};
    identity.constant_attribute("category", "client");
    identity.constant_attribute("type", "pc");
    identity.constant_attribute("name", "Sotto");
  }
  for (const std::string& name : what.features) {
    xml_writer feature{query.content(), "feature"};
    feature.attribute("var", name);
  }
}

/// Its names are not ours, so there is nothing that may be written.
void write_payload(xml_writer&, const unknown_payload&) {}

void write_type(xml_writer& out, iq_type type) {
  switch (type) {
    case iq_type::get:
      return out.constant_attribute("type", "get");
    case iq_type::set:
      return out.constant_attribute("type", "set");
    case iq_type::result:
      return out.constant_attribute("type", "result");
    case iq_type::error:
      return out.constant_attribute("type", "error");
  }
}

void write(std::string& out, const iq_stanza& what) {
  xml_writer iq{out, "iq"};
  write_addresses(iq, what);
  write_type(iq, what.type);
  std::visit([&iq](const auto& payload) { write_payload(iq, payload); },
             what.payload);
  write_error(iq, what.error);
}

}  // namespace

std::string encode(const stanza& outgoing) {
  std::string out;
  std::visit([&out](const auto& what) { write(out, what); }, outgoing);
  return out;
}

}  // namespace sotto

#include "protocol/stanza_codec.hpp"

#include <charconv>
#include <set>
#include <utility>

#include "protocol/namespaces.hpp"
#include "protocol/sender_rules.hpp"
#include "protocol/time_stamp.hpp"
#include "protocol/xml_element.hpp"

namespace sotto {
namespace {

error unusable(errc code, std::string_view what, std::string_view why) {
  std::string text{"A "};
  text += what;
  text += " from the server was ignored: ";
  text += why;
  text += '.';
  return {code, std::move(text)};
}

/// An address attribute: empty without one, an error if it is no JID.
result<jid> read_address(const xml_element& element, const char* attribute) {
  const auto text = element.attribute(attribute);
  if (!text) return jid{};
  return jid::parse(*text);
}

/// Reads `from`, `to` and `id`.
template <class Stanza>
result<void> read_addresses(const xml_element& element, Stanza& into) {
  auto from = read_address(element, "from");
  if (!from)
    return unusable(errc::protocol, element.name(),
                    "its sender's address is not valid");
  auto to = read_address(element, "to");
  if (!to)
    return unusable(errc::protocol, element.name(),
                    "its receiver's address is not valid");
  into.from = std::move(*from);
  into.to = std::move(*to);
  into.id = element.attribute_or_empty("id");
  return {};
}

std::string error_type(const xml_element& error) {
  std::string type = error.attribute_or_empty("type");
  for (std::string_view known :
       {"auth", "cancel", "continue", "modify", "wait"})
    if (type == known) return type;
  return "cancel";
}

stanza_error read_error(const xml_element& element) {
  const xml_element error = element.child("error", ns::client);
  stanza_error found{error_type(error), "undefined-condition", ""};
  bool named = false;
  error.each_child([&](const xml_element& child) {
    if (named || child.ns() != ns::stanza_errors || child.name() == "text" ||
        !is_plain_name(child.name()))
      return;
    found.condition = child.name();
    named = true;
  });
  found.text = error.child("text", ns::stanza_errors).text();
  return found;
}

// Messages.

message_type read_message_type(std::string_view word) {
  if (word == "chat") return message_type::chat;
  if (word == "groupchat") return message_type::groupchat;
  if (word == "headline") return message_type::headline;
  if (word == "error") return message_type::error;
  return message_type::normal;  // RFC 6121 section 5.2.2: also if unknown
}

/// A `<delay/>` without a usable stamp still says that the message was stored
/// on its way; it then counts as of now.
void read_delay(const xml_element& parent, const decode_context& context,
                message_stanza& into) {
  const xml_element delay = parent.child("delay", ns::delay);
  if (!delay) return;
  const auto stamp = parse_time_stamp(
      delay.attribute("stamp").value_or(std::string_view{}), context.now);
  into.delay = stamp.value_or(context.now);
  const auto from = read_address(delay, "from");
  into.delay_from = from ? from->str() : std::string{};
}

message_hints read_hints(const xml_element& message) {
  const auto has = [&message](const char* name, const char* ns) {
    return static_cast<bool>(message.child(name, ns));
  };
  return {has("no-copy", ns::hints), has("no-store", ns::hints),
          has("no-permanent-store", ns::hints), has("private", ns::carbons)};
}

/// A message as it stands, blind to any wrapper within.
result<message_stanza> read_message(const xml_element& element,
                                    const decode_context& context) {
  message_stanza message;
  if (auto read = read_addresses(element, message); !read)
    return read.failure();
  message.type =
      read_message_type(element.attribute("type").value_or(std::string_view{}));
  if (const auto body = element.child("body", ns::client))
    message.body = body.text();
  message.thread = element.child("thread", ns::client).text();
  message.origin_id =
      element.child("origin-id", ns::stanza_ids).attribute_or_empty("id");
  const auto encryption = element.child("encryption", ns::encryption);
  message.encryption_ns = encryption.attribute_or_empty("namespace");
  message.encryption_name = encryption.attribute_or_empty("name");
  message.hints = read_hints(element);
  message.receipt_request =
      static_cast<bool>(element.child("request", ns::receipts));
  message.receipt_for =
      element.child("received", ns::receipts).attribute_or_empty("id");
  read_delay(element, context, message);
  if (message.type == message_type::error) message.error = read_error(element);
  return message;
}

/// The message within `<forwarded/>` (XEP-0297), with the time that the
/// forwarder gives.
result<message_stanza> read_forwarded(const xml_element& wrapper,
                                      const decode_context& context) {
  const xml_element forwarded = wrapper.child("forwarded", ns::forward);
  const xml_element inner = forwarded.child("message", ns::client);
  if (!inner)
    return unusable(errc::protocol, "message",
                    "it wraps a message that is not there");
  auto message = read_message(inner, context);
  if (message) read_delay(forwarded, context, *message);
  return message;
}

result<message_stanza> read_carbon(const xml_element& carbon,
                                   const jid& outer_from,
                                   const decode_context& context) {
  if (!may_send_carbon(outer_from, context.own))
    return unusable(errc::refused, "message",
                    "it is a copy (XEP-0280) that did not come from the own "
                    "account");
  auto message = read_forwarded(carbon, context);
  if (!message) return message;
  if (carbon.name() == "sent" && message->from.bare() != context.own.bare())
    return unusable(errc::refused, "message",
                    "it is a copy (XEP-0280) of what the own account sent, "
                    "but names another sender");
  message->is_carbon = true;
  message->outer_from = outer_from;
  return message;
}

result<message_stanza> read_archived(const xml_element& archived,
                                     const jid& outer_from,
                                     const decode_context& context) {
  const jid& archive = context.asked_archive.empty() ? context.own.bare()
                                                     : context.asked_archive;
  if (!may_send_archive_result(outer_from, archive,
                               archived.attribute_or_empty("queryid"),
                               context.open_archive_query))
    return unusable(errc::refused, "message",
                    "it is an archive result (XEP-0313) that was not asked "
                    "for");
  auto message = read_forwarded(archived, context);
  if (!message) return message;
  message->is_archived = true;
  message->outer_from = outer_from;
  return message;
}

/// `<sent/>` or `<received/>` of XEP-0280, whichever stands first.
xml_element find_carbon(const xml_element& message) {
  for (xml_element c = message.first_child(); c; c = c.next_sibling())
    if (c.is("sent", ns::carbons) || c.is("received", ns::carbons)) return c;
  return {};
}

result<message_stanza> read_any_message(const xml_element& element,
                                        const decode_context& context) {
  const xml_element carbon = find_carbon(element);
  const xml_element archived = element.child("result", ns::archive);
  if (!carbon && !archived) return read_message(element, context);
  const auto outer_from = read_address(element, "from");
  if (!outer_from)
    return unusable(errc::protocol, "message",
                    "its sender's address is not valid");
  if (carbon) return read_carbon(carbon, *outer_from, context);
  return read_archived(archived, *outer_from, context);
}

// Presence.

std::optional<presence_type> read_presence_type(
    std::optional<std::string_view> word) {
  if (!word) return presence_type::available;
  if (word == "unavailable") return presence_type::unavailable;
  if (word == "subscribe") return presence_type::subscribe;
  if (word == "subscribed") return presence_type::subscribed;
  if (word == "unsubscribe") return presence_type::unsubscribe;
  if (word == "unsubscribed") return presence_type::unsubscribed;
  if (word == "probe") return presence_type::probe;
  if (word == "error") return presence_type::error;
  return {};
}

presence_show read_show(std::string_view word) {
  if (word == "chat") return presence_show::chat;
  if (word == "away") return presence_show::away;
  if (word == "xa") return presence_show::xa;
  if (word == "dnd") return presence_show::dnd;
  return presence_show::none;
}

/// RFC 6121 section 4.7.2.3: -128 to 127; 0 if it is anything else.
int read_priority(std::string_view text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  const bool usable =
      problem == std::errc{} && stop == end && value >= -128 && value <= 127;
  return usable ? value : 0;
}

result<presence_stanza> read_presence(const xml_element& element) {
  const auto type = read_presence_type(element.attribute("type"));
  if (!type)
    return unusable(errc::protocol, "presence", "its type is not known");
  presence_stanza presence;
  if (auto read = read_addresses(element, presence); !read)
    return read.failure();
  presence.type = *type;
  presence.show = read_show(element.child("show", ns::client).trimmed_text());
  presence.status = element.child("status", ns::client).text();
  presence.priority =
      read_priority(element.child("priority", ns::client).trimmed_text());
  if (*type == presence_type::error) presence.error = read_error(element);
  return presence;
}

// IQ.

std::optional<iq_type> read_iq_type(
    const std::optional<std::string_view>& word) {
  if (word == "get") return iq_type::get;
  if (word == "set") return iq_type::set;
  if (word == "result") return iq_type::result;
  if (word == "error") return iq_type::error;
  return {};
}

std::optional<subscription> read_subscription(
    const std::optional<std::string_view>& word) {
  if (!word || word == "none") return subscription::none;
  if (word == "to") return subscription::to;
  if (word == "from") return subscription::from;
  if (word == "both") return subscription::both;
  if (word == "remove") return subscription::remove;
  return {};
}

std::vector<std::string> read_groups(const xml_element& item) {
  std::vector<std::string> groups;
  std::set<std::string> seen;
  item.each_child([&](const xml_element& child) {
    if (!child.is("group", ns::roster)) return;
    std::string name = child.text();
    if (!name.empty() && seen.insert(name).second)
      groups.push_back(std::move(name));
  });
  return groups;
}

/// An item that cannot be used is nothing: one of them must not cost the
/// whole roster.
std::optional<roster_item> read_item(const xml_element& element) {
  const auto address = read_address(element, "jid");
  const auto subscribed = read_subscription(element.attribute("subscription"));
  if (!address || address->empty() || !subscribed) return {};
  return roster_item{address->bare(), element.attribute_or_empty("name"),
                     read_groups(element), *subscribed,
                     element.attribute("ask") == "subscribe"};
}

roster_query read_roster(const xml_element& query) {
  roster_query roster;
  roster.version = query.attribute_or_empty("ver");
  std::set<jid> seen;
  query.each_child([&](const xml_element& child) {
    if (!child.is("item", ns::roster)) return;
    auto item = read_item(child);
    if (item && seen.insert(item->address).second)
      roster.items.push_back(std::move(*item));
  });
  return roster;
}

disco_info read_disco_info(const xml_element& query) {
  disco_info info;
  info.node = query.attribute_or_empty("node");
  query.each_child([&info](const xml_element& child) {
    if (child.is("feature", ns::disco_info))
      info.features.push_back(child.attribute_or_empty("var"));
  });
  return info;
}

iq_payload read_payload(const xml_element& payload, iq_type type) {
  if (payload.is("query", ns::roster)) return read_roster(payload);
  if (payload.is("ping", ns::ping)) return ping_query{};
  if (payload.is("query", ns::disco_info) && type == iq_type::result)
    return read_disco_info(payload);
  if (payload.is("query", ns::disco_info) || payload.is("query", ns::version))
    return info_query{std::string{payload.ns()},
                      payload.attribute_or_empty("node")};
  return unknown_payload{std::string{payload.name()},
                         std::string{payload.ns()}};
}

/// The first child that is not the error.
xml_element find_payload(const xml_element& iq) {
  xml_element child = iq.first_child();
  while (child.is("error", ns::client)) child = child.next_sibling();
  return child;
}

result<iq_stanza> read_iq(const xml_element& element) {
  const auto type = read_iq_type(element.attribute("type"));
  if (!type) return unusable(errc::protocol, "iq", "its type is not known");
  iq_stanza iq;
  if (auto read = read_addresses(element, iq); !read) return read.failure();
  if (iq.id.empty()) return unusable(errc::protocol, "iq", "it has no id");
  iq.type = *type;
  if (const auto payload = find_payload(element))
    iq.payload = read_payload(payload, *type);
  if (*type == iq_type::error) iq.error = read_error(element);
  return iq;
}

template <class Stanza>
result<stanza> widen(result<Stanza> read) {
  if (!read) return read.failure();
  return stanza{std::move(*read)};
}

}  // namespace

result<stanza> decode(const _xmpp_stanza_t* raw,
                      const decode_context& context) {
  const xml_element element{raw};
  if (element.is("message", ns::client))
    return widen(read_any_message(element, context));
  if (element.is("presence", ns::client)) return widen(read_presence(element));
  if (element.is("iq", ns::client)) return widen(read_iq(element));
  return unusable(errc::protocol, "stanza",
                  "it is neither message nor presence nor iq");
}

}  // namespace sotto

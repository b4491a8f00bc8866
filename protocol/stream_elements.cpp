#include "protocol/stanza_codec.hpp"

#include "protocol/namespaces.hpp"
#include "protocol/xml_element.hpp"
#include "protocol/xml_writer.hpp"

namespace sotto {
namespace {

constexpr std::size_t max_mechanisms = 64;

/// RFC 4422 section 3.1: 1 to 20 of A-Z, 0-9, '-' and '_'.
bool is_mechanism_name(std::string_view text) {
  if (text.empty() || text.size() > 20) return false;
  for (char c : text) {
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!fits) return false;
  }
  return true;
}

std::vector<std::string> read_mechanisms(const xml_element& features) {
  std::vector<std::string> names;
  const auto list = features.child("mechanisms", ns::sasl);
  list.each_child([&names](const xml_element& child) {
    if (!child.is("mechanism", ns::sasl)) return;
    std::string name = child.trimmed_text();
    if (names.size() < max_mechanisms && is_mechanism_name(name))
      names.push_back(std::move(name));
  });
  return names;
}

stream_features read_features(const xml_element& element) {
  const auto has = [&element](const char* name, const char* ns) {
    return static_cast<bool>(element.child(name, ns));
  };
  const auto starttls = element.child("starttls", ns::tls);
  const auto session = element.child("session", ns::session);
  stream_features features;
  features.starttls = static_cast<bool>(starttls);
  features.starttls_required =
      static_cast<bool>(starttls.child("required", ns::tls));
  features.mechanisms = read_mechanisms(element);
  features.bind = has("bind", ns::bind);
  features.session = static_cast<bool>(session);
  features.session_optional =
      static_cast<bool>(session.child("optional", ns::session));
  features.stream_management = has("sm", ns::stream_management);
  features.roster_versioning = has("ver", ns::roster_versioning);
  features.registration = has("register", ns::registration);
  return features;
}

/// The name of the first child in `ns` that is no text.
std::string read_condition(const xml_element& element, std::string_view ns) {
  for (auto c = element.first_child(); c; c = c.next_sibling())
    if (c.ns() == ns && c.name() != "text" && is_plain_name(c.name()))
      return std::string{c.name()};
  return "undefined-condition";
}

std::optional<stream_element> read_iq_answer(const xml_element& element) {
  login_answer answer;
  answer.id = element.attribute_or_empty("id");
  const auto type = element.attribute("type");
  answer.is_error = type == "error";
  if (answer.id.empty() || (!answer.is_error && type != "result")) return {};
  if (answer.is_error)
    answer.condition =
        read_condition(element.child("error", ns::client), ns::stanza_errors);
  else
    answer.bound =
        element.child("bind", ns::bind).child("jid", ns::bind).trimmed_text();
  return answer;
}

std::optional<stream_element> read_sasl(const xml_element& element) {
  if (element.name() == "challenge")
    return sasl_challenge{element.trimmed_text()};
  if (element.name() == "success") return sasl_success{element.trimmed_text()};
  if (element.name() == "failure")
    return sasl_failure{read_condition(element, ns::sasl),
                        element.child("text", ns::sasl).text()};
  return {};
}

}  // namespace

std::optional<stream_element> decode_stream_element(const _xmpp_stanza_t* raw) {
  const xml_element element{raw};
  if (element.is("features", ns::streams)) return read_features(element);
  if (element.is("proceed", ns::tls)) return tls_proceed{};
  if (element.is("failure", ns::tls)) return tls_failure{};
  if (element.ns() == ns::sasl) return read_sasl(element);
  if (element.is("error", ns::streams))
    return stream_error{read_condition(element, ns::stream_errors),
                        element.child("text", ns::stream_errors).text()};
  if (element.is("iq", ns::client)) return read_iq_answer(element);
  return {};
}

std::string encode_starttls() {
  std::string out;
  { const xml_writer starttls{out, "starttls", ns::tls}; }
  return out;
}

std::string encode_sasl_auth(std::string_view mechanism,
                             const std::optional<std::string>& initial) {
  std::string out;
  {
    xml_writer auth{out, "auth", ns::sasl};
    auth.attribute("mechanism", mechanism);
    if (initial) auth.text(initial->empty() ? "=" : *initial);
  }
  return out;
}

std::string encode_sasl_response(std::string_view text) {
  std::string out;
  {
    xml_writer response{out, "response", ns::sasl};
    if (!text.empty()) response.text(text);
  }
  return out;
}

std::string encode_sasl_abort() {
  std::string out;
  { const xml_writer abort{out, "abort", ns::sasl}; }
  return out;
}

std::string encode_bind(std::string_view id, std::string_view resource) {
  std::string out;
  {
    xml_writer iq{out, "iq"};
    iq.constant_attribute("type", "set");
    iq.attribute("id", id);
    xml_writer bind{iq.content(), "bind", ns::bind};
    bind.text_child_if_any("resource", resource);
  }
  return out;
}

std::string encode_session(std::string_view id) {
  std::string out;
  {
    xml_writer iq{out, "iq"};
    iq.constant_attribute("type", "set");
    iq.attribute("id", id);
    iq.empty_child("session", ns::session);
  }
  return out;
}

std::string encode_ping(std::string_view id) {
  iq_stanza ping;
  ping.id = id;
  ping.payload = ping_query{};
  return encode(ping);
}

}  // namespace sotto

#pragma once

#include <strophe.h>

#include <memory>
#include <string>

namespace sotto::test {

struct context_deleter {
  void operator()(xmpp_ctx_t* context) const { xmpp_ctx_free(context); }
};
struct element_deleter {
  void operator()(xmpp_stanza_t* element) const {
    xmpp_stanza_release(element);
  }
};
using parsed_element = std::unique_ptr<xmpp_stanza_t, element_deleter>;

/// Parses as libstrophe does for a stream; empty if it is not well-formed.
inline parsed_element parse_xml(const std::string& xml) {
  static const std::unique_ptr<xmpp_ctx_t, context_deleter> context{
      xmpp_ctx_new(nullptr, nullptr)};
  return parsed_element{
      xmpp_stanza_new_from_string(context.get(), xml.c_str())};
}

/// A stanza as it stands in a stream, made to stand alone.
inline std::string standalone(std::string stanza) {
  const auto end_of_name = stanza.find_first_of(" />", 1);
  return stanza.insert(end_of_name, " xmlns='jabber:client'");
}

}  // namespace sotto::test

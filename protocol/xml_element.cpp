#include "protocol/xml_element.hpp"

#include <strophe.h>

#include <algorithm>

namespace sotto {
namespace {

/// libstrophe's getters change nothing but take no const.
xmpp_stanza_t* mutable_form(const _xmpp_stanza_t* element) {
  return const_cast<xmpp_stanza_t*>(element);
}

std::string_view view_of(const char* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

/// The element itself, or the next element behind it.
const _xmpp_stanza_t* skip_text(xmpp_stanza_t* node) {
  while (node != nullptr && xmpp_stanza_is_tag(node) == 0)
    node = xmpp_stanza_get_next(node);
  return node;
}

}  // namespace

std::string_view xml_element::name() const {
  if (!element_) return {};
  return view_of(xmpp_stanza_get_name(mutable_form(element_)));
}

std::string_view xml_element::ns() const {
  if (!element_) return {};
  return view_of(xmpp_stanza_get_ns(mutable_form(element_)));
}

bool xml_element::is(std::string_view wanted_name,
                     std::string_view wanted_ns) const {
  return element_ != nullptr && name() == wanted_name && ns() == wanted_ns;
}

std::optional<std::string_view> xml_element::attribute(
    const char* wanted) const {
  if (!element_) return {};
  const char* value = xmpp_stanza_get_attribute(mutable_form(element_), wanted);
  if (value == nullptr) return {};
  return value;
}

std::string xml_element::attribute_or_empty(const char* wanted) const {
  return std::string{attribute(wanted).value_or(std::string_view{})};
}

std::string xml_element::text() const {
  std::string text;
  if (!element_) return text;
  for (auto* node = xmpp_stanza_get_children(mutable_form(element_));
       node != nullptr; node = xmpp_stanza_get_next(node)) {
    if (xmpp_stanza_is_text(node) != 0)
      text += view_of(xmpp_stanza_get_text_ptr(node));
  }
  return text;
}

std::string xml_element::trimmed_text() const {
  constexpr const char* white = " \t\r\n";
  std::string all = text();
  const auto first = all.find_first_not_of(white);
  if (first == std::string::npos) return {};
  return all.substr(first, all.find_last_not_of(white) - first + 1);
}

xml_element xml_element::first_child() const {
  if (!element_) return {};
  return xml_element{
      skip_text(xmpp_stanza_get_children(mutable_form(element_)))};
}

xml_element xml_element::next_sibling() const {
  if (!element_) return {};
  return xml_element{skip_text(xmpp_stanza_get_next(mutable_form(element_)))};
}

xml_element xml_element::child(std::string_view wanted_name,
                               std::string_view wanted_ns) const {
  for (xml_element c = first_child(); c; c = c.next_sibling())
    if (c.is(wanted_name, wanted_ns)) return c;
  return {};
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace sotto

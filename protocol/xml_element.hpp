#pragma once

#include <optional>
#include <string>
#include <string_view>

struct _xmpp_stanza_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// A read-only view of an element (or of nothing) that libstrophe parsed;
/// valid as long as libstrophe's own tree. Everything is nothing or empty
/// where there is no element.
class xml_element {
 public:
  xml_element() = default;
  explicit xml_element(const _xmpp_stanza_t* element) : element_(element) {}

  explicit operator bool() const noexcept { return element_ != nullptr; }

  std::string_view name() const;
  /// The namespace that is in force for the element itself.
  std::string_view ns() const;
  bool is(std::string_view name, std::string_view ns) const;

  std::optional<std::string_view> attribute(const char* name) const;
  /// The attribute, or "" without one.
  std::string attribute_or_empty(const char* name) const;
  /// All text directly within.
  std::string text() const;
  /// As `text`, without white space around it.
  std::string trimmed_text() const;

  xml_element first_child() const;
  xml_element next_sibling() const;
  /// The first child so named.
  xml_element child(std::string_view name, std::string_view ns) const;

  /// Calls `visit(xml_element)` for each child element.
  template <class Visit>
  void each_child(Visit visit) const {
    for (xml_element c = first_child(); c; c = c.next_sibling()) visit(c);
  }

 private:
  const _xmpp_stanza_t* element_ = nullptr;
};

/// Whether `text` may be shown as the name of a condition: 1 to 64 of a-z, A-Z,
/// 0-9, '-', '_' and '.'.
bool is_plain_name(std::string_view text);

}  // namespace sotto

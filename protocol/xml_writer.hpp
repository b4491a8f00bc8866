#pragma once

#include <string>
#include <string_view>

#include "protocol/outgoing_text.hpp"

namespace sotto {

/// A name or namespace in outgoing XML. Only a constant of the program can be
/// one, since names cannot be escaped.
class xml_constant {
 public:
  template <std::size_t Size>
  consteval xml_constant(const char (&text)[Size]) : text_(text, Size - 1) {}
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// Writes one element to the end of `out`: attributes first, then content;
/// the destructor ends the element. Values and text are filtered and escaped.
class xml_writer {
 public:
  xml_writer(std::string& out, xml_constant name)
      : out_(out), name_(name.view()) {
    out_ += '<';
    out_ += name_;
  }
  xml_writer(std::string& out, xml_constant name, xml_constant ns)
      : xml_writer(out, name) {
    constant_attribute("xmlns", ns);
  }
  ~xml_writer() {
    if (!has_content_) {
      out_ += "/>";
      return;
    }
    out_ += "</";
    out_ += name_;
    out_ += '>';
  }
  xml_writer(const xml_writer&) = delete;
  xml_writer& operator=(const xml_writer&) = delete;

  void attribute(xml_constant name, std::string_view value) {
    write_attribute(name.view(), escape_outgoing(value));
  }
  /// Nothing for an empty value.
  void attribute_if_any(xml_constant name, std::string_view value) {
    if (!value.empty()) attribute(name, value);
  }
  void constant_attribute(xml_constant name, xml_constant value) {
    write_attribute(name.view(), value.view());
  }
  void text(std::string_view content) {
    begin_content();
    out_ += escape_outgoing(content);
  }

  /// The place for a child: `xml_writer child(parent.content(), "name");`
  std::string& content() {
    begin_content();
    return out_;
  }
  void empty_child(xml_constant name, xml_constant ns) {
    const xml_writer child{content(), name, ns};
  }
  void text_child(xml_constant name, std::string_view text_within) {
    xml_writer child{content(), name};
    child.text(text_within);
  }
  /// Nothing for an empty text.
  void text_child_if_any(xml_constant name, std::string_view text_within) {
    if (!text_within.empty()) text_child(name, text_within);
  }

 private:
  void write_attribute(std::string_view name, std::string_view safe_value) {
    out_ += ' ';
    out_ += name;
    out_ += "='";
    out_ += safe_value;
    out_ += '\'';
  }
  void begin_content() {
    if (!has_content_) out_ += '>';
    has_content_ = true;
  }

  std::string& out_;
  std::string_view name_;
  bool has_content_ = false;
};

}  // namespace sotto

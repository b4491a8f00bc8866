#pragma once

#include <string>
#include <string_view>

namespace sotto {

/// The outgoing text filter (R4): `text` as a server can take it. Characters
/// of XML 1.0 (section 2.2) stay; every byte or character that would end the
/// stream becomes U+FFFD: control characters other than tab, line feed and
/// carriage return, U+FFFE, U+FFFF, and each byte that is not well-formed
/// UTF-8 (overlong forms, surrogates, 0xFE, 0xFF, ...).
std::string filter_outgoing(std::string_view text);

/// `text`, filtered, as the value of an attribute (in either kind of quotes)
/// or the text of an element. White space that a parser would change is
/// written as character references.
std::string escape_outgoing(std::string_view text);

}  // namespace sotto

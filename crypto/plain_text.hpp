#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sotto {

/// How remote text came in, which decides how it is read.
enum class text_origin {
  clear,  ///< an XMPP body: plain text by RFC 6121, section 5.2.3
  otr     ///< out of OTR, where many clients put HTML
};

/// Remote text as text that can be shown anywhere (R22): valid UTF-8, lines
/// ended by \n, and nothing in it that is invisible or turns the direction of
/// its surroundings: C0 and C1 controls but \n and \t, bidi controls,
/// zero-width and tag characters become visible as `<U+202E>`; bytes that are
/// no UTF-8 become U+FFFD. Out of OTR the tags of HTML are taken away (`<br>`
/// is a new line) and its basic entities decoded, once; what only looks like
/// a tag ("1 < 2 and 3 > 2") stays.
std::string plain_text(std::string_view remote, text_origin origin);

/// A text as it goes into OTR: as it is, unless a reader of HTML would take a
/// part of it for a tag or an entity; then with `&`, `<` and `>` as entities.
/// So `plain_text` gives back what was written, other clients show it right,
/// and those that know no HTML see ordinary texts as they were typed.
std::string otr_payload(std::string_view text);

/// True for well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_valid_utf8(std::string_view text);

}  // namespace sotto

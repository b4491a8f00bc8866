#pragma once

#include <string>
#include <string_view>

namespace sotto {

/// The text of what may be HTML: known tags taken away, `<br>` and the end of
/// a paragraph made a new line, the entities amp, lt, gt, quot, apos, nbsp
/// and numeric ones decoded once. A `<` that begins no well-formed tag of
/// HTML is text, and so is a `&` that begins no such entity. The result may
/// hold any code point that a numeric entity can name.
std::u32string text_of_html(std::u32string_view html);

}  // namespace sotto

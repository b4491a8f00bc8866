#include "protocol/jid.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

struct range {
  char32_t first;
  char32_t last;
};

template <std::size_t Size>
bool within(char32_t c, const std::array<range, Size>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const range& r) {
    return c >= r.first && c <= r.last;
  });
}

/// Characters that show nothing or turn the direction of writing.
constexpr std::array<range, 14> invisible{{{0x00AD, 0x00AD},
                                           {0x034F, 0x034F},
                                           {0x061C, 0x061C},
                                           {0x115F, 0x1160},
                                           {0x17B4, 0x17B5},
                                           {0x180B, 0x180E},
                                           {0x200B, 0x200F},
                                           {0x202A, 0x202E},
                                           {0x2060, 0x206F},
                                           {0x3164, 0x3164},
                                           {0xFE00, 0xFE0F},
                                           {0xFEFF, 0xFEFF},
                                           {0xFFA0, 0xFFA0},
                                           {0xE0000, 0xE0FFF}}};

/// Scripts whose letters are taken for those of another one of the list.
enum class script { latin, greek, cyrillic, armenian, cherokee };

constexpr std::array<range, 9> latin{{{'A', 'Z'},
                                      {'a', 'z'},
                                      {0x00AA, 0x00AA},
                                      {0x00BA, 0x00BA},
                                      {0x00C0, 0x00D6},
                                      {0x00D8, 0x00F6},
                                      {0x00F8, 0x02AF},
                                      {0x1E00, 0x1EFF},
                                      {0xA720, 0xA7FF}}};
constexpr std::array<range, 2> greek{{{0x0370, 0x03FF}, {0x1F00, 0x1FFF}}};
constexpr std::array<range, 3> cyrillic{
    {{0x0400, 0x052F}, {0x1C80, 0x1C8F}, {0xA640, 0xA69F}}};
constexpr std::array<range, 1> armenian{{{0x0530, 0x058F}}};
constexpr std::array<range, 2> cherokee{{{0x13A0, 0x13FF}, {0xAB70, 0xABBF}}};

/// Small letters that look like Latin ones and are not; then rare letters and
/// signs that look like common ones.
constexpr std::u32string_view latin_look_alikes =
    // Cyrillic
    U"\u0430\u0432\u0435\u043A\u043C\u043D\u043E\u0440\u0441\u0442\u0443\u0445"
    U"\u0455\u0456\u0458\u0475\u04AF\u04BB\u04CF\u0501\u051B\u051D"
    // Greek
    U"\u03B1\u03B9\u03BA\u03BD\u03BF\u03C1\u03C4\u03C5\u03C7\u03F2\u03F3"
    // Armenian
    U"\u0561\u0563\u0566\u0570\u0578\u057D\u0581\u0585";
constexpr std::u32string_view odd_latin =
    U"\u0131\u017F\u0237\u0251\u0261\u0269\u026A\u0280\u028F\u0299\u029C"
    U"\u1D00\u1D04\u1D0F\u1D1C\u1D20\u1D21\u1D22\u01C0\u01C3"
    U"\u2044\u2215\u29F8";

/// What a name is made of.
struct census {
  bool hidden = false;
  bool odd_letters = false;
  bool only_look_alikes = true;
  std::set<script> scripts;
};

void count_scripts(char32_t c, census& found) {
  if (within(c, latin)) found.scripts.insert(script::latin);
  if (within(c, greek)) found.scripts.insert(script::greek);
  if (within(c, cyrillic)) found.scripts.insert(script::cyrillic);
  if (within(c, armenian)) found.scripts.insert(script::armenian);
  if (within(c, cherokee)) found.scripts.insert(script::cherokee);
}

bool contains(std::u32string_view set, char32_t c) {
  return set.find(c) != std::u32string_view::npos;
}

census take_census(std::string_view name) {
  census found;
  while (!name.empty()) {
    const utf8_step step = utf8_decode(name);
    name.remove_prefix(step.length);
    found.hidden = found.hidden || within(step.value, invisible);
    found.odd_letters = found.odd_letters || contains(odd_latin, step.value);
    const bool plain_sign = step.value < 0x80 && !within(step.value, latin);
    if (!plain_sign && !contains(latin_look_alikes, step.value))
      found.only_look_alikes = false;
    count_scripts(step.value, found);
  }
  return found;
}

std::string_view reason(std::string_view name) {
  const census found = take_census(name);
  if (found.hidden) return "it holds invisible characters";
  if (found.scripts.size() > 1)
    return "it mixes letters of several scripts that look alike";
  const bool foreign =
      !found.scripts.empty() && !found.scripts.contains(script::latin);
  if (foreign && found.only_look_alikes)
    return "all its letters look like Latin ones and are not";
  if (found.odd_letters)
    return "it holds rare characters that look like common ones";
  if (name.rfind("xn--", 0) == 0)
    return "it holds an encoded name that cannot be shown";
  return {};
}

std::string warning(std::string_view part, std::string_view why) {
  std::string text{"Look twice at "};
  text += part;
  text += " of this address: ";
  text += why;
  text += '.';
  return text;
}

}  // namespace

std::string confusable_warning(const jid& address) {
  if (const auto why = reason(address.local()); !why.empty())
    return warning("the name", why);
  std::string_view rest = address.domain();
  while (!rest.empty()) {
    const auto dot = rest.find('.');
    const auto why = reason(rest.substr(0, dot));
    if (!why.empty()) return warning("the server's name", why);
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (const auto why = reason(address.resource()); !why.empty())
    return warning("the resource", why);
  return {};
}

}  // namespace sotto

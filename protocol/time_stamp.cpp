#include "protocol/time_stamp.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sotto {
namespace {

using namespace std::chrono;

/// Takes pieces of fixed shape from the front of a text.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  /// Exactly `digits` decimal digits.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits) return {};
    int value = 0;
    for (char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return {};
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  bool literal(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<sys_days> read_date(reader& in) {
  const auto y = in.number(4);
  if (!y || !in.literal('-')) return {};
  const auto m = in.number(2);
  if (!m || !in.literal('-')) return {};
  const auto d = in.number(2);
  if (!d) return {};
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return {};
  return sys_days{date};
}

std::optional<milliseconds> read_clock(reader& in) {
  const auto h = in.number(2);
  if (!h || *h > 23 || !in.literal(':')) return {};
  const auto m = in.number(2);
  if (!m || *m > 59 || !in.literal(':')) return {};
  const auto s = in.number(2);
  if (!s || *s > 59) return {};
  milliseconds clock = hours{*h} + minutes{*m} + seconds{*s};
  if (!in.literal('.')) return clock;
  int digits = 0;
  for (int weight = 100; const auto digit = in.number(1); weight /= 10) {
    clock += milliseconds{*digit * weight};
    ++digits;
  }
  if (digits == 0) return {};
  return clock;
}

std::optional<minutes> read_zone(reader& in) {
  if (in.literal('Z')) return minutes{0};
  const bool east = in.literal('+');
  if (!east && !in.literal('-')) return {};
  const auto h = in.number(2);
  if (!h || *h > 14 || !in.literal(':')) return {};
  const auto m = in.number(2);
  if (!m || *m > 59) return {};
  const minutes offset = hours{*h} + minutes{*m};
  return east ? offset : -offset;
}

}  // namespace

std::optional<wall_time> parse_time_stamp(std::string_view text,
                                          wall_time now) {
  reader in{text};
  const auto date = read_date(in);
  if (!date || !in.literal('T')) return {};
  const auto clock = read_clock(in);
  if (!clock) return {};
  const auto zone = read_zone(in);
  if (!zone || !in.done()) return {};
  // In milliseconds until clamped: the year 9999 does not fit a `wall_time`.
  const sys_time<milliseconds> stamp = *date + *clock - *zone;
  const sys_time<milliseconds> earliest = sys_days{2000y / January / 1};
  const auto latest =
      std::max(earliest, floor<milliseconds>(now) + milliseconds{24h});
  return wall_time{std::clamp(stamp, earliest, latest)};
}

std::string format_time_stamp(wall_time when) {
  const auto whole = floor<milliseconds>(when);
  const auto date = floor<days>(whole);
  const year_month_day ymd{date};
  const hh_mm_ss clock{whole - date};
  std::array<char, 64> text{};
  std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
      static_cast<unsigned>(ymd.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace sotto

#include "bench/ledger.hpp"

#include <charconv>
#include <random>

#include "bench/process.hpp"

namespace sotto::bench {

namespace {

constexpr std::size_t shortest = 20;
constexpr std::size_t longest = 200;

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop == end || *stop != ' ')
    return std::nullopt;
  return number;
}

}  // namespace

ledger::ledger(const bench_settings& settings, traffic kind)
    : kind_(kind), seed_(settings.seed), pairs_(settings.pairs) {
  for (auto& book : pairs_) {
    book.entries.resize(settings.messages);
    book.next_right = 0;
    book.next_left = kind == traffic::turns ? 1 : 0;
  }
}

std::string ledger::text_of(std::size_t pair, std::size_t number) const {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed_),
                      static_cast<std::uint32_t>(seed_ >> 32U),
                      static_cast<std::uint32_t>(pair),
                      static_cast<std::uint32_t>(number)};
  std::minstd_rand random{mixed};
  std::uniform_int_distribution<std::size_t> length{shortest, longest};
  std::uniform_int_distribution<int> letter{'a', 'z'};
  std::string text = std::to_string(number) + ' ';
  text.append(length(random), '.');
  for (auto& c : text)
    if (c == '.') c = static_cast<char>(letter(random));
  return text;
}

bool ledger::is_from_left(std::size_t number) const {
  return kind_ == traffic::one_way || number % 2 == 0;
}

void ledger::sent(std::size_t pair, std::size_t number) {
  pairs_[pair].entries[number].sent_at = now_seconds();
}

bool ledger::is_next(pair_book& book, bool at_left, std::size_t number) {
  auto& next = at_left ? book.next_left : book.next_right;
  const bool expected = number == next;
  next = number + (kind_ == traffic::turns ? 2 : 1);
  return expected;
}

bool ledger::received(std::size_t pair, bool at_left, std::string_view text,
                      bool in_private) {
  const double now = now_seconds();
  auto& book = pairs_[pair];
  const auto number = number_in(text);
  if (!number || *number >= book.entries.size() ||
      is_from_left(*number) == at_left || text != text_of(pair, *number)) {
    ++wrong_;
    return false;
  }
  auto& message = book.entries[*number];
  if (message.took >= 0) {
    ++doubled_;
    return false;
  }
  message.took = now - message.sent_at;
  if (!is_next(book, at_left, *number) || !in_private) ++wrong_;
  ++book.came;
  ++came_;
  return true;
}

std::size_t ledger::received_of(std::size_t pair) const {
  return pairs_[pair].came;
}

void ledger::close(figures& into) const {
  into.done = came_;
  into.doubled = doubled_;
  into.wrong = wrong_;
  for (const auto& book : pairs_) {
    into.wanted += book.entries.size();
    for (const auto& each : book.entries)
      if (each.took >= 0) into.latencies.push_back(each.took);
  }
  into.lost = into.wanted - came_;
}

}  // namespace sotto::bench

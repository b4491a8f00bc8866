#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/report.hpp"
#include "bench/scenario.hpp"

namespace sotto::bench {

/// Who sends the messages of a pair.
enum class traffic {
  one_way,  ///< the left side all
  turns     ///< left and right by turns
};

/// Which messages of which pair were sent and have come: the same book for the
/// engine and for the bare library.
class ledger {
 public:
  ledger(const bench_settings& settings, traffic kind);

  /// The text of a message, from the seed.
  std::string text_of(std::size_t pair, std::size_t number) const;
  bool is_from_left(std::size_t number) const;

  void sent(std::size_t pair, std::size_t number);
  /// Notes a text that one side of a pair got; true if it is a message of the
  /// pair that had not come yet. One that is not word for word what the other
  /// side sent, comes out of order or came in the clear is counted as wrong.
  bool received(std::size_t pair, bool at_left, std::string_view text,
                bool in_private);

  std::size_t received_all() const { return came_; }
  /// Messages of this pair that have come.
  std::size_t received_of(std::size_t pair) const;
  /// Counts what never came as lost; with times of arrival.
  void close(figures& into) const;

 private:
  struct entry {
    double sent_at = 0;
    double took = -1;  ///< seconds; negative: not there yet
  };
  struct pair_book {
    std::vector<entry> entries;
    std::size_t came = 0;
    std::size_t next_left = 0;   ///< in order, what comes next at the left
    std::size_t next_right = 0;  ///< and at the right
  };

  bool is_next(pair_book& book, bool at_left, std::size_t number);

  traffic kind_;
  std::uint64_t seed_;
  std::vector<pair_book> pairs_;
  std::size_t came_ = 0;
  std::size_t doubled_ = 0;
  std::size_t wrong_ = 0;
};

}  // namespace sotto::bench

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/api/views.hpp"

namespace sotto {

/// A list of rows that is cheap to share with other threads: the rows lie in
/// chunks of 128. `share` hands out a second list of the same chunks; from then
/// on whoever writes to a chunk copies it first. Which chunks are its own, each
/// list knows by itself, so that no reference count is asked across threads.
template <class T>
class cow_rows {
 public:
  static constexpr std::size_t chunk_size = 128;

  cow_rows() = default;
  cow_rows(cow_rows&&) noexcept = default;
  cow_rows& operator=(cow_rows&&) noexcept = default;
  cow_rows(const cow_rows&) = delete;
  cow_rows& operator=(const cow_rows&) = delete;

  /// A second list of the same rows; costs one pointer a chunk.
  cow_rows share() {
    cow_rows copy;
    copy.chunks_ = chunks_;
    copy.size_ = size_;
    copy.owned_.assign(chunks_.size(), false);
    owned_.assign(chunks_.size(), false);
    return copy;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T& operator[](std::size_t index) const {
    return (*chunks_[index / chunk_size])[index % chunk_size];
  }
  /// The row, for writing.
  T& edit(std::size_t index) {
    return own(index / chunk_size)[index % chunk_size];
  }
  void push_back(T row) {
    if (size_ % chunk_size == 0) {
      chunks_.push_back(std::make_shared<chunk>());
      owned_.push_back(true);
    }
    own(chunks_.size() - 1).push_back(std::move(row));
    ++size_;
  }
  /// Takes a row out; the last row takes its place.
  void remove(std::size_t index) {
    if (index + 1 != size_) edit(index) = (*this)[size_ - 1];
    own(chunks_.size() - 1).pop_back();
    --size_;
    if (size_ % chunk_size == 0) {
      chunks_.pop_back();
      owned_.pop_back();
    }
  }

 private:
  using chunk = std::vector<T>;

  chunk& own(std::size_t number) {
    if (!owned_[number]) {
      chunks_[number] = std::make_shared<chunk>(*chunks_[number]);
      owned_[number] = true;
    }
    return *chunks_[number];
  }

  std::vector<std::shared_ptr<chunk>> chunks_;
  std::vector<bool> owned_;
  std::size_t size_ = 0;
};

/// One line of a chat: a message or a system line.
using chat_line = std::variant<message_view, notice_view>;

/// A conversation with its lines, oldest first.
struct conversation_view {
  conversation_state state;
  cow_rows<chat_line> lines;
  std::size_t unread = 0;
};

/// The keys known for one contact.
struct contact_keys_view {
  std::string account;
  std::string contact;
  std::vector<known_key> keys;
};

/// All that a front end shows, at one moment. Immutable; share it freely
/// between threads.
struct snapshot {
  std::uint64_t version = 0;
  std::vector<account_view> accounts;
  cow_rows<contact_view> contacts;
  std::vector<request_view> requests;
  cow_rows<std::shared_ptr<const conversation_view>> conversations;
  std::vector<contact_keys_view> keys;
  cow_rows<trace_view> trace;  ///< the newest entries, in a ring
};

/// The row of an account, or nothing.
const account_view* find_account(const snapshot& view,
                                 std::string_view account);
/// The conversation with a contact, or nothing. Linear.
const conversation_view* find_conversation(const snapshot& view,
                                           std::string_view account,
                                           std::string_view contact);

}  // namespace sotto

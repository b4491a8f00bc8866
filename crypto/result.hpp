#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sotto {

/// The kinds of failure a caller may want to tell apart. Everything else about
/// a failure is in its message.
enum class errc {
  invalid_argument,  ///< the caller's input is wrong; nothing was changed
  not_found,         ///< what was named does not exist
  already_exists,    ///< what was to be made is there already
  refused,           ///< a security rule forbids it
  wrong_passphrase,  ///< the vault did not open with this passphrase
  corrupt,           ///< stored data fails its integrity check
  newer_version,     ///< stored data comes from a newer Sotto
  in_use,            ///< another process holds the data folder
  io,                ///< a file, socket or device said no
  timeout,           ///< a deadline passed
  protocol,          ///< the other side broke the protocol
  unavailable,       ///< not possible now (offline, no key yet, ...)
  crypto,            ///< a cryptographic operation failed
};

/// What was tried, with what, and what to do: one sentence for a person.
/// Never holds a secret or the text of a message.
struct error {
  errc code = errc::invalid_argument;
  std::string message;
};

/// A value or the error that kept it from being. The caller must look.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  /// The error; only when there is no value.
  const class error& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, class error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  result() = default;
  result(error failure) : failure_(std::move(failure)) {}

  bool has_value() const noexcept { return !failure_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// The error; only when it failed.
  const class error& failure() const { return *failure_; }

 private:
  std::optional<class error> failure_;
};

}  // namespace sotto

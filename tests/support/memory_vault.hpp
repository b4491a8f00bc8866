#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/vault.hpp"

namespace sotto::test {

/// What a memory_vault keeps: (table, key) and value, ordered as in a vault.
using memory_rows = std::map<std::pair<std::string, std::string>, secret>;

/// A vault in memory. The rows are shared: a second memory_vault over the same
/// ones is what a restart finds. Like the real one it belongs to one thread.
class memory_vault final : public vault {
 public:
  memory_vault() : rows_(std::make_shared<memory_rows>()) {}
  explicit memory_vault(std::shared_ptr<memory_rows> rows)
      : rows_(std::move(rows)) {}

  vault_protection protection() const override {
    return vault_protection::none;
  }

  result<std::optional<secret>> get(std::string_view table,
                                    std::string_view key) override {
    if (failure_) return *failure_;
    const auto found = rows_->find({std::string{table}, std::string{key}});
    if (found == rows_->end()) return std::optional<secret>{};
    return std::optional<secret>{found->second.clone()};
  }

  result<std::vector<vault_row>> all(std::string_view table) override {
    if (failure_) return *failure_;
    std::vector<vault_row> found;
    for (const auto& [place, value] : *rows_)
      if (place.first == table) found.push_back({place.second, value.clone()});
    return found;
  }

  result<void> apply(const std::vector<vault_change>& changes) override {
    if (failure_) return *failure_;
    for (const auto& change : changes) {
      const std::pair place{change.table, change.key};
      if (change.value)
        rows_->insert_or_assign(place, change.value->clone());
      else
        rows_->erase(place);
    }
    return {};
  }

  /// From now on everything fails with `failure`, as on a full disk; with
  /// nothing, all is well again.
  void fail_with(std::optional<error> failure) {
    failure_ = std::move(failure);
  }

  const std::shared_ptr<memory_rows>& rows() const noexcept { return rows_; }

 private:
  std::shared_ptr<memory_rows> rows_;
  std::optional<error> failure_;
};

}  // namespace sotto::test

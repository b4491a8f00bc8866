#include "crypto/vault.hpp"

#include <string>
#include <utility>

#include "crypto/atomic_file.hpp"
#include "crypto/row_sealer.hpp"
#include "crypto/rows_format.hpp"
#include "crypto/sealed_rows.hpp"
#include "crypto/vault_folder.hpp"
#include "crypto/vault_header.hpp"
#include "crypto/vault_migration.hpp"

namespace sotto {
namespace {

class sealed_vault final : public vault {
 public:
  sealed_vault(vault_folder folder, vault_protection protection,
               sealed_rows rows)
      : folder_(std::move(folder)),
        protection_(protection),
        rows_(std::move(rows)) {}

  vault_protection protection() const override { return protection_; }

  result<std::optional<secret>> get(std::string_view table,
                                    std::string_view key) override {
    return rows_.get(table, key);
  }
  result<std::vector<vault_row>> all(std::string_view table) override {
    return rows_.all(table);
  }
  result<void> apply(const std::vector<vault_change>& changes) override {
    return rows_.apply(changes);
  }

 private:
  vault_folder folder_;  // unlocked after the rows are closed
  vault_protection protection_;
  sealed_rows rows_;
};

// In the order that `vault_folder` explains; the last step is `open_made`'s.
result<void> make_vault(const vault_folder& folder, const secret* passphrase,
                        const vault_options& options) {
  if (auto cleared = folder.discard_beginnings(); !cleared) {
    return cleared;
  }
  const secret master_key = secret::random(row_sealer::master_key_bytes);
  auto made =
      make_rows_file(folder.new_rows_file(),
                     row_sealer(master_key, vault_schema), vault_schema);
  if (made) {
    made = write_vault_header(folder.key_file(), master_key, passphrase,
                              options.cost);
  }
  // With a vault.key it would be a vault: it may be, if only a sync failed.
  auto contents = folder.contents();
  if (!made && contents && *contents == vault_contents::none) {
    static_cast<void>(folder.discard_beginnings());
  }
  return made;
}

result<std::unique_ptr<vault>> open_made(vault_folder folder,
                                         const secret* passphrase,
                                         bool newborn) {
  auto header = read_vault_header(folder.key_file(), passphrase);
  if (!header) {
    return header.failure();
  }
  if (newborn) {
    auto named = rename_synced(folder.new_rows_file(), folder.rows_file());
    if (!named) {
      return named.failure();
    }
  }
  // One schema so far, so that no steps lead to it.
  auto migrated = migrate_vault(folder, header->schema, vault_schema, {});
  if (!migrated) {
    return migrated.failure();
  }
  auto rows = sealed_rows::open(folder.rows_file(), folder.mark_file(),
                                row_sealer(header->master_key, vault_schema),
                                vault_schema);
  if (!rows) {
    return rows.failure();
  }
  return std::unique_ptr<vault>(std::make_unique<sealed_vault>(
      std::move(folder), header->protection, *std::move(rows)));
}

}  // namespace

result<std::unique_ptr<vault>> vault::open(const std::filesystem::path& folder,
                                           const secret* passphrase) {
  return open(folder, passphrase, vault_options());
}

result<std::unique_ptr<vault>> vault::open(const std::filesystem::path& folder,
                                           const secret* passphrase,
                                           const vault_options& options) {
  if (passphrase != nullptr && passphrase->empty()) {
    return error{errc::invalid_argument,
                 "the passphrase is empty; give one of at least one "
                 "character"};
  }
  auto claimed = vault_folder::claim(folder);
  if (!claimed) {
    return claimed.failure();
  }
  auto contents = claimed->contents();
  if (!contents) {
    return contents.failure();
  }
  if (*contents == vault_contents::none) {
    if (auto made = make_vault(*claimed, passphrase, options); !made) {
      return made.failure();
    }
  }
  return open_made(*std::move(claimed), passphrase,
                   *contents != vault_contents::whole);
}

}  // namespace sotto

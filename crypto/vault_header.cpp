#include "crypto/vault_header.hpp"

#include <utility>

#include "crypto/row_sealer.hpp"
#include "crypto/sealed_file.hpp"
#include "crypto/sqlite.hpp"

namespace sotto {
namespace {

constexpr content_kind vault_key_kind{'v', 'k', 'e', 'y'};

}  // namespace

result<vault_header> read_vault_header(const std::filesystem::path& file,
                                       const secret* passphrase) {
  auto sealed = sealed_file::read(file, vault_key_kind, vault_schema);
  if (!sealed) {
    return sealed.failure();
  }
  if (!*sealed) {
    return error{errc::not_found, "there is no \"" + file.string() + "\""};
  }
  const sealed_file& found = **sealed;
  auto body = found.open(passphrase);
  if (!body) {
    return body.failure();
  }
  if (body->size() != row_sealer::master_key_bytes) {
    return damaged_vault(file, "it does not hold a key");
  }
  vault_header header;
  header.protection = found.has_passphrase() ? vault_protection::passphrase
                                             : vault_protection::none;
  header.schema = found.content_version();
  header.master_key = *std::move(body);
  return header;
}

result<void> write_vault_header(const std::filesystem::path& file,
                                const secret& master_key,
                                const secret* passphrase, kdf_cost cost) {
  return sealed_file::write(file, vault_key_kind, vault_schema, master_key,
                            passphrase, cost);
}

}  // namespace sotto

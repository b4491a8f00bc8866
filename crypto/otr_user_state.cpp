#include "crypto/otr_user_state.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/memory_file.hpp"
#include "crypto/otr_identity.hpp"

namespace sotto {

void otr_user_state_deleter::operator()(OtrlUserState state) const noexcept {
  // libotr 4.1.1 frees a context without its private part (728 bytes each).
  constexpr std::string_view leaking_version = "4.1.1";
  std::vector<ConnContextPriv*> parts;
  if (otrl_version() == leaking_version) {
    for (auto* context = state->context_root; context != nullptr;
         context = context->next) {
      parts.push_back(context->context_priv);
    }
  }
  otrl_userstate_free(state);
  for (auto* part : parts) {
    wipe(part, sizeof(*part));
    std::free(part);
  }
}

otr_user_state make_otr_user_state() {
  otr_user_state state(otrl_userstate_create());
  if (!state) throw std::bad_alloc();
  return state;
}

result<void> load_private_key(OtrlUserState state, const secret& key) {
  auto file = memory_file::holding(key.bytes());
  if (!file) return file.failure();
  if (otrl_privkey_read_FILEp(state, file->stream()) != 0) {
    return error{errc::corrupt,
                 "The stored OTR key cannot be read; restore a backup or "
                 "make a new key."};
  }
  return {};
}

result<void> load_instance_tag(OtrlUserState state, std::string_view account,
                               std::uint32_t tag) {
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", tag);
  std::string line(account);
  line += '\t';
  line += otr_protocol;
  line += '\t';
  line += digits.data();
  line += '\n';
  auto file = memory_file::holding(std::as_bytes(std::span(line)));
  if (!file) return file.failure();
  const bool read = otrl_instag_read_FILEp(state, file->stream()) == 0;
  const auto* found =
      otrl_instag_find(state, std::string(account).c_str(), otr_protocol);
  if (!read || found == nullptr || found->instag != tag) {
    return error{errc::corrupt,
                 "The stored OTR instance tag cannot be used; restore a "
                 "backup or make a new key."};
  }
  return {};
}

}  // namespace sotto

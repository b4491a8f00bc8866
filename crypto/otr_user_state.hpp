#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "crypto/libotr.hpp"
#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

struct otr_user_state_deleter {
  void operator()(OtrlUserState state) const noexcept;
};

/// One `OtrlUserState`. Not thread-safe: one owner each.
using otr_user_state = std::unique_ptr<s_OtrlUserState, otr_user_state_deleter>;

otr_user_state make_otr_user_state();

/// Reads a key in libotr's file format, through memory. Errors: corrupt, io.
result<void> load_private_key(OtrlUserState state, const secret& key);

/// Sets the instance tag of `account`. Errors: corrupt, io.
result<void> load_instance_tag(OtrlUserState state, std::string_view account,
                               std::uint32_t tag);

}  // namespace sotto

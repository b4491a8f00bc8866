#pragma once

#include <memory>

#include "crypto/result.hpp"

/// libstrophe's `xmpp_ctx_t`.
struct _xmpp_ctx_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// Must be called in `main` after `init_crypto` and before the first thread:
/// ignores SIGPIPE, starts libstrophe and c-ares, and checks that the XML
/// guard works in this executable. May be called again; an error means that
/// no link may be opened.
result<void> init_network();

struct strophe_context_free {
  void operator()(_xmpp_ctx_t* context) const noexcept;
};
/// One thread's libstrophe context. Its memory is wiped when it is freed; it
/// logs nothing, as libstrophe's log holds credentials and stanzas.
using strophe_context = std::unique_ptr<_xmpp_ctx_t, strophe_context_free>;

/// Null only when memory has run out.
strophe_context make_strophe_context();

}  // namespace sotto

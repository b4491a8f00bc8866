#include "protocol/strophe_library.hpp"

#include <ares.h>
#include <strophe.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "crypto/secret.hpp"
#include "protocol/xml_guard.hpp"

namespace sotto {
namespace {

// Every block carries its size in front, so that it can be wiped whole.
constexpr std::size_t header_size = alignof(std::max_align_t);
static_assert(header_size >= sizeof(std::size_t));

void* wiping_alloc(std::size_t size, void*) noexcept {
  if (size > SIZE_MAX - header_size) return nullptr;
  void* const block = std::malloc(size + header_size);
  if (block == nullptr) return nullptr;
  std::memcpy(block, &size, sizeof size);
  return static_cast<std::byte*>(block) + header_size;
}

std::size_t size_of(void* data) noexcept {
  std::size_t size = 0;
  std::memcpy(&size, static_cast<std::byte*>(data) - header_size, sizeof size);
  return size;
}

void wiping_free(void* data, void*) noexcept {
  if (data == nullptr) return;
  wipe(data, size_of(data));
  std::free(static_cast<std::byte*>(data) - header_size);
}

void* wiping_realloc(void* data, std::size_t size, void* user) noexcept {
  void* const fresh = wiping_alloc(size, user);
  if (fresh == nullptr || data == nullptr) return fresh;
  std::memcpy(fresh, data, std::min(size, size_of(data)));
  wiping_free(data, user);
  return fresh;
}

constexpr xmpp_mem_t wiping_memory{wiping_alloc, wiping_free, wiping_realloc,
                                   nullptr};

result<void> start_libraries() {
  std::signal(SIGPIPE, SIG_IGN);
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
    return error{errc::unavailable,
                 "The DNS library c-ares could not be started; no link can be "
                 "opened"};
  }
  xmpp_initialize();
  // xmpp_conn_new fills a static of the library without a lock the first time
  // and never gives it up: this context and connection stay until the end.
  static _xmpp_ctx_t* const first = make_strophe_context().release();
  static const xmpp_conn_t* const first_connection =
      first == nullptr ? nullptr : xmpp_conn_new(first);
  if (first_connection == nullptr) {
    return error{errc::unavailable,
                 "The XMPP library libstrophe could not be started; no link "
                 "can be opened"};
  }
  return xml_guard_self_check(first);
}

}  // namespace

result<void> init_network() {
  static const result<void> outcome = start_libraries();
  return outcome;
}

void strophe_context_free::operator()(_xmpp_ctx_t* context) const noexcept {
  xmpp_ctx_free(context);
}

strophe_context make_strophe_context() {
  return strophe_context(xmpp_ctx_new(&wiping_memory, nullptr));
}

}  // namespace sotto

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "crypto/result.hpp"

/// libstrophe's `xmpp_ctx_t`.
struct _xmpp_ctx_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// What one stanza of a stream may measure (R1). libstrophe has no limits of
/// its own and needs quadratic time, or a stack frame, for some of these.
struct xml_limits {
  static constexpr int depth = 64;  ///< nested elements, the stream's included
  static constexpr int elements = 4'096;  ///< of one stanza
  /// Of the children that libstrophe goes through to append another: what as
  /// many siblings as elements are allowed need. Texts count as well.
  static constexpr std::int64_t walk = 4'096L * 4'096 / 2;
  static constexpr std::size_t attributes = 64;  ///< of one element
  static constexpr std::int64_t stanza_bytes = 256L * 1024;

  // An answer, `<iq type='result'>`, may be larger: it may be the roster.
  static constexpr int answer_elements = 65'536;
  static constexpr std::int64_t answer_walk = 20'000L * 20'000 / 2;
  static constexpr std::int64_t answer_bytes = 8L * 1024 * 1024;
};

/// Stands between expat and libstrophe. While an object lives, every expat
/// parser whose element handlers are set on its thread is guarded:
///  - attributes in a namespace never arrive, save `xml:lang`: libstrophe
///    forgets the namespace, so that `x:from` or `xml:from` would pass for the
///    real `from`;
///  - a document type, a processing instruction or a comment (RFC 6120
///    section 11.1), text between stanzas, and whatever exceeds `xml_limits`
///    stops the parser for good, before libstrophe sees it;
///  - the encoding is UTF-8, whatever the server declares (section 11.6);
///  - text arrives in one piece an element, as libstrophe needs quadratic
///    time for many.
///
/// It works by defining XML_SetElementHandler, XML_SetCharacterDataHandler,
/// XML_Parse and XML_ParserFree in the executable, which the dynamic linker
/// finds before expat's own. Parsers of other threads are handed through
/// untouched.
///
/// One object a thread at a time; it outlives the parsers that it guards.
class xml_guard {
 public:
  xml_guard();
  ~xml_guard();
  xml_guard(const xml_guard&) = delete;
  xml_guard& operator=(const xml_guard&) = delete;

  /// Why a parser was stopped, as the second half of a sentence; empty as
  /// long as all is well. Includes XML that is not well-formed.
  const std::string& violation() const noexcept { return violation_; }
  /// Bytes that guarded parsers were given so far.
  std::uint64_t bytes_parsed() const noexcept { return bytes_; }
  /// Called from inside a handler of libstrophe: whether anything but white
  /// space came in the same read after the element that is being handled.
  bool anything_follows() const noexcept;

  struct parser_state;
  /// For the functions that stand in for expat's. @{
  parser_state* find(const void* parser) noexcept;
  parser_state& adopt(void* parser);
  void forget(const void* parser) noexcept;
  void stop(std::string why);
  void count(std::size_t bytes) noexcept { bytes_ += bytes; }
  /// @}

 private:
  struct states;
  std::unique_ptr<states> states_;
  std::string violation_;
  std::uint64_t bytes_ = 0;
};

/// Parses a stanza with a forged sender by libstrophe's own parser, and tells
/// whether the forgery came through. Without a guard on this thread it does.
bool forged_sender_passes(_xmpp_ctx_t* context);

/// Start-up check: an error if libstrophe's parser is not guarded in this
/// executable, so that it must not be let near a network.
result<void> xml_guard_self_check(_xmpp_ctx_t* context);

}  // namespace sotto

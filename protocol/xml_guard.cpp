#include "protocol/xml_guard.hpp"

#include <dlfcn.h>
#include <expat.h>
#include <strophe.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace sotto {

/// What is known of one guarded parser.
struct xml_guard::parser_state {
  XML_Parser parser = nullptr;
  xml_guard* owner = nullptr;
  XML_StartElementHandler start = nullptr;
  XML_EndElementHandler end = nullptr;
  XML_CharacterDataHandler text = nullptr;
  int depth = 0;
  // Children so far of the open elements, by depth, and what libstrophe has
  // walked to append them: it goes through all that are there each time.
  std::array<std::int64_t, xml_limits::depth + 1> children{};
  std::int64_t walked = 0;
  int elements = 0;             // of the current stanza
  bool answer = false;          // which is an IQ result
  std::int64_t fed = 0;         // bytes of the stream
  std::int64_t boundary = 0;    // where the last complete stanza ended
  std::string held_text;        // of the current element, not yet handed on
  const char* chunk = nullptr;  // what is being parsed
  int chunk_size = 0;
  bool stopped = false;
};

struct xml_guard::states {
  std::map<const void*, parser_state> by_parser;
};

namespace {

using parser_state = xml_guard::parser_state;

thread_local xml_guard* guard_of_thread = nullptr;
// The parser whose XML_Parse runs on this thread; handlers find it here, as
// expat hands them libstrophe's user data.
thread_local parser_state* parsing = nullptr;

constexpr char namespace_separator = '\x1F';  // libstrophe's choice
constexpr std::string_view xml_lang =
    "http://www.w3.org/XML/1998/namespace\x1Flang";
constexpr std::string_view white_space = " \t\r\n";
constexpr std::string_view iq_name = "jabber:client\x1Fiq";

std::int64_t most_bytes(const parser_state& state) {
  return state.answer ? xml_limits::answer_bytes : xml_limits::stanza_bytes;
}

bool has_too_much(const parser_state& state) {
  if (state.answer) {
    return state.elements > xml_limits::answer_elements ||
           state.walked > xml_limits::answer_walk;
  }
  return state.elements > xml_limits::elements ||
         state.walked > xml_limits::walk;
}

bool is_answer(const XML_Char* name, const XML_Char** attributes) {
  if (name != iq_name) return false;
  for (; attributes[0] != nullptr; attributes += 2) {
    if (std::strcmp(attributes[0], "type") == 0) {
      return std::strcmp(attributes[1], "result") == 0;
    }
  }
  return false;
}

// expat's own function, behind ours.
template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

std::int64_t position_after_event(const parser_state& state) {
  return static_cast<std::int64_t>(XML_GetCurrentByteIndex(state.parser)) +
         XML_GetCurrentByteCount(state.parser);
}

void stop(parser_state& state, std::string why) {
  if (state.stopped) return;
  state.stopped = true;
  state.held_text.clear();
  state.owner->stop(std::move(why));
  XML_StopParser(state.parser, XML_FALSE);
}

// One more child, element or text, of the open element at `depth`.
void count_child(parser_state& state, int depth) {
  state.walked += state.children[static_cast<std::size_t>(depth)]++;
}

void hand_on_text(parser_state& state, void* user_data) {
  if (state.held_text.empty()) return;
  if (state.text != nullptr) {
    state.text(user_data, state.held_text.data(),
               static_cast<int>(state.held_text.size()));
  }
  state.held_text.clear();
}

bool may_pass(const XML_Char* name) {
  return std::strchr(name, namespace_separator) == nullptr || name == xml_lang;
}

void on_start(void* user_data, const XML_Char* name,
              const XML_Char** attributes) noexcept {
  parser_state* state = parsing;
  if (state == nullptr || state->stopped) return;
  std::size_t count = 0;
  while (attributes[2 * count] != nullptr) ++count;
  if (!state->held_text.empty()) count_child(*state, state->depth);
  count_child(*state, state->depth);
  ++state->depth;
  state->elements += state->depth > 1 ? 1 : 0;
  if (state->depth > xml_limits::depth) {
    return stop(*state, "nested elements too deeply");
  }
  state->children[static_cast<std::size_t>(state->depth)] = 0;
  if (state->depth == 2) state->answer = is_answer(name, attributes);
  if (has_too_much(*state)) {
    return stop(*state, "put too many elements into one stanza");
  }
  if (count > xml_limits::attributes) {
    return stop(*state, "put too many attributes on one element");
  }
  std::array<const XML_Char*, 2 * xml_limits::attributes + 1> kept{};
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!may_pass(attributes[2 * i])) continue;
    kept[used++] = attributes[2 * i];
    kept[used++] = attributes[2 * i + 1];
  }
  hand_on_text(*state, user_data);
  if (state->start != nullptr) state->start(user_data, name, kept.data());
  if (state->depth == 1) state->boundary = position_after_event(*state);
}

void on_end(void* user_data, const XML_Char* name) noexcept {
  parser_state* state = parsing;
  if (state == nullptr || state->stopped) return;
  if (position_after_event(*state) - state->boundary > most_bytes(*state)) {
    return stop(*state, "sent a stanza that is too large");
  }
  --state->depth;
  hand_on_text(*state, user_data);
  if (state->depth == 1) {
    state->boundary = position_after_event(*state);
    state->elements = 0;
    state->walked = 0;
    state->answer = false;
    state->children[1] = 0;  // a stanza is no child for libstrophe
  }
  if (state->end != nullptr) state->end(user_data, name);
}

void on_text(void* /*user_data*/, const XML_Char* text, int size) noexcept {
  parser_state* state = parsing;
  if (state == nullptr || state->stopped) return;
  const std::string_view piece(text, static_cast<std::size_t>(size));
  if (state->depth > 1) {
    state->held_text += piece;  // bounded by most_bytes
    return;
  }
  if (piece.find_first_not_of(white_space) != std::string_view::npos) {
    return stop(*state, "sent text between stanzas");
  }
  state->boundary = position_after_event(*state);
}

void on_doctype(void*, const XML_Char*, const XML_Char*, const XML_Char*,
                int) noexcept {
  if (parsing != nullptr) stop(*parsing, "sent a document type declaration");
}

void on_instruction(void*, const XML_Char*, const XML_Char*) noexcept {
  if (parsing != nullptr) stop(*parsing, "sent a processing instruction");
}

void on_comment(void*, const XML_Char*) noexcept {
  if (parsing != nullptr) stop(*parsing, "sent an XML comment");
}

XML_Status guarded_parse(parser_state& state, const char* data, int size,
                         int final) {
  static const auto next = real<decltype(&XML_Parse)>("XML_Parse");
  if (state.stopped) return XML_STATUS_ERROR;
  state.owner->count(static_cast<std::size_t>(size));
  state.fed += size;
  state.chunk = data;
  state.chunk_size = size;
  parser_state* const outer = std::exchange(parsing, &state);
  const XML_Status status = next(state.parser, data, size, final);
  parsing = outer;
  state.chunk = nullptr;
  state.chunk_size = 0;
  if (status == XML_STATUS_ERROR && !state.stopped) {
    state.stopped = true;
    state.owner->stop("sent XML that is not well-formed");
  }
  if (!state.stopped && state.fed - state.boundary > most_bytes(state)) {
    state.stopped = true;
    state.owner->stop("sent a stanza that is too large");
  }
  return state.stopped ? XML_STATUS_ERROR : status;
}

constexpr const char* forged_stanza =
    "<message xmlns='jabber:client' xmlns:f='urn:forged' id='probe'"
    " f:from='forged@example.org' xml:from='forged@example.org'/>";

struct stanza_release {
  void operator()(xmpp_stanza_t* stanza) const { xmpp_stanza_release(stanza); }
};
using stanza_ptr = std::unique_ptr<xmpp_stanza_t, stanza_release>;

}  // namespace

xml_guard::xml_guard() : states_(std::make_unique<states>()) {
  guard_of_thread = this;
}

xml_guard::~xml_guard() { guard_of_thread = nullptr; }

xml_guard::parser_state* xml_guard::find(const void* parser) noexcept {
  const auto found = states_->by_parser.find(parser);
  return found == states_->by_parser.end() ? nullptr : &found->second;
}

xml_guard::parser_state& xml_guard::adopt(void* parser) {
  parser_state& state = states_->by_parser[parser];
  state = parser_state{};
  state.parser = static_cast<XML_Parser>(parser);
  state.owner = this;
  return state;
}

void xml_guard::forget(const void* parser) noexcept {
  states_->by_parser.erase(parser);
}

void xml_guard::stop(std::string why) {
  if (violation_.empty()) violation_ = std::move(why);
}

bool xml_guard::anything_follows() const noexcept {
  const parser_state* state = parsing;
  if (state == nullptr || state->owner != this) return false;
  const std::int64_t offset =
      position_after_event(*state) - (state->fed - state->chunk_size);
  if (offset < 0 || offset > state->chunk_size) return true;
  const std::string_view rest(
      state->chunk + offset,
      static_cast<std::size_t>(state->chunk_size - offset));
  return rest.find_first_not_of(white_space) != std::string_view::npos;
}

bool forged_sender_passes(_xmpp_ctx_t* context) {
  const stanza_ptr probe(xmpp_stanza_new_from_string(context, forged_stanza));
  return probe == nullptr || xmpp_stanza_get_id(probe.get()) == nullptr ||
         xmpp_stanza_get_from(probe.get()) != nullptr;
}

result<void> xml_guard_self_check(_xmpp_ctx_t* context) {
  std::string deep;
  for (int i = 0; i < xml_limits::depth; ++i) deep += "<a>";
  for (int i = 0; i < xml_limits::depth; ++i) deep += "</a>";
  bool inert = false;
  {
    const xml_guard guard;
    inert = forged_sender_passes(context) || !guard.violation().empty();
    const stanza_ptr probe(xmpp_stanza_new_from_string(context, deep.c_str()));
    inert = inert || guard.violation().empty();
  }
  if (!inert) return {};
  return error{errc::refused,
               "The XML guard does not reach libstrophe's parser in this "
               "executable, so that anybody could forge the sender of a "
               "message; nothing was connected. Rebuild the program without "
               "symbol versioning or static expat"};
}

namespace {

// What stands in for expat's functions. A failure to allocate here ends the
// program: an unguarded parser must never run.

void set_element_handlers(XML_Parser parser, XML_StartElementHandler start,
                          XML_EndElementHandler end) noexcept {
  static const auto next =
      real<decltype(&XML_SetElementHandler)>("XML_SetElementHandler");
  if (guard_of_thread == nullptr) return next(parser, start, end);
  parser_state& state = guard_of_thread->adopt(parser);
  state.start = start;
  state.end = end;
  next(parser, on_start, on_end);
  XML_SetEncoding(parser, "UTF-8");
  XML_SetStartDoctypeDeclHandler(parser, on_doctype);
  XML_SetProcessingInstructionHandler(parser, on_instruction);
  XML_SetCommentHandler(parser, on_comment);
}

parser_state* guarded(XML_Parser parser) noexcept {
  return guard_of_thread == nullptr ? nullptr : guard_of_thread->find(parser);
}

void set_text_handler(XML_Parser parser,
                      XML_CharacterDataHandler handler) noexcept {
  static const auto next = real<decltype(&XML_SetCharacterDataHandler)>(
      "XML_SetCharacterDataHandler");
  parser_state* const state = guarded(parser);
  if (state == nullptr) return next(parser, handler);
  state->text = handler;
  next(parser, on_text);
}

XML_Status parse(XML_Parser parser, const char* data, int size,
                 int final) noexcept {
  static const auto next = real<decltype(&XML_Parse)>("XML_Parse");
  parser_state* const state = guarded(parser);
  return state == nullptr ? next(parser, data, size, final)
                          : guarded_parse(*state, data, size, final);
}

void free_parser(XML_Parser parser) noexcept {
  static const auto next = real<decltype(&XML_ParserFree)>("XML_ParserFree");
  // Its address may soon be that of a parser which is none of ours.
  if (guard_of_thread != nullptr) guard_of_thread->forget(parser);
  next(parser);
}

}  // namespace
}  // namespace sotto

// What libstrophe calls instead of expat.

extern "C" void XML_SetElementHandler(XML_Parser parser,
                                      XML_StartElementHandler start,
                                      XML_EndElementHandler end) {
  sotto::set_element_handlers(parser, start, end);
}

extern "C" void XML_SetCharacterDataHandler(XML_Parser parser,
                                            XML_CharacterDataHandler handler) {
  sotto::set_text_handler(parser, handler);
}

extern "C" XML_Status XML_Parse(XML_Parser parser, const char* data, int size,
                                int final) {
  return sotto::parse(parser, data, size, final);
}

extern "C" void XML_ParserFree(XML_Parser parser) {
  sotto::free_parser(parser);
}

#include "crypto/otr_session.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <utility>

#include "crypto/otr_user_state.hpp"
#include "crypto/otr_wire.hpp"

namespace sotto {

namespace {

constexpr OtrlPolicy allowed_versions =
    OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3;

struct free_deleter {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
struct message_deleter {
  void operator()(char* message) const noexcept {
    wipe(message, std::strlen(message));
    otrl_message_free(message);
  }
};
struct tlv_deleter {
  void operator()(OtrlTLV* chain) const noexcept { otrl_tlv_free(chain); }
};
using message_ptr = std::unique_ptr<char, message_deleter>;
using tlv_ptr = std::unique_ptr<OtrlTLV, tlv_deleter>;

std::optional<otr_signal_kind> signal_of(OtrlMessageEvent event) {
  switch (event) {
    case OTRL_MSGEVENT_SETUP_ERROR:
      return otr_signal_kind::setup_error;
    case OTRL_MSGEVENT_MSG_REFLECTED:
      return otr_signal_kind::reflected;
    case OTRL_MSGEVENT_RCVDMSG_NOT_IN_PRIVATE:
      return otr_signal_kind::not_private;
    case OTRL_MSGEVENT_RCVDMSG_UNREADABLE:
      return otr_signal_kind::unreadable;
    case OTRL_MSGEVENT_RCVDMSG_MALFORMED:
      return otr_signal_kind::malformed;
    case OTRL_MSGEVENT_RCVDMSG_UNRECOGNIZED:
      return otr_signal_kind::unrecognized;
    case OTRL_MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE:
      return otr_signal_kind::other_instance;
    // Heartbeats are not shown. The others cannot come: clear text and
    // errors do not reach libotr, nor does a text to be sent as such, and
    // nothing is kept that could be sent again.
    case OTRL_MSGEVENT_NONE:
    case OTRL_MSGEVENT_ENCRYPTION_REQUIRED:
    case OTRL_MSGEVENT_ENCRYPTION_ERROR:
    case OTRL_MSGEVENT_CONNECTION_ENDED:
    case OTRL_MSGEVENT_MSG_RESENT:
    case OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD:
    case OTRL_MSGEVENT_LOG_HEARTBEAT_SENT:
    case OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR:
    case OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED:
      return std::nullopt;
  }
  return std::nullopt;
}

/// The keys of one handshake. libotr 4.1.1 makes new ones over the old in
/// three places without closing these: 12 KB each time, which a hostile
/// contact could repeat.
void close_handshake_keys(OtrlAuthInfo& auth) {
  gcry_cipher_close(std::exchange(auth.enc_c, nullptr));
  gcry_cipher_close(std::exchange(auth.enc_cp, nullptr));
  for (auto* mac : {&auth.mac_m1, &auth.mac_m1p, &auth.mac_m2, &auth.mac_m2p}) {
    gcry_md_close(std::exchange(*mac, nullptr));
  }
}

/// What the contact's client is told; it may show it to a person.
const char* error_text(OtrlErrorCode code) {
  switch (code) {
    case OTRL_ERRCODE_MSG_NOT_IN_PRIVATE:
      return "You sent an encrypted message, but no private conversation is "
             "open here.";
    case OTRL_ERRCODE_MSG_UNREADABLE:
      return "You sent an encrypted message that cannot be read here.";
    case OTRL_ERRCODE_MSG_MALFORMED:
      return "You sent a malformed encrypted message.";
    case OTRL_ERRCODE_NONE:
    case OTRL_ERRCODE_ENCRYPTION_ERROR:
      break;
  }
  return "An encrypted message could not be sent.";
}

}  // namespace

class otr_session::impl {
 public:
  impl(otr_user_state state, std::string account, std::string contact)
      : state_(std::move(state)),
        account_(std::move(account)),
        contact_(std::move(contact)) {}

  OtrlUserState state() const { return state_.get(); }
  const char* account() const { return account_.c_str(); }
  const char* contact() const { return contact_.c_str(); }
  otr_outcome& outcome() { return outcome_; }

  ConnContext* context(otrl_instag_t instance) const {
    return otrl_context_find(state(), contact(), account(), otr_protocol,
                             instance, 0, nullptr, nullptr, nullptr);
  }

  template <class Visit>
  void each_context(Visit&& visit) const {
    for (auto* found = state()->context_root; found != nullptr;
         found = found->next) {
      visit(found);
    }
  }

  /// Closes the handshake keys that this message would replace.
  void make_way_for(const otr_body& message) const {
    auto* target = context(message.sender);
    const auto* master = context(OTRL_INSTAG_MASTER);
    if (target == nullptr || master == nullptr) return;
    const auto state = target->auth.authstate;
    // A D-H Key for a commit that went to every instance begins anew.
    const bool answers =
        state == OTRL_AUTHSTATE_AWAITING_DHKEY ||
        (message.version == 3 &&
         master->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY);
    const bool reveals = state == OTRL_AUTHSTATE_AWAITING_REVEALSIG;
    if ((message.kind == otr_kind::dh_key && answers) ||
        (message.kind == otr_kind::reveal_signature && reveals)) {
      close_handshake_keys(target->auth);
    }
  }

  /// A session that stands while new keys are agreed. libotr 4.1.1 takes the
  /// master's state, which is never private, for the instance's when the
  /// contact's D-H Key comes, and could read nothing until the handshake is
  /// over, although it still has the keys.
  bool stands(const otr_body& message) const {
    const auto* target = context(message.sender);
    return target != nullptr && message.kind == otr_kind::dh_key &&
           target->msgstate == OTRL_MSGSTATE_ENCRYPTED;
  }
  void stand_again(const otr_body& message) const {
    context(message.sender)->msgstate = OTRL_MSGSTATE_ENCRYPTED;
  }

  /// libotr would ignore this message, but let it overwrite the key of its
  /// own D-H Commit before it does.
  bool spoils_commit(const otr_body& message) const {
    const auto* target = context(message.sender);
    return message.kind == otr_kind::reveal_signature && target != nullptr &&
           target->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY;
  }

  /// Wipes what libotr would send again by itself, and what is left of
  /// handshakes that are over.
  void forget_remains() const {
    each_context([](ConnContext* found) {
      if (found->auth.authstate == OTRL_AUTHSTATE_NONE) {
        otrl_auth_clear(&found->auth);
      }
      auto* part = found->context_priv;
      part->may_retransmit = 0;
      if (part->lastmessage == nullptr) return;
      wipe(part->lastmessage, std::strlen(part->lastmessage));
      gcry_free(std::exchange(part->lastmessage, nullptr));
    });
  }

  /// Runs a C callback's body; an exception waits until libotr is left.
  template <class Work>
  void guarded(Work&& work) noexcept {
    try {
      work();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  /// The end of every call.
  otr_outcome finish() {
    forget_remains();
    auto done = std::exchange(outcome_, {});
    smp_asked_ = nullptr;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return done;
  }

  void smp_asked(ConnContext* context) { smp_asked_ = context; }
  ConnContext* smp_asked() const { return smp_asked_; }

 private:
  otr_user_state state_;
  std::string account_;
  std::string contact_;
  otr_outcome outcome_;
  ConnContext* smp_asked_ = nullptr;
  std::exception_ptr failure_;
};

/// libotr's callbacks; `data` is the session's impl.
struct otr_session::callbacks {
  static impl& self(void* data) { return *static_cast<impl*>(data); }

  static void signal(void* data, otr_signal_kind what,
                     const ConnContext* context) {
    self(data).guarded([&] {
      const auto instance = context == nullptr ? 0 : context->their_instance;
      self(data).outcome().signals.push_back({what, instance});
    });
  }

  static OtrlPolicy policy(void*, ConnContext*) { return allowed_versions; }
  // The key is there before the session is: nothing to make here.
  static void create_privkey(void*, const char*, const char*) {}
  static void create_instag(void*, const char*, const char*) {}
  // Whoever is asked about has just written, or is to be told of an end.
  static int is_logged_in(void*, const char*, const char*, const char*) {
    return 1;
  }
  static void inject(void* data, const char*, const char*, const char*,
                     const char* message) {
    self(data).guarded(
        [&] { self(data).outcome().wire.emplace_back(message); });
  }
  static void update_context_list(void*) {}
  static void new_fingerprint(void*, OtrlUserState, const char*, const char*,
                              const char*, unsigned char*) {}
  static void write_fingerprints(void*) {}
  static void gone_secure(void* data, ConnContext* context) {
    signal(data, otr_signal_kind::gone_secure, context);
  }
  static void gone_insecure(void*, ConnContext*) {}
  static void still_secure(void* data, ConnContext* context, int) {
    signal(data, otr_signal_kind::still_secure, context);
  }
  // XMPP carries a whole message: no fragments.
  static int max_message_size(void*, ConnContext*) { return 0; }
  static void received_symkey(void*, ConnContext*, unsigned int,
                              const unsigned char*, size_t,
                              const unsigned char*) {}
  // libotr uses what it gets without a look: never null while memory lasts.
  static const char* error_message(void*, ConnContext*, OtrlErrorCode code) {
    return strdup(error_text(code));
  }
  static void error_message_free(void*, const char* message) {
    std::free(const_cast<char*>(message));
  }
  static void smp_event(void* data, OtrlSMPEvent event, ConnContext* context,
                        unsigned short, char*) {
    if (event == OTRL_SMPEVENT_ASK_FOR_ANSWER ||
        event == OTRL_SMPEVENT_ASK_FOR_SECRET) {
      self(data).smp_asked(context);
    }
  }
  static void message_event(void* data, OtrlMessageEvent event,
                            ConnContext* context, const char*, gcry_error_t) {
    if (const auto what = signal_of(event)) signal(data, *what, context);
  }
  static void timer_control(void* data, unsigned int interval) {
    self(data).outcome().poll_every = std::chrono::seconds(interval);
  }

  static const OtrlMessageAppOps* table() {
    static const OtrlMessageAppOps ops = [] {
      OtrlMessageAppOps made{};
      made.policy = policy;
      made.create_privkey = create_privkey;
      made.is_logged_in = is_logged_in;
      made.inject_message = inject;
      made.update_context_list = update_context_list;
      made.new_fingerprint = new_fingerprint;
      made.write_fingerprints = write_fingerprints;
      made.gone_secure = gone_secure;
      made.gone_insecure = gone_insecure;
      made.still_secure = still_secure;
      made.max_message_size = max_message_size;
      made.received_symkey = received_symkey;
      made.otr_error_message = error_message;
      made.otr_error_message_free = error_message_free;
      made.handle_smp_event = smp_event;
      made.handle_msg_event = message_event;
      made.create_instag = create_instag;
      made.timer_control = timer_control;
      return made;
    }();
    return &ops;
  }
};

otr_session::otr_session(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
otr_session::~otr_session() = default;

result<std::unique_ptr<otr_session>> otr_session::open(
    const otr_identity& identity, std::string contact) {
  auto state = make_otr_user_state();
  if (auto loaded = load_private_key(state.get(), identity.private_key());
      !loaded) {
    return loaded.failure();
  }
  if (auto loaded = load_instance_tag(state.get(), identity.account(),
                                      identity.instance_tag());
      !loaded) {
    return loaded.failure();
  }
  return std::unique_ptr<otr_session>(new otr_session(std::make_unique<impl>(
      std::move(state), identity.account(), std::move(contact))));
}

otr_outcome otr_session::receive(const std::string& message) {
  const auto body = parse_otr_body(message);
  if (impl_->spoils_commit(body)) return {};
  impl_->make_way_for(body);
  const bool stood = impl_->stands(body);
  char* text = nullptr;
  OtrlTLV* tlvs = nullptr;
  ConnContext* context = nullptr;
  const int internal = otrl_message_receiving(
      impl_->state(), callbacks::table(), impl_.get(), impl_->account(),
      otr_protocol, impl_->contact(), message.c_str(), &text, &tlvs, &context,
      nullptr, nullptr);
  if (stood) impl_->stand_again(body);
  const message_ptr owned_text(text);
  const tlv_ptr owned_tlvs(tlvs);
  impl_->guarded([&] {
    if (context != nullptr) {
      impl_->outcome().instance = context->their_instance;
    }
    if (internal == 0 && text != nullptr) impl_->outcome().decrypted = text;
  });
  // Verifying by a secret is not spoken here: the contact is told at once.
  if (auto* asked = impl_->smp_asked();
      asked != nullptr && asked->msgstate == OTRL_MSGSTATE_ENCRYPTED) {
    otrl_message_abort_smp(impl_->state(), callbacks::table(), impl_.get(),
                           asked);
  }
  return impl_->finish();
}

otr_outcome otr_session::encrypt(std::uint32_t instance,
                                 const std::string& text) {
  const auto found = find(instance);
  if (!found || !found->encrypted) return {};
  // Not otrl_message_sending: it chooses the instance, may give back the
  // text itself, and takes any text that holds "?OTR?" for a query.
  auto* context = impl_->context(instance);
  char* encrypted = nullptr;
  const auto problem = otrl_proto_create_data(&encrypted, context, text.c_str(),
                                              nullptr, 0, nullptr);
  const message_ptr owned(problem == 0 ? encrypted : nullptr);
  if (owned) {
    context->context_priv->lastsent = std::time(nullptr);
    otrl_context_update_recent_child(context, 1);
    impl_->guarded([&] { impl_->outcome().wire.emplace_back(owned.get()); });
  }
  return impl_->finish();
}

otr_outcome otr_session::disconnect() {
  otrl_message_disconnect_all_instances(impl_->state(), callbacks::table(),
                                        impl_.get(), impl_->account(),
                                        otr_protocol, impl_->contact());
  return impl_->finish();
}

otr_outcome otr_session::poll() {
  otrl_message_poll(impl_->state(), callbacks::table(), impl_.get());
  return impl_->finish();
}

bool otr_session::commit_open() const {
  const auto* master = impl_->context(OTRL_INSTAG_MASTER);
  return master != nullptr &&
         master->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY;
}

void otr_session::forget_commit() {
  if (auto* master = impl_->context(OTRL_INSTAG_MASTER)) {
    otrl_auth_clear(&master->auth);
  }
}

std::optional<otr_instance> otr_session::find(std::uint32_t instance) const {
  const auto* context = impl_->context(instance);
  if (context == nullptr) return std::nullopt;
  otr_instance found;
  // A new instance inherits the state of the master, but no keys.
  const auto* active = context->active_fingerprint;
  const bool keyed = active != nullptr && active->fingerprint != nullptr;
  found.encrypted = keyed && context->msgstate == OTRL_MSGSTATE_ENCRYPTED;
  found.finished = context->msgstate == OTRL_MSGSTATE_FINISHED;
  found.version = static_cast<int>(context->protocol_version);
  if (keyed) {
    std::array<std::uint8_t, fingerprint::size> print{};
    std::copy_n(active->fingerprint, print.size(), print.begin());
    found.print = fingerprint(print);
  }
  return found;
}

std::size_t otr_session::contexts() const {
  std::size_t count = 0;
  impl_->each_context([&](ConnContext*) { ++count; });
  return count;
}

bool otr_session::holds_text() const {
  bool holds = false;
  impl_->each_context([&](ConnContext* context) {
    const auto* part = context->context_priv;
    holds = holds || part->lastmessage != nullptr || part->may_retransmit != 0;
  });
  return holds;
}

}  // namespace sotto

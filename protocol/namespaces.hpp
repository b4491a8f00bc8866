#pragma once

/// The XML namespaces that are spoken, each with where it is defined.
namespace sotto::ns {

inline constexpr char client[] = "jabber:client";  ///< RFC 6120 section 4.8.2
inline constexpr char streams[] =
    "http://etherx.jabber.org/streams";  ///< RFC 6120 section 4.8.1
inline constexpr char stream_errors[] =
    "urn:ietf:params:xml:ns:xmpp-streams";  ///< RFC 6120 section 4.9
inline constexpr char stanza_errors[] =
    "urn:ietf:params:xml:ns:xmpp-stanzas";  ///< RFC 6120 section 8.3
inline constexpr char tls[] =
    "urn:ietf:params:xml:ns:xmpp-tls";  ///< RFC 6120 section 5
inline constexpr char sasl[] =
    "urn:ietf:params:xml:ns:xmpp-sasl";  ///< RFC 6120 section 6
inline constexpr char bind[] =
    "urn:ietf:params:xml:ns:xmpp-bind";  ///< RFC 6120 section 7
inline constexpr char session[] =
    "urn:ietf:params:xml:ns:xmpp-session";            ///< RFC 3921 section 3
inline constexpr char roster[] = "jabber:iq:roster";  ///< RFC 6121 section 2
inline constexpr char roster_versioning[] =
    "urn:xmpp:features:rosterver";  ///< RFC 6121 section 2.6
inline constexpr char registration[] =
    "http://jabber.org/features/iq-register";                 ///< XEP-0077
inline constexpr char stream_management[] = "urn:xmpp:sm:3";  ///< XEP-0198
inline constexpr char ping[] = "urn:xmpp:ping";               ///< XEP-0199
inline constexpr char delay[] = "urn:xmpp:delay";             ///< XEP-0203
inline constexpr char carbons[] = "urn:xmpp:carbons:2";       ///< XEP-0280
inline constexpr char forward[] = "urn:xmpp:forward:0";       ///< XEP-0297
inline constexpr char archive[] = "urn:xmpp:mam:2";           ///< XEP-0313
inline constexpr char hints[] = "urn:xmpp:hints";             ///< XEP-0334
inline constexpr char stanza_ids[] = "urn:xmpp:sid:0";        ///< XEP-0359
inline constexpr char encryption[] = "urn:xmpp:eme:0";        ///< XEP-0380
inline constexpr char otr[] = "urn:xmpp:otr:0";          ///< XEP-0364, XEP-0378
inline constexpr char receipts[] = "urn:xmpp:receipts";  ///< XEP-0184
inline constexpr char version[] = "jabber:iq:version";   ///< XEP-0092
inline constexpr char disco_info[] =
    "http://jabber.org/protocol/disco#info";  ///< XEP-0030

}  // namespace sotto::ns

#pragma once

// The one place that includes libotr, whose headers know no C++.

#include <gcrypt.h>
#include <sys/types.h>

#include <cstdio>
#include <ctime>

extern "C" {
// message.h uses what these two declare.
#include <libotr/proto.h>
#include <libotr/tlv.h>

#include <libotr/context.h>
#include <libotr/context_priv.h>
#include <libotr/instag.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>
}

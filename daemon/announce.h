/* SPDX-License-Identifier: GPL-2.0 */
/* Telling the LAN where an address is now: gratuitous ARP, unsolicited neighbour advertisement. */
#ifndef FTCP_ANNOUNCE_H
#define FTCP_ANNOUNCE_H

#include "config.h"

/** announce() - one round for @address; 0, or -errno. An interface without link-layer addresses needs none: 0 */
int announce(const struct config_address *address);

#endif

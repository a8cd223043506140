/* SPDX-License-Identifier: GPL-2.0 */
/* The character generator's pattern, which all connections share. */
#ifndef FTCP_CHARGEN_H
#define FTCP_CHARGEN_H

int ftcp_chargen_init(void);
/** ftcp_chargen_exit() - pages that are still on their way in an skb live until it has gone */
void ftcp_chargen_exit(void);

#endif

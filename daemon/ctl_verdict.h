/* SPDX-License-Identifier: GPL-2.0 */
/* What a group's attributes mean to a person: is it protected, since when is it not, what is to be done? */
#ifndef FTCPCTL_VERDICT_H
#define FTCPCTL_VERDICT_H

#include "ctl_item.h"

/* A standby that has not acknowledged for so long is not keeping up but gone, or as good as. */
#define CTL_LAG_MAX_MS 1000u

/* A standby that no batch has come to for so long is cut off: an idle primary sends one each second. */
#define CTL_CUT_OFF_MS 5000u

/* From good to bad: status opens with the worst. */
enum ctl_verdict_kind {
	CTL_VERDICT_PROTECTED,
	CTL_VERDICT_READY,		/* standby, may be promoted */
	CTL_VERDICT_SYNCING,
	CTL_VERDICT_STANDBY_SYNCING,
	CTL_VERDICT_CUT_OFF,		/* standby that was in sync, or on the way */
	CTL_VERDICT_NOT_IN_SYNC,	/* standby */
	CTL_VERDICT_UNPROTECTED,
	CTL_VERDICT_STALLED,
	CTL_VERDICT_UNKNOWN,
	CTL_VERDICT_NO_GROUP,
	CTL_VERDICT_NO_MODULE,
};

struct ctl_verdict {
	enum ctl_verdict_kind kind;
	int exit_status;
	const char *word;	/* for people: "STANDBY, syncing" */
	const char *key;	/* for programs: "standby-syncing" */
	bool has_since;
	uint64_t since_ms;
	char what[256];
	char advice[320];	/* empty: nothing to do */
};

/**
 * ctl_verdict() - of a group; a pure function
 * @services: of this group and perhaps others; NULL: they are left out of account
 */
void ctl_verdict(const struct ctl_item *group, const struct ctl_items *services, struct ctl_verdict *verdict);
/** ctl_verdict_no_group() - the module has no group @name, or (NULL) none at all */
void ctl_verdict_no_group(const char *name, struct ctl_verdict *verdict);
void ctl_verdict_no_module(struct ctl_verdict *verdict);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for bytes. One that nobody holds any more is kept for what this processor needs next: Debian's kernels zero what they allocate, which
 * takes as long as to fill it does.
 */
#ifndef FTCP_PAGE_H
#define FTCP_PAGE_H

#include <linux/gfp.h>
#include <linux/types.h>

struct page;

/* The largest there are: 32 KiB copy faster than single pages; small stores must not hold so much. */
#define FTCP_PAGE_ORDER_MAX 3

/** ftcp_page_alloc() - a (compound) page of @order, at most FTCP_PAGE_ORDER_MAX; what is on it is anybody's. NULL: there is none */
struct page *ftcp_page_alloc(unsigned int order, gfp_t gfp);

/** ftcp_page_put() - give back a reference to a page, whoever allocated it. Any context but hard interrupts */
void ftcp_page_put(struct page *page);

/** ftcp_page_exit() - the module goes, and nobody has pages of it any more: those that were kept are freed */
void ftcp_page_exit(void);

#endif

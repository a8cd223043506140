/* SPDX-License-Identifier: GPL-2.0 */
/* Tables for people: columns as wide as their widest cell. */
#ifndef FTCPCTL_TABLE_H
#define FTCPCTL_TABLE_H

struct ctl_table;

/** ctl_table_new() - @titles: separated by '|'; one that begins with '>' is aligned to the right */
struct ctl_table *ctl_table_new(const char *titles);
/** ctl_table_cell() - the next cell, row by row; empty text is shown as "-" */
void ctl_table_cell(struct ctl_table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** ctl_table_print() - to stdout, and free it */
void ctl_table_print(struct ctl_table *table);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FTCPCTL_GROUP_H
#define FTCPCTL_GROUP_H

struct ctl_items;

void ctl_group_table(const struct ctl_items *groups);
/** ctl_service_table() - with the group's name in front */
void ctl_service_table(const struct ctl_items *services);

#endif

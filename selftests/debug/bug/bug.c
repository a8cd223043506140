// SPDX-License-Identifier: GPL-2.0
/* One of each kind of mistake that the debug kernel is there to see, made on purpose: insmod bug.ko kind=leak */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *kind;
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "which mistake to make");

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);
static DEFINE_MUTEX(mutex);

static void use_after_free(void)
{
	char *bytes = kmalloc(64, GFP_KERNEL);

	kfree(bytes);
	OPTIMIZER_HIDE_VAR(bytes);
	WRITE_ONCE(bytes[8], 1);
}

static void out_of_bounds(void)
{
	char *bytes = kmalloc(60, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(bytes);
	WRITE_ONCE(bytes[60], 1);
	kfree(bytes);
}

static void inversion(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void from_softirq(struct timer_list *timer)
{
	spin_lock(&first);
	spin_unlock(&first);
}

static DEFINE_TIMER(softirq, from_softirq);

/* The timer could interrupt the holder, and would spin for ever. */
static void softirq_unsafe(void)
{
	mod_timer(&softirq, jiffies);
	while (timer_pending(&softirq))
		schedule_timeout_uninterruptible(1);
	del_timer_sync(&softirq);
	spin_lock(&first);
	spin_unlock(&first);
}

static void sleep_in_atomic(void)
{
	void *bytes;

	spin_lock(&first);
	bytes = kmalloc(64, GFP_KERNEL);
	spin_unlock(&first);
	kfree(bytes);
}

static void mutex_in_softirq_context(void)
{
	local_bh_disable();
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	local_bh_enable();
}

static void rcu_unprotected(void)
{
	static int value;
	static int __rcu *pointer = (int __rcu *)&value;

	rcu_dereference(pointer);
}

static void freed_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	timer_setup(timer, from_softirq, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void list_corruption(void)
{
	struct list_head head, node;

	INIT_LIST_HEAD(&head);
	list_add(&node, &head);
	node.prev = &node;
	list_del(&node);
}

static void leak(void)
{
	void *bytes = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(bytes);
}

static const struct {
	const char *kind;
	void (*make)(void);
} mistakes[] = {
	{ "use_after_free", use_after_free },
	{ "out_of_bounds", out_of_bounds },
	{ "inversion", inversion },
	{ "softirq_unsafe", softirq_unsafe },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "mutex_in_softirq_context", mutex_in_softirq_context },
	{ "rcu_unprotected", rcu_unprotected },
	{ "freed_timer", freed_timer },
	{ "list_corruption", list_corruption },
	{ "leak", leak },
};

static int __init bug_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (kind && !strcmp(kind, mistakes[i].kind)) {
			mistakes[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit bug_exit(void)
{
}

module_init(bug_init);
module_exit(bug_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("mistakes made on purpose");

#!/bin/bash
# Does anybody notice? The mistakes of bug/bug.c are made, and each must be told by its name, and fail the machine.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

correct() { ./boot -t 100 true; }

# It ends badly, and says why.
machine_fails() { # NUMBER COMPLAINT KIND...
	local output
	if output=$(./boot -t 200 -o "$work/$1" ./debug/mistake.sh "${@:3}"); then
		printf '%s\n' 'everything passed:' "$output"
		return 1
	fi
	printf '%s\n' "$output"
	printf '%s\n' "$output" >"$work/$1/output"
	grep -q "^not ok [0-9]* $2" <<<"$output"
}

kernel_says() { # NUMBER KIND WHAT
	sed -n "/ mistake: $2\$/,/ mistake: /p" "$work/$1/console.log" | tr -d '\r' >"$work/said"
	cat "$work/said"
	kmsg_trouble <"$work/said" | grep -q "$3"
}

leak_is_told() { grep 'unreferenced object' "$work/1/output"; }

ktap_begin
ktap_case -t 120 'no mistake is nothing to notice' correct
# What makes lockdep fall asleep comes after what it has to see: an inversion in one machine, unsafe softirqs in another.
ktap_case -t 220 'mistakes fail the machine' machine_fails 1 'kernel log clean' rcu_unprotected sleep_in_atomic inversion \
	use_after_free out_of_bounds freed_timer list_corruption leak
ktap_case 'noticed: rcu_unprotected' kernel_says 1 rcu_unprotected 'suspicious RCU usage'
ktap_case 'noticed: sleep_in_atomic' kernel_says 1 sleep_in_atomic 'sleeping function called from invalid context'
ktap_case 'noticed: inversion' kernel_says 1 inversion 'possible circular locking dependency'
ktap_case 'noticed: use_after_free' kernel_says 1 use_after_free 'KASAN: .*use-after-free'
ktap_case 'noticed: out_of_bounds' kernel_says 1 out_of_bounds 'KASAN: .*out-of-bounds'
ktap_case 'noticed: freed_timer' kernel_says 1 freed_timer 'ODEBUG: free active'
ktap_case 'noticed: list_corruption' kernel_says 1 list_corruption 'list_del corruption'
ktap_case 'noticed: leak' leak_is_told
ktap_case -t 220 'checkers that fell asleep fail the machine' machine_fails 2 'the checkers are awake still' \
	mutex_in_softirq_context softirq_unsafe
ktap_case 'noticed: mutex_in_softirq_context' kernel_says 2 mutex_in_softirq_context 'sleeping function called'
ktap_case 'noticed: softirq_unsafe' kernel_says 2 softirq_unsafe 'inconsistent lock state'
ktap_end

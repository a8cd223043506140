#!/bin/bash
# Does anybody notice? Each mistake of bug/bug.c is made in a machine of its own, and must be told by its name.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh

noticed() { # KIND WHERE WHAT
	local output
	output=$(./boot -t 100 ./debug/mistake.sh "$1") && echo 'everything passed' && printf '%s\n' "$output" && return 1
	printf '%s\n' "$output"
	grep -q "^not ok [0-9]* $2" <<<"$output"
	grep -q "^# .*$3" <<<"$output"
}

kernel_says() { ktap_case -t 120 "noticed: $1" noticed "$1" 'kernel log clean' "$2"; } # KIND WHAT

correct() { ./boot -t 100 true; }

ktap_begin
ktap_case -t 120 'no mistake is nothing to notice' correct
kernel_says use_after_free 'KASAN: .*use-after-free'
kernel_says out_of_bounds 'KASAN: .*out-of-bounds'
kernel_says inversion 'possible circular locking dependency'
kernel_says softirq_unsafe 'inconsistent lock state'
kernel_says sleep_in_atomic 'sleeping function called from invalid context'
kernel_says mutex_in_softirq_context 'sleeping function called from invalid context'
kernel_says rcu_unprotected 'suspicious RCU usage'
kernel_says freed_timer 'ODEBUG: free active'
kernel_says list_corruption 'list_del corruption'
ktap_case -t 120 'noticed: leak' noticed leak 'nothing has leaked' 'unreferenced object'
ktap_end

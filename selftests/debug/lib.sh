# shellcheck shell=bash
# What the debug kernel sees, and how memory is made to run out. In a debug machine; needs ../lib/ktap.sh.

debugfs=/sys/kernel/debug
fault_kinds='failslab fail_page_alloc'
fault_times=1000000000

# ---------------------------------------------------------------------------------------------------------------------
# Leaks

leaks_forget() { echo clear >$debugfs/kmemleak; }

# An object is reported when two scans have not found it, five seconds after it was allocated.
leaks() { # prints them; status 0 when there are any
	sleep 6
	echo scan >$debugfs/kmemleak
	echo scan >$debugfs/kmemleak
	grep . $debugfs/kmemleak
}

no_leaks() { ! leaks; }

# ---------------------------------------------------------------------------------------------------------------------
# The checkers switch themselves off when they have seen one mistake, or have no memory: then no news is no good news.

checkers_awake() {
	grep -q 'debug_locks: *1' /proc/lockdep_stats || fail_awake 'lockdep'
	echo scan >$debugfs/kmemleak || fail_awake 'kmemleak'
	! dmesg | grep 'ODEBUG.*disabled' || fail_awake 'debugobjects'
}

fail_awake() {
	echo "$1 is off"
	exit 1
}

# ---------------------------------------------------------------------------------------------------------------------
# Allocations that fail, at random, below some function: one of the module's, or one of the kernel's

fault_set() { # NAME VALUE
	local kind
	for kind in $fault_kinds; do
		[ ! -e "$debugfs/$kind/$1" ] || echo "$2" >"$debugfs/$kind/$1"
	done
}

# The addresses of everything in the module.
fault_module() {
	local size start
	read -r _ size _ _ _ start _ < <(grep '^ftcp ' /proc/modules)
	fault_range "$start" "$(printf '0x%x' $((start + size)))"
}

# Prints the first address of a function of the kernel, and the one behind it.
function_range() { # NAME
	local start end
	start=$(sed -n "s/^\([0-9a-f]*\) [tT] $1\$/\1/p" /proc/kallsyms)
	end=$(sed -n 's/^\([0-9a-f]*\) [tT] .*/\1/p' /proc/kallsyms | sort -u | grep -A 1 "^$start\$" | tail -n 1)
	echo "0x$start 0x$end"
}

fault_function() { # NAME
	# shellcheck disable=SC2046 # two words
	fault_range $(function_range "$1")
}

# What must not fail: functions that print a stack when they do.
fault_spare() { # FUNCTION
	local start end
	read -r start end < <(function_range "$1")
	fault_set reject-start "$start"
	fault_set reject-end "$end"
}

fault_range() { # START END
	fault_set require-start "$1"
	fault_set require-end "$2"
}

faults_on() { # PER-CENT
	fault_set stacktrace-depth 32
	fault_set verbose 0
	fault_set ignore-gfp-wait N
	fault_set ignore-gfp-highmem N
	fault_set min-order 0
	fault_set probability "$1"
}

faults_off() { fault_set probability 0; }

faults_reset() { fault_set times $fault_times; }

faults_seen() { # since the reset
	local kind sum=0
	for kind in $fault_kinds; do
		sum=$((sum + fault_times - $(<"$debugfs/$kind/times")))
	done
	echo $sum
}

# Nothing that was not hit is proven.
faults_were_seen() { # AT-LEAST
	echo "$(faults_seen) allocations failed"
	[ "$(faults_seen)" -ge "$1" ]
}

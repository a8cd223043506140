# shellcheck shell=bash disable=SC2154 # the runner sources this
# The scene of the demo, smaller: the primary dies in the middle of nc's transfer, comes back as standby, and its successor
# dies in the middle of the next.

crash_back() { # ADDRESS
	pair_up alpha beta
	crash_during first 8 "$1"
	bed_boot alpha
	transfer_begin second 24 "$1"
	pair_start alpha standby
	pair_wait beta protected
	! transfer_ended second || fail 'the second transfer was over before the pair was protected'
	crash_during_running second 24
}

crash_during() { # NAME MIB ADDRESS
	transfer_begin "$@"
	crash_during_running "$1" "$2"
}

crash_during_running() { # NAME MIB
	wait_for 30 transfer_received_all "$1" $(($2 << 19))
	! transfer_ended "$1" || fail "$1 had ended before the crash"
	pair_fail_over
	wait_for 40 transfer_ended "$1"
	[ "$(transfer_status "$1")" = 0 ]
	transfer_compare "$1"
}

hosts_case 120 'crash, rejoin, crash back, by IPv4' crash_back "$bed_vip4"
hosts_case 120 'crash, rejoin, crash back, by IPv6' crash_back "$bed_vip6"

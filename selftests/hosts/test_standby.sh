# shellcheck shell=bash disable=SC2154 # the runner sources this
# The standby dies. What the primary does about it is policy.

standby_dies() { # POLICY
	policy=$1 pair_up alpha beta
	transfer_begin alone 24
	wait_for 20 transfer_received_all alone 4000000
	bed_power_cut beta
	"after_$1"
	wait_for 40 transfer_ended alone
	[ "$(transfer_status alone)" = 0 ]
	transfer_compare alone
}

# It goes on without, after some time, and says so; the next standby is welcome.
after_detach() {
	pair_wait alpha detached
	pair_rejoin
}

# It waits, however long that takes. What was committed by then still arrives.
after_stall() {
	local received
	sleep 2
	received=$(transfer_received alone)
	bed_boot beta
	[ "$(transfer_received alone)" = "$received" ] || fail 'more came back while nobody held it'
	pair_start beta standby
	pair_wait alpha protected
}

hosts_case 90 'the standby dies, policy detach' standby_dies detach
hosts_case 90 'the standby dies, policy stall' standby_dies stall

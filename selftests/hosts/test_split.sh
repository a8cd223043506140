# shellcheck shell=bash disable=SC2154 # the runner sources this
# Both servers live, but cables are out. The policy is stall: who has lost the other one can commit nothing, and so says
# nothing. A long conversation goes on, on whatever side, and comes to a good end.

talk_begin() {
	on client job talk "'exec echo_client $bed_vip4 $bed_port -n 4 -s 1G --rate 100K --timeout 110 --timeline /run/talk'"
	talk_goes_on
}

talk_bytes() { on client "tail -n 1 /run/talk 2>/dev/null" | awk '{ n = $2 } END { print n + 0 }'; }

talk_goes_on() {
	local before
	before=$(talk_bytes)
	wait_for 20 talk_is_beyond $((before + 200000)) || fail 'the conversation is stuck'
}

talk_is_beyond() { [ "$(talk_bytes)" -gt "$1" ]; } # BYTES

talk_end() {
	on client job_signal talk USR1
	job_wait 30 client talk
}

split_begin() {
	policy=stall pair_up alpha beta
	talk_begin
}

only_sync_link() {
	split_begin
	bed_unplug link beta
	pair_wait beta detached
	talk_goes_on
	bed_plug link beta
	pair_wait beta protected
	pair_wait alpha standby
	talk_goes_on
	talk_end
}

# Back comes a primary that does not know that it is not one any more, and on the LAN first.
whole_host() {
	split_begin
	bed_unplug link alpha
	bed_unplug lan alpha
	pair_wait beta detached
	talk_goes_on
	bed_plug lan alpha
	talk_goes_on
	bed_plug link alpha
	pair_wait beta protected
	pair_wait alpha standby
	talk_goes_on
	talk_end
}

# The servers see each other, so nobody takes over: that is for the network to repair.
only_lan() {
	split_begin
	bed_unplug lan alpha
	sleep 3
	bed_plug lan alpha
	talk_goes_on
	pair_wait alpha protected
	talk_end
}

hosts_case 90 'the sync link is cut and mended' only_sync_link
hosts_case 90 'the primary is cut off from everything and comes back' whole_host
hosts_case 90 "the primary's LAN is cut and mended" only_lan

#!/bin/bash
# The rule everything follows, seen on the wire: nothing leaves the primary that the standby could not stand behind. Whoever carries the
# batches: the kernels, then the daemons.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

pcap=/tmp/log/commit.pcap

now() { date +%s.%N; }

# What the primary may say at most, of its one connection.
committed() { echo "$(conn_value primary rcv_committed) $(conn_value primary snd_committed)"; }
on_the_wire() { echo "$(group_value primary batch_no) $(committed) $(conn_value primary snd_nxt) $(conn_value primary snd_una)"; }

# The standby hears nothing (or, if it carries the batches, its daemon stands still), and what was on its way has arrived: from here to there nothing may move.
freeze() {
	traffic_start first "$bed_vip4" --rate 4M
	traffic_moves first 1000000
	if [ "$carrier" = kernel ]; then sync_silent standby; else syncd_stop standby; fi
	settles 1 on_the_wire
	now >/tmp/log/from
	committed >/tmp/log/committed
}

# The client has more to send, and has sent some of it; the primary has got it, and says nothing.
frozen() {
	traffic_stands first 3
	[ "$(conn_value primary rcv_nxt)" -gt "$(conn_value primary rcv_committed)" ] || fail 'the client has sent nothing'
	[ "$(group_value primary lag_bytes)" -gt 0 ]
	verdict primary stalled 1
}

# A connection that begins now: of what its client sends, nothing is acknowledged.
frozen_newcomer() {
	traffic_start second "$bed_vip6" --rate 100K
	wait_for 10 has_conns primary 2
	sleep 1		# for it to send, and to be (not) answered
	[ "$(traffic_bytes second)" = 0 ]
	now >/tmp/log/to
}

# The standby holds all that the client was ever told of.
thaw() {
	if [ "$carrier" = kernel ]; then sync_heard standby; else syncd_continue standby; fi
	traffic_moves first 1000000
	traffic_moves second 10000
	verdict primary protected 0
	traffic_end first
	traffic_end second
}

capture_ends() {
	bed_capture_stop
	[ -s $pcap ]
}

check_wire() { # OPTION...
	pcap_check $pcap any "$bed_port" --from "$(cat /tmp/log/from)" --to "$(cat /tmp/log/to)" "$@"
}

nothing_acknowledged() { check_wire --min segments_in=1 --max new_ack=0; }
nothing_sent() { check_wire --min segments_in=1 --max new_data=0; }
no_reset() { pcap_check $pcap any "$bed_port" --min segments_out=100 --max rst_out=0; }

# What was said before, too, was within what the standby holds.
never_more_than_committed() {
	local received sent flow acknowledged said
	read -r received sent </tmp/log/committed
	read -r flow said acknowledged <<-END
		$(check_wire --flows | grep '^flow=10.9.0.2:')
	END
	echo "$flow: committed: received $received, to be sent $sent; on the wire: $acknowledged $said"
	[ "${acknowledged#acked=}" -le "$received" ]
	[ "${said#sent=}" -le "$sent" ]
	[ "${said#sent=}" -gt 0 ]
}

newcomer_heard_nothing() {
	local flow
	flow=$(check_wire --flows | grep '^flow=.fd09::2')
	echo "$flow"
	[[ $flow == *' sent=0 acked=0' ]]
}

ktap_begin
for carrier in kernel daemon; do
	ktap_must -t 60 "$carrier: a pair comes up" pair_up policy=stall dead_after_ms=120000 batches=$carrier
	bed_capture_start client $pcap tcp port "$bed_port"
	ktap_case -t 60 "$carrier: traffic, and the standby falls silent" freeze
	ktap_case "$carrier: the connection stands still" frozen
	ktap_case "$carrier: one that begins now stands, too" frozen_newcomer
	ktap_case -t 100 "$carrier: the standby is back, and they go on, to the last byte" thaw
	ktap_must "$carrier: the wire was seen" capture_ends
	ktap_case "$carrier: on the wire: no new byte was acknowledged" nothing_acknowledged
	ktap_case "$carrier: on the wire: nothing new was sent" nothing_sent
	ktap_case "$carrier: on the wire: never more than the standby held" never_more_than_committed
	ktap_case "$carrier: on the wire: nothing to the newcomer" newcomer_heard_nothing
	ktap_case "$carrier: on the wire: no reset, ever" no_reset
	bed_down
done
ktap_end

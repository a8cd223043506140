#!/bin/bash
# The address comes to the standby before the promotion does: silence, never a reset.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

pcap=/tmp/log/address.pcap

now() { date +%s.%N; }

# By hand: the daemons know of no address.
moved_too_early() {
	bed_vip primary
	traffic_start moved "$bed_vip4" --rate 1M
	traffic_start moved6 "$bed_vip6" --rate 500K
	traffic_moves moved
	traffic_moves moved6
	bed_vip standby
	now >/tmp/log/from
	traffic_stands moved 3
	traffic_stands moved6 1
}

# What comes to the standby is counted, and not answered: retransmissions, new connections, stray segments.
silent() {
	local output before
	before=$(counter standby drop_standby)
	! output=$(client echo_client "$bed_vip4" "$bed_port" -s 1 --timeout 3 2>&1) || fail 'it was served'
	echo "$output"
	[[ $output == *'not done in time'* ]] || fail 'it was answered'
	wait_for 20 counts_more "$before"
	now >/tmp/log/to
}

counts_more() { [ "$(counter standby drop_standby)" -gt $(($1 + 1)) ]; }

promoted() {
	standby ftcpctl promote
	standby ftcpctl kick
	traffic_moves moved
	traffic_moves moved6
	speaks_for_both standby
	traffic_end moved
	traffic_end moved6
}

# The other way round: promoted first, the address comes later, and somebody says so.
promoted_too_early() {
	traffic_start early "$bed_vip4" --rate 1M
	traffic_moves early
	primary ftcpctl promote
	primary ftcpctl wait --for active --timeout 10
	standby ftcpctl wait --for standby --timeout 10
	traffic_stands early 1
	bed_vip primary
	primary ftcpctl kick
	traffic_moves early
	traffic_end early
}

nothing_on_the_wire() {
	bed_capture_stop
	pcap_check $pcap any "$bed_port" --from "$(cat /tmp/log/from)" --to "$(cat /tmp/log/to)" \
		--min segments_in=3 --max new_data=0 --max new_ack=0 --max syn_out=0 --max rst_out=0
}

no_reset() { pcap_check $pcap any "$bed_port" --min segments_out=100 --max rst_out=0; }

ktap_begin
ktap_must -t 60 'a pair comes up, with no address of its own' eval 'pair_hosts addresses= && bed_vip primary'
bed_capture_start client $pcap tcp port "$bed_port"
ktap_case -t 60 'the address moves to the standby under traffic' moved_too_early
ktap_case -t 60 'the standby says nothing' silent
ktap_case -t 60 'it is promoted, and connections go on' promoted
ktap_case -t 60 'the other way round: the address comes last' promoted_too_early
ktap_case 'on the wire: silence meanwhile' nothing_on_the_wire
ktap_case 'on the wire: no reset, ever' no_reset
ktap_end

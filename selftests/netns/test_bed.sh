#!/bin/bash
# The bed itself: everybody reaches everybody, the network misbehaves when it is told to.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh

reaches() {
	local address
	for address in "${@:2}"; do
		in_host "$1" ping -c 1 -W 2 "$address"
	done
}

address_moves() {
	bed_vip primary
	reaches client $bed_vip4 $bed_vip6
	bed_vip standby
	reaches client $bed_vip4 $bed_vip6
	bed_vip none
}

round_trip() { # MINIMUM MAXIMUM, in ms, to be between
	client ping -c 3 -i 0.2 -q 10.9.0.11 | awk -F/ -v min="$1" -v max="$2" '
		{ print }
		/^rtt/ { good = $5 >= min && $5 < max }
		END { exit !good }'
}

netem_delays_and_ends() {
	bed_netem both delay 50ms
	round_trip 100 1000
	bed_netem off
	round_trip 0 50
}

tcp_crosses() {
	head -c 1000000 /dev/urandom >/tmp/sent
	spawn primary /tmp/received nc -l -N 7000
	wait_for 10 listens primary 7000
	client nc -N 10.9.0.11 7000 </tmp/sent
	wait_for 10 ktap_gone "$spawned"
	cmp /tmp/sent /tmp/received
}

listens() { [ -n "$(ip netns exec "$1" ss -Hltn "sport = $2")" ]; }

capture_sees() {
	bed_capture_start client /tmp/log/ping.pcap icmp
	client ping -c 2 -i 0.2 10.9.0.11
	bed_capture_stop
	[ "$(tcpdump -n -r /tmp/log/ping.pcap 2>/dev/null | wc -l)" = 4 ]
}

ktap_begin
bed_up
ktap_case 'the client reaches both servers' reaches client 10.9.0.11 10.9.0.12 fd09::11 fd09::12
ktap_case 'the servers reach each other over the sync link' reaches primary 10.9.1.12 fd09:1::12
ktap_case 'the address moves' address_moves
ktap_case 'netem delays, and ends' netem_delays_and_ends
ktap_case 'TCP crosses the LAN' tcp_crosses
ktap_case 'TCP crosses the LAN without offloads' eval 'bed_offload off; tcp_crosses; bed_offload on'
ktap_case 'a capture sees what passed' capture_sees
bed_down
ktap_case 'the bed goes and comes again' eval 'bed_up; bed_down'
ktap_end

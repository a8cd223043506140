#!/bin/bash
# The standby takes over: by command, and when the primary dies. The client sees a pause, and the same stream.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

vip_on() { [ -n "$(ip -n "$1" address show dev eth0 to "$bed_vip4")" ]; } # HOST

# The address is where the group speaks, and only there.
settled_on() { # HOST
	local other=standby
	[ "$1" = primary ] || other=primary
	speaks_for_both "$1"
	wait_for 10 vip_on "$1"
	! vip_on $other || fail "the address is on $other, too"
}

longest_pause() { # NAME LIMIT-MS
	local pause
	pause=$(sed -n 's/.*longest_pause_ms=\([0-9]*\).*/\1/p' "$bed_log/$1.out")
	echo "$1: longest pause $pause ms"
	[ "$pause" -le "$2" ]
}

# Fast ones, and one that says a little now and then.
crowd_start() {
	traffic_start fast "$bed_vip4" -n 3 --rate 700K
	traffic_start fast6 "$bed_vip6" --rate 500K
	traffic_start quiet "$bed_vip4" --rate 20
	traffic_moves quiet 1
	crowd_moves
}

crowd_moves() {
	traffic_moves fast 500000
	traffic_moves fast6 200000
}

crowd_end() {
	traffic_end fast
	traffic_end fast6
	traffic_end quiet
}

# ---------------------------------------------------------------------------------------------------------------------

handover() { # FROM TO
	local epoch
	epoch=$(group_value "$2" epoch)
	in_host "$2" ftcpctl promote
	settled_on "$2"
	role_is "$1" standby
	[ "$(group_value "$2" epoch)" -gt "$epoch" ]
	[ "$(group_value "$1" epoch)" = "$(group_value "$2" epoch)" ]
	crowd_moves
}

# ---------------------------------------------------------------------------------------------------------------------

# Its daemon is killed, its cables are cut; what its kernel thinks reaches nobody.
dies() { # HOST SURVIVOR
	bed_unplug "$1" eth0
	bed_unplug "$1" sync0
	syncd_end "$1" KILL
	in_host "$2" ftcpctl wait --for active --timeout 30
	crowd_moves
	vip_on "$2"
	syncd_says "$2" 'became primary'
}

# It comes back as it was, still thinking that it is primary, and gives way.
zombie_rejoins() {
	ip -n lan link set primary up
	ip -n primary link set sync0 up
	pair_syncd primary
	settled_on standby
	syncd_says primary 'falling silent'
	crowd_moves
}

rejoins_empty() { # HOST SURVIVOR
	host_reboot "$1"
	pair_syncd "$1"
	settled_on "$2"
	crowd_moves
	has_conns "$1" 5
}

# A standby that is not in sync must not take over: the connections would be lost.
not_in_sync_waits() {
	host_crash standby
	syncd_end primary KILL
	host_reboot standby
	bed_unplug primary sync0
	bed_unplug primary eth0
	pair_syncd standby
	traffic_stands fast 3
	role_is standby standby
	verdict standby standby-not-in-sync 1
	ip -n primary link set sync0 up
	ip -n lan link set primary up
	pair_syncd primary
	settled_on primary
	crowd_moves
}

# What the first primary sent never reached the client: the reset of the next one lies beyond what it expects, and it asks (RFC 5961, 3.2). This host must
# not deny what it does not know now, but it knows that it has reset this one.
reset_is_asked_about() {
	client nft "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; add rule ip deaf in tcp sport $bed_port meta length > 200 drop"
	spawn client "$bed_log/deaf.log" python3 -c "
import socket
s = socket.create_connection(('$bed_vip4', $bed_port))
s.sendall(bytes(3000))
print('sent', flush=True)
try:
    print(len(s.recv(1)), 'bytes came', flush=True)
except ConnectionResetError:
    print('reset', flush=True)
"
	wait_for 20 grep -q sent "$bed_log/deaf.log"
	wait_for 20 nothing_unacknowledged
	standby ftcpctl promote
	settled_on standby
	standby ftcpctl conn kill "$bed_vip4:$bed_port" "$(conn_value standby remote_address):$(conn_value standby remote_port)"
	wait_for 30 grep -q reset "$bed_log/deaf.log" || { cat "$bed_log/deaf.log"; fail 'the client was not told'; }
	client nft delete table ip deaf
}
nothing_unacknowledged() { [ "$(ip netns exec client ss -Htn dport = ":$bed_port" | awk '{ print $3 }')" = 0 ]; }

nothing_left() {
	wait_for 10 has_conns primary 0
	wait_for 10 has_conns standby 0
	[ "$(counter primary broken_invariants)" = 0 ]
	[ "$(counter standby broken_invariants)" = 0 ]
}

no_reset() {
	bed_capture_stop
	pcap_check /tmp/log/takeover.pcap any "$bed_port" --max rst_out=0
}

# ---------------------------------------------------------------------------------------------------------------------

epoch_stored() { grep -q "^ftcp-epoch 1 default $2 " "/run/$1.epoch"; } # HOST EPOCH

# The primary is cut off, and stands; the other one goes on, and loses everything in a power cut. What the first one holds is not what
# clients have seen last: it must not go on with it, though nobody holds anything better.
survivor_forgets() {
	local epoch
	traffic_start cut "$bed_vip4" -n 2 --rate 500K
	traffic_moves cut
	bed_unplug primary eth0
	bed_unplug primary sync0
	in_host standby ftcpctl wait --for active --timeout 30
	traffic_moves cut
	epoch=$(group_value standby epoch)
	wait_for 20 epoch_stored standby "$epoch"
	role_is primary primary
	has_conns primary 2
	host_crash standby
	host_reboot standby
	ip -n lan link set primary up
	pair_syncd standby
	speaks_for_both primary
	syncd_says primary 'falling silent: the peer has a higher epoch'
	[ "$(group_value primary epoch)" -gt "$epoch" ]
	has_conns primary 0
	# Their clients may be reset, as those of any connection that a host does not know, and get nothing more.
	settles 2 traffic_bytes cut
	traffic_kill cut
	traffic_start anew "$bed_vip4" --rate 500K
	traffic_moves anew
	traffic_end anew
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up dead_after_ms=2500
bed_capture_start client /tmp/log/takeover.pcap "tcp src port $bed_port and tcp[tcpflags] & tcp-rst != 0 or ip6[6] = 6 and ip6[53] & 4 != 0"
ktap_must -t 60 'connections, busy and quiet' crowd_start
ktap_case -t 60 'handover by command' handover primary standby
ktap_case -t 60 'and back' handover standby primary
ktap_case -t 60 'the primary dies, the standby takes over' dies primary standby
ktap_case -t 60 'it returns with what it had, gives way and follows' zombie_rejoins
ktap_case -t 60 'crash back: the survivor dies, the other takes over' dies standby primary
ktap_case -t 60 'that one returns with empty hands, and follows' rejoins_empty standby primary
ktap_case -t 60 'once more' dies primary standby
ktap_case -t 60 'and once more' rejoins_empty primary standby
ktap_case -t 60 'back to the beginning' handover standby primary
ktap_case -t 100 'a standby that is not in sync does not take over' not_in_sync_waits
ktap_case -t 100 'every connection got back what it sent' crowd_end
ktap_case 'the pause of the busy ones was bearable' longest_pause fast 30000
ktap_case 'no reset was seen' no_reset
ktap_case -t 90 'a reset that the client asks about is said again' reset_is_asked_about
ktap_case 'nothing is left' nothing_left
bed_down
ktap_must -t 60 'another pair comes up' pair_up dead_after_ms=2500
ktap_case -t 100 'a primary that was cut off gives way to who took over, and forgot' survivor_forgets
ktap_end

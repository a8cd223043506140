#!/bin/bash
# The services beside echo, discard (RFC 863) and chargen (RFC 864): alone, and across takeovers.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

discard_port=9
chargen_port=19

add_services() { # HOST...
	local host
	for host in "$@"; do
		in_host "$host" ftcpctl service add discard --port $discard_port
		in_host "$host" ftcpctl service add chargen --port $chargen_port
	done
}

alone_up() {
	lone_up --keepalive 60000
	add_services primary
}

both_up() {
	pair_up dead_after_ms=2500
	add_services standby primary
}

# All is acknowledged, nothing is said, and the end is answered with the end.
discards() { # ADDRESS BYTES
	local before after
	before=$(counter primary bytes_in)
	random_file /tmp/sent "$2"
	client timeout 60 nc -N "$1" $discard_port </tmp/sent >/tmp/received
	[ ! -s /tmp/received ] || fail "discard said something: $(head -c 80 /tmp/received)"
	after=$(counter primary bytes_in)
	[ $((after - before)) -ge "$2" ] || fail "it took $((after - before)) bytes of $2"
}

# Of what comes in one round of the softirq, most is looked after at its end, together.
together() {
	local before segs
	bed_offload off
	before=$(counter primary segs_together)
	segs=$(counter primary segs_in)
	discards "$bed_vip4" 10000000
	bed_offload on
	segs=$(($(counter primary segs_in) - segs)) before=$(($(counter primary segs_together) - before))
	[ $before -gt $((segs / 4)) ] || fail "$before of $segs segments"
}

generates() { client ./chargen_read "$1" $chargen_port --bytes "$2"; } # ADDRESS BYTES

# What the client says does not disturb it.
ignores_input() {
	random_file /tmp/sent 300000
	client timeout 60 nc -N "$bed_vip4" $chargen_port </tmp/sent >/tmp/received
	head -c 7030 /tmp/received | sha256sum >/tmp/sum
	client timeout 60 nc -d "$bed_vip4" $chargen_port | head -c 7030 | sha256sum | cmp - /tmp/sum
}

many() {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ip netns exec client ./chargen_read "$bed_vip4" $chargen_port --bytes $((i * 30001)) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
}

refuses_others() {
	local said
	! said=$(primary ftcpctl service add daytime --port 13 2>&1) || fail 'daytime was accepted'
	[[ $said == *'echo, discard, chargen, socket'* ]] || fail "it does not say what there is: $said"
}

nothing_left() { # HOST...
	local host
	for host in "$@"; do
		wait_for 10 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; return 1; }
		[ "$(counter "$host" broken_invariants)" = 0 ] || fail "broken invariants on $host"
	done
}

# ---------------------------------------------------------------------------------------------------------------------

reader_bytes() { cat "$bed_log/$1.progress" 2>/dev/null || echo 0; } # NAME
reader_over() { [ "$(reader_bytes "$1")" -ge "$2" ] || ktap_gone "$(<"$bed_log/$1.pid")"; } # NAME BYTES

reader_start() { # NAME ADDRESS
	spawn client "$bed_log/$1.out" ./chargen_read "$2" $chargen_port --rate 1000000 --progress "$bed_log/$1.progress"
	echo "$spawned" >"$bed_log/$1.pid"
}

reader_moves() { # NAME
	local from
	from=$(reader_bytes "$1")
	wait_for 60 reader_over "$1" $((from + 200000)) || { cat "$bed_log/$1.out"; return 1; }
	! ktap_gone "$(<"$bed_log/$1.pid")" || { cat "$bed_log/$1.out"; return 1; }
}

readers_start() {
	reader_start four "$bed_vip4"
	reader_start six "$bed_vip6"
	readers_move
}

readers_move() {
	reader_moves four
	reader_moves six
}

readers_end() {
	local name
	for name in four six; do
		kill -USR1 "$(<"$bed_log/$name.pid")"
		wait_for 60 ktap_gone "$(<"$bed_log/$name.pid")"
		cat "$bed_log/$name.out"
		[[ $(<"$bed_log/$name.out") =~ ^bytes=[0-9]+$ ]]
	done
}

handover() { # TO
	in_host "$1" ftcpctl promote
	speaks_for_both "$1"
	readers_move
}

dies() { # HOST SURVIVOR
	host_crash "$1"
	in_host "$2" ftcpctl wait --for active --timeout 30
	readers_move
}

ktap_begin
ktap_must -t 60 'alone: a host comes up' alone_up
ktap_case -t 60 'alone: discard, 5 MB' discards "$bed_vip4" 5000000
ktap_case -t 60 'alone: discard, IPv6, 1 MB' discards "$bed_vip6" 1000000
ktap_case -t 60 'alone: discard, segments of a round together' together
ktap_case 'alone: discard, nothing at all' discards "$bed_vip4" 0
ktap_case -t 60 'alone: chargen, 20 MB' generates "$bed_vip4" 20000000
ktap_case -t 60 'alone: chargen, IPv6, 20 MB' generates "$bed_vip6" 20000000
ktap_case 'alone: chargen, closed at once' generates "$bed_vip4" 0
ktap_case -t 60 'alone: chargen does not listen' ignores_input
ktap_case -t 60 'alone: chargen, ten at once' many
ktap_case 'alone: other services are refused, and it says which there are' refuses_others
ktap_case 'alone: nothing is left' nothing_left primary
ktap_must -t 60 'everything is taken away' bed_down
ktap_must -t 60 'pair: two come up' both_up
ktap_case -t 60 'pair: discard, 5 MB' discards "$bed_vip4" 5000000
ktap_case -t 60 'pair: chargen, 10 MB' generates "$bed_vip4" 10000000
ktap_must -t 60 'pair: two are reading' readers_start
ktap_case -t 60 'pair: handover, the pattern goes on' handover standby
ktap_case -t 60 'pair: and back' handover primary
ktap_case -t 60 'pair: the primary dies, the pattern goes on' dies primary standby
ktap_case -t 90 'pair: they close, and every byte was right' readers_end
ktap_case 'pair: nothing is left' nothing_left standby
ktap_end

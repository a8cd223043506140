#!/bin/bash
# What one connection has in the host's queues: little, but never nothing; and the module waits for it.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

chargen_port=19

up() {
	lone_up
	primary ftcpctl service add chargen --port $chargen_port
	wait_for 10 bed_reaches client "$bed_vip4"
}

# Packets of 64 KB pass it whole: a shaper that cuts them up lets go of the originals.
shape() { tc -n primary qdisc replace dev eth0 root tbf rate "$1" burst 200kb limit 8mb; } # RATE

backlog() { tc -n primary -s -j qdisc show dev eth0 | grep -o '"backlog":[0-9]*' | tail -n 1 | cut -d: -f2; }
queued() { [ "$(backlog)" -gt 0 ]; }

# Two segments of 64 KB, or a millisecond of it, which is less here; and headers, and what the client's ping has there.
stays_low() {
	local most=0 now samples=0 busy=0 reader
	shape 4mbit
	ip netns exec client ./chargen_read "$bed_vip4" $chargen_port --bytes 4000000 >"$bed_log/bulk.log" 2>&1 &
	reader=$!
	wait_for 20 queued
	while now=$(backlog) && kill -0 $reader 2>/dev/null; do
		most=$((now > most ? now : most)) samples=$((samples + 1)) busy=$((busy + (now > 0)))
		sleep 0.1
	done
	wait $reader
	echo "# at most $most bytes waited; something did in $busy of $samples looks"
	[ $most -lt 300000 ] || fail "$most bytes waited"
	[ $((2 * busy)) -gt $samples ] || fail "the line was idle: something waited in only $busy of $samples looks"
}

# Packets of a closed connection are still in the queue.
unloads() {
	local reader
	shape 400kbit
	ip netns exec client ./chargen_read "$bed_vip4" $chargen_port >"$bed_log/unload.log" 2>&1 &
	reader=$!
	wait_for 20 queued
	wait_for 30 bed_module_unload || fail "rmmod: $(rmmod ftcp 2>&1)"
	! grep ftcp /proc/slabinfo || fail 'something is left'
	kill $reader 2>/dev/null || true
	wait $reader || true
}

# The same, where nobody will ever send them: the line is cut, and the queue thrown away.
unloads_cut_off() {
	local reader
	tc -n primary qdisc del dev eth0 root
	bed_module_load
	primary ftcpctl service add chargen --port $chargen_port
	primary ftcpctl promote --force
	shape 8kbit
	ip netns exec client ./chargen_read "$bed_vip4" $chargen_port >"$bed_log/cut.log" 2>&1 &
	reader=$!
	wait_for 20 queued
	ip -n primary link set eth0 down
	wait_for 30 bed_module_unload || fail "rmmod: $(rmmod ftcp 2>&1)"
	kill $reader 2>/dev/null || true
	wait $reader || true
}

ktap_begin
ktap_must -t 60 'alone, with a generator of characters' up
ktap_case -t 100 'a bulk transfer keeps little in the queue, and the line busy' stays_low
ktap_case -t 100 'the module goes while the queue holds its packets' unloads
ktap_case -t 100 'the module goes when the line is cut' unloads_cut_off
ktap_end

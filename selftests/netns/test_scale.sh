#!/bin/bash
# Many connections, most of them idle: what one costs, whether the many make each of them slower, how long a takeover of all of them takes.
# SIZE=: how many (5000); one in ten is busy. `make bench-scale` takes 100,000.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

size=${SIZE:-2000}
few=50
sources=8
patience=$((60 + size / 100))	# seconds; emulated machines open some hundred connections a second
tracing=/sys/kernel/tracing
ask=/tmp/crowd.ask

number() { sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" <<<"$2"; } # KEY LINE

crowd_up() {
	local host i
	pair_up policy=stall
	# Two hosts are one machine here, and each may take its quarter.
	memory_max "$(awk '/^MemTotal:/ { print int($2 / 2048) }' /proc/meminfo)"
	for ((i = 1; i <= sources; i++)); do
		ip -n client address add 10.9.2.$i/32 dev eth0
	done
	for host in primary standby; do
		ip -n $host route add 10.9.2.0/24 dev eth0
	done
	client sysctl -qw net.ipv4.ip_local_port_range='1024 65000'
	mkfifo $ask
	echo "[client] conn_crowd $bed_vip4 $bed_port 10.9.2.1 $sources &" >&2
	ip netns exec client conn_crowd "$bed_vip4" "$bed_port" 10.9.2.1 $sources <$ask >"$bed_log/crowd.out" 2>"$bed_log/crowd.err" &
	echo $! >"$bed_log/crowd.pid"
}

answers_are() { [ "$(grep -c . "$bed_log/crowd.out")" -ge "$1" ] || ktap_gone "$(cat "$bed_log/crowd.pid")"; } # NUMBER

crowd() { # COMMAND...: prints its answer
	local n
	n=$(($(grep -c . "$bed_log/crowd.out") + 1))
	echo "$*" >&9
	wait_for $patience answers_are $n || { cat "$bed_log/crowd.err"; return 1; }
	sed -n "${n}p" "$bed_log/crowd.out"
}

# What a case has found out, for people: shown at the end although all has passed. Not through a descriptor, which the daemons would inherit.
tell() { echo "# $*" | tee -a "$bed_log/scale"; }

held_by_both() { # NUMBER
	[ "$(group_value primary connections)" = "$1" ] && [ "$(group_value standby connections)" = "$1" ]
}

open_few() {
	local line
	line=$(crowd open $few)
	[ "$(number lost "$line")" = 0 ]
	wait_for $patience held_by_both $few
	line=$(crowd busy $few 3)
	[ "$(number lost "$line")" = 0 ]
	number mean_us "$line" >"$bed_log/few"
}

open_many() {
	local line
	line=$(crowd open $((size - few)))
	cat "$bed_log/crowd.err"
	[ "$(number lost "$line")" = 0 ]
	wait_for $patience held_by_both "$size"
	tell "$size connections were opened at $(((size - few) * 1000 / ($(number ms "$line") + 1))) a second, client and both hosts in one machine"
}

slab() { awk -v name="$1" '$1 == name { print $2, $4 }' /proc/slabinfo; } # NAME: objects in use, bytes of each

# The scoreboards go when the connections have been idle for a second; buffers of an idle connection are empty.
no_boards() { [ "$(slab ftcp_board | cut -d' ' -f1)" -le $((size / 50 + 100)) ]; }

memory() {
	local objects bytes boards chunks held
	wait_for $patience no_boards
	read -r objects bytes <<<"$(slab ftcp_conn)"
	read -r boards _ <<<"$(slab ftcp_board)"
	[ "$objects" -ge $((2 * size)) ]
	[ "$bytes" -le 1088 ]
	held=$(primary ftcpctl -j conn list | grep -o '"[rs][cn][vd]_held": *[1-9]' | grep -c . || true)
	chunks=$(slab ftcp_chunk | cut -d' ' -f1)
	tell "an idle connection is $bytes bytes on each host; $objects of them in both, $boards scoreboards, ${chunks:-no} chunks; $held buffers with anything in them"
	[ "$held" -le $((size / 50 + 100)) ]
}

# One among many is found as fast as one among few: not more than twice as slow, on a machine that does other things, too.
lookup() {
	local line few_us many_us
	line=$(crowd busy $few 3)
	few_us=$(cat "$bed_log/few") many_us=$(number mean_us "$line")
	tell "$few busy ones: an answer takes $few_us us when they are alone, $many_us us among $size"
	[ "$many_us" -le $((few_us * 2 + 2000)) ]
}

busy() {
	local line
	line=$(crowd busy $((size / 10)) 5)
	[ "$(number lost "$line")" = 0 ]
	tell "$((size / 10)) busy ones among $size: $(number answers "$line") answers in $(number ms "$line") ms, the slowest after $(number max_us "$line") us"
}

takeover() {
	local line began ended
	[ -e $tracing/trace ] || mount -t tracefs tracefs $tracing
	echo 1 >$tracing/events/ftcp/takeover/enable
	host_crash primary
	began=$(date +%s%3N)
	standby ftcpctl promote --force
	ended=$(date +%s%3N)
	echo 0 >$tracing/events/ftcp/takeover/enable
	line=$(grep ' takeover: ' $tracing/trace | tail -n 1)
	[ "$(number conns "$line")" = "$size" ]
	tell "takeover of $size: $(($(number us "$line") / 1000)) ms from the promotion to the last connection's first segment; the command took $((ended - began)) ms"
	wait_for 30 vip_on standby
	line=$(crowd ping)
	tell "every one of them had an answer from the new host $(($(date +%s%3N) - ended)) ms after that"
	[ "$(number lost "$line")" = 0 ] && [ "$(number answers "$line")" = "$size" ]
	[ "$(counter standby conns_taken_over)" = "$size" ]
}

vip_on() { [ -n "$(ip -n "$1" address show dev eth0 to "$bed_vip4")" ]; } # HOST

none_lost() {
	echo quit >&9
	wait_for $patience ktap_gone "$(cat "$bed_log/crowd.pid")"
	! grep . "$bed_log/crowd.err" || fail 'some were lost'
	wait_for $patience has_conns standby 0
	[ "$(counter standby broken_invariants)" = 0 ]
}

ktap_begin
ktap_must -t 60 'a pair comes up, and a crowd waits' crowd_up
exec 9>$ask
ktap_must -t $patience "$few connections" open_few
ktap_must -t $((2 * patience)) "$size connections" open_many
ktap_case -t $((2 * patience)) 'what an idle one takes' memory
ktap_case -t $patience 'many make none slower' lookup
ktap_case -t $patience 'one in ten is busy' busy
ktap_case -t $((2 * patience)) 'all of them are taken over' takeover
ktap_case -t $((2 * patience)) 'none was lost, none is left' none_lost
cat "$bed_log/scale"
ktap_end

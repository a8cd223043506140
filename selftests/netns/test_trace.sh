#!/bin/bash
# To be seen: tracepoints, a counter for each reason, conn show.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

tracing=/sys/kernel/tracing
stranger=10.9.0.77

trace_begin() {
	[ -e $tracing/trace ] || mount -t tracefs tracefs $tracing
	[ -d $tracing/events/ftcp ]
	echo 8192 >$tracing/buffer_size_kb
	: >$tracing/trace
	echo 1 >$tracing/events/ftcp/enable
}

trace_end() {
	echo 0 >$tracing/events/ftcp/enable
	cat $tracing/trace >"$bed_log/trace"
	: >$tracing/trace
}

traced() { # EVENT PATTERN...: all in one line of the trace
	local lines event=$1 pattern
	lines=$(grep -E " (ftcp:)?$event: " "$bed_log/trace" || true)
	for pattern in "${@:2}"; do
		lines=$(grep -E -- "$pattern" <<<"$lines" || true)
	done
	[ -n "$lines" ] || fail "no $event with $*; $(grep -c . "$bed_log/trace") lines"
	head -n 1 <<<"$lines"
}

life_of_a_connection() {
	trace_begin
	echo_once "$bed_vip4" -s 200K
	wait_for 10 has_conns primary 0
	trace_end
	traced segment_in 'flags=SYN ' 'reason=none'
	traced segment_out 'flags=SYN\|ACK' 'local=\[::ffff:10.9.0.100\]:9999'
	traced state 'old=NONE new=SYN-RECEIVED'
	traced state 'old=SYN-RECEIVED new=ESTABLISHED'
	traced state 'old=ESTABLISHED new=(CLOSE-WAIT|LAST-ACK)'
	traced state 'new=CLOSED'
	traced commit 'rcv=204801 of 204801' 'state=LAST-ACK'
}

roles_change() {
	trace_begin
	traffic_start through "$bed_vip4" --rate 100K
	traffic_moves through 20000
	standby ftcpctl promote
	speaks_for_both standby
	traffic_moves through 20000
	primary ftcpctl promote
	speaks_for_both primary
	traffic_end through
	trace_end
	traced role 'group=default' 'old=standby new=detached'
	traced role 'new=standby'
	traced takeover 'conns=1 '
	traced state 'old=NONE new=ESTABLISHED'
}

losses_are_seen() {
	trace_begin
	bed_netem both loss 5%
	echo_once "$bed_vip4" -s 16M
	bed_netem off
	trace_end
	traced retransmit 'state=ESTABLISHED' 'recovery=(fast|timeout|none)'
}

# What has to be dropped, for many reasons: each is counted under its name, and traced with it.
every_reason() {
	local reason before after
	ip -n primary neighbour replace $stranger lladdr "$(cat_mac client)" dev eth0
	primary ftcpctl -j stats -a >"$bed_log/before"
	standby ftcpctl -j stats -a >>"$bed_log/before"
	trace_begin
	client ./provoke.py eth0 $stranger "$bed_vip4" "$bed_port" 10.9.0.12 >"$bed_log/provoked"
	client nft 'table inet t { chain c { type filter hook output priority 0; }; }'
	primary nft 'table inet t { chain c { type filter hook input priority 0; tcp dport 9999 drop; }; }'
	client timeout 1 nc -w 1 "$bed_vip4" "$bed_port" </dev/null || true
	primary nft delete table inet t
	client nft delete table inet t
	echo firewall >>"$bed_log/provoked"
	trace_end
	primary ftcpctl -j stats -a >"$bed_log/after"
	standby ftcpctl -j stats -a >>"$bed_log/after"
	[ "$(grep -c . "$bed_log/provoked")" -ge 18 ]
	while read -r reason; do
		before=$(total before "$reason")
		after=$(total after "$reason")
		[ "$after" -gt "$before" ] || fail "$reason was not counted"
		traced segment_in "reason=$reason\$"
	done <"$bed_log/provoked"
}

cat_mac() { ip netns exec "$1" cat /sys/class/net/eth0/address; } # HOST

total() { # FILE REASON: over both hosts
	grep -o "\"drop_$2\": *[0-9]*" "$bed_log/$1" | awk '{ n += $2 } END { print n + 0 }' FS=:
}

# The list of counters and the list that the tracepoint knows are one.
counters_have_names() {
	local name
	primary ftcpctl -j stats -a | grep -o '"drop_[^"]*"' | tr -d '"' >"$bed_log/names"
	[ "$(grep -c . "$bed_log/names")" -ge 25 ]
	while read -r name; do
		grep -q "\"${name#drop_}\"" $tracing/events/ftcp/segment_in/format || fail "$name is unknown to the tracepoint"
		primary ftcpctl stats -a | grep -E "^$name +[0-9]+ +[A-Za-z]" || fail "$name is not explained"
	done <"$bed_log/names"
}

has() { grep -E -q -- "$1" "$bed_log/show" || { cat "$bed_log/show"; fail "there is no $1"; }; } # PATTERN

conn_show() {
	local word
	traffic_start shown "$bed_vip4" --rate 300K
	traffic_moves shown 100000
	primary ftcpctl conn show >"$bed_log/show"
	cat "$bed_log/show"
	has "^established $bed_vip4:$bed_port 10.9.0.2:[0-9]+ group:default age:"
	for word in 'ts sack wscale:[0-9]+,7 cubic' 'rto:2[0-9.]+' 'rtt:[0-9.]+/[0-9.]+' 'mss:1448 pmtu:1500' 'cwnd:[1-9][0-9]{3}' 'retrans:0/[0-9]' \
		'lastrcv:[0-9]' 'bytes_received:[1-9][0-9]{4}' 'segs_in:[1-9]' 'timer:[a-z]+,[0-9]+ms' 'in: consumed:' 'committed:[1-9]' 'shipped:[1-9]' \
		'out: snd_una:[1-9]'; do
		has "$word"
	done
	standby ftcpctl conn show >"$bed_log/show"
	has 'in: consumed:[0-9]+ rcv_nxt:'
	primary ftcpctl conn show "$(sed -n 's/^established [^ ]* \([^ ]*\) .*/\1/p' "$bed_log/show")"
	if primary ftcpctl conn show 10.9.0.2:1; then fail 'it is shown, and is not there'; fi
	primary ftcpctl -j conn show | grep '"snd_max"' | grep '"timer_' | grep -q '"congestion": *"cubic"'
	traffic_end shown
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up
ktap_case -t 60 'the life of a connection is traced' life_of_a_connection
ktap_case -t 100 'changes of role, and a takeover' roles_change
ktap_case -t 60 'retransmissions' losses_are_seen
ktap_case -t 200 'what is dropped is counted and traced with its reason' every_reason
ktap_case -t 200 'every reason has a counter with a name and a meaning' counters_have_names
ktap_case -t 60 'conn show' conn_show
ktap_end

#!/bin/bash
# The host's own firewall decides, and what is not addressed to the host is none of ftcp's business.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

firewall() { # RULES: of the input chain
	primary nft -f - <<-END
		table inet filter {
			chain input { type filter hook input priority 0; $1; }
		}
	END
}

no_firewall() { primary nft delete table inet filter; }

# Not refused: silence.
silence() { # ADDRESS
	local output
	! output=$(client echo_client "$1" "$bed_port" -s 1 --timeout 2 2>&1) || fail 'it was answered'
	echo "$output"
	[[ $output == *'not done in time'* ]]
}

input_drops() {
	local before
	before=$(counter primary drop_firewall)
	firewall "tcp dport $bed_port drop"
	silence "$bed_vip4"
	silence "$bed_vip6"
	[ "$(counter primary drop_firewall)" -gt "$before" ] || fail 'it was not counted'
	no_firewall
	echo_once "$bed_vip4" -s 10K
}

# A rule for another port, or another source, is no rule for us.
input_passes() {
	firewall "tcp dport $((bed_port + 1)) drop; ip saddr 10.9.0.99 drop"
	echo_once "$bed_vip4" -s 10K
	no_firewall
}

input_rejects() {
	local output
	firewall "tcp dport $bed_port reject with tcp reset"
	! output=$(client echo_client "$bed_vip4" "$bed_port" -s 1 --timeout 5 2>&1) || fail 'it was served'
	no_firewall
	echo "$output"
	[[ $output == *refused* ]]
}

# In mid-stream: it stands, and goes on.
input_drops_for_a_while() {
	traffic_start walled "$bed_vip4" --rate 1M
	traffic_moves walled
	firewall "tcp dport $bed_port drop"
	traffic_stands walled
	no_firewall
	traffic_moves walled
	traffic_end walled
}

# What a stateful firewall thinks of our segments: they belong to connections that it has seen.
conntrack_agrees() {
	firewall "policy drop; ct state invalid counter drop; ct state established,related accept; \
		tcp dport $bed_port ct state new accept; meta l4proto { icmp, ipv6-icmp } accept"
	echo_once "$bed_vip4" -n 5 -s 1M
	echo_once "$bed_vip6" -n 5 -s 200K
	primary nft list table inet filter
	no_firewall
}

# Source and counters of rules see the packet as it came.
rule_counts() {
	local packets
	firewall "ip saddr 10.9.0.2 ip daddr $bed_vip4 tcp dport $bed_port counter accept"
	echo_once "$bed_vip4" -s 10K
	packets=$(primary nft list table inet filter | sed -n 's/.*packets \([0-9]*\).*/\1/p')
	no_firewall
	[ "$packets" -ge 4 ] || fail "$packets packets were counted"
}

# ---------------------------------------------------------------------------------------------------------------------

# A host behind the primary, which is its router, with an ordinary service on the same port.
far_up() {
	ip netns add far
	ip netns exec far sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n far link set lo up
	ip -n primary link add far type veth peer name eth0 netns far
	ip -n primary address add 10.9.7.1/24 dev far
	ip -n primary address add fd09:7::1/64 dev far
	ip -n far address add 10.9.7.2/24 dev eth0
	ip -n far address add fd09:7::2/64 dev eth0
	ip -n primary link set far up
	ip -n far link set eth0 up
	ip -n far route add default via 10.9.7.1
	ip -n far route add default via fd09:7::1
	ip -n client route add 10.9.7.0/24 via 10.9.0.11
	ip -n client route add fd09:7::/64 via fd09::11
	primary sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	spawn far /tmp/log/far.log socat -t 60 "TCP6-LISTEN:$bed_port,fork,reuseaddr,ipv6-v6only=0" EXEC:cat
	wait_for 10 bed_reaches client 10.9.7.2
	wait_for 10 bed_reaches client fd09:7::2
}

far_down() {
	bed_kill far
	ip netns delete far
}

transit() {
	local before
	before=$(counter primary segs_in)
	client echo_client 10.9.7.2 "$bed_port" -s 1M --timeout 30
	client echo_client fd09:7::2 "$bed_port" -s 1M --timeout 30
	[ "$(counter primary segs_in)" = "$before" ] || fail 'ftcp has seen segments in transit'
	echo_once "$bed_vip4" -s 10K
}

# The router's own addresses are its own, also when asked from behind.
not_transit() {
	in_host far echo_client 10.9.0.11 "$bed_port" -s 10K --timeout 10
	in_host far echo_client "$bed_vip4" "$bed_port" -s 10K --timeout 10
	in_host far echo_client fd09:7::1 "$bed_port" -s 10K --timeout 10
}

own_client() {
	primary echo_client 127.0.0.1 "$bed_port" -s 1M --timeout 30
	primary echo_client ::1 "$bed_port" -s 100K --timeout 30
	primary echo_client "$bed_vip4" "$bed_port" -s 100K --timeout 30
}

other_ports() {
	spawn primary /tmp/log/other.log socat -t 60 TCP-LISTEN:7000,fork,reuseaddr EXEC:cat
	wait_for 10 eval 'client echo_client 10.9.0.11 7000 -s 100K --timeout 10'
	kill "$spawned"
	! client echo_client 10.9.0.11 7001 -s 1 --timeout 10 || fail 'who has answered?'
}

ktap_begin
ktap_must -t 60 'a host comes up' lone_up
ktap_case 'a rule of the INPUT chain drops' input_drops
ktap_case "another port's rule does not" input_passes
ktap_case 'a rule rejects' input_rejects
ktap_case 'a rule sees addresses and ports, and counts' rule_counts
ktap_case -t 60 'a rule that comes in mid-stream, and goes' input_drops_for_a_while
ktap_case -t 60 'a stateful firewall accepts' conntrack_agrees
ktap_case 'other ports are not touched' other_ports
ktap_case 'clients on the host itself' own_client
ktap_must -t 40 'a host behind the primary' far_up
ktap_case -t 60 'transit traffic to the port is not touched' transit
ktap_case 'from behind, the router itself serves' not_transit
ktap_case 'the host behind goes' far_down
ktap_end

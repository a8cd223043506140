#!/bin/bash
# The module's parameters: what is nonsense is refused, with a message that says what would not be.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

ko=$(modinfo -n ftcp)
echo "# $ko"

last_words() { dmesg | grep 'ftcp: ' | tail -n 3; }

refused() { # PATTERN PARAMETER...
	local output
	dmesg -c >/dev/null
	! output=$(insmod "$ko" "${@:2}" 2>&1) || { rmmod ftcp; fail "${*:2} was accepted"; }
	echo "${*:2}: $output"
	last_words
	bed_module_loaded && fail 'the module is there all the same'
	dmesg | grep 'ftcp: ' | grep -E -q -- "$1" || fail "the kernel log does not say $1"
}

accepted() { # PORTS PARAMETER...: so many services
	local services
	insmod "$ko" "${@:2}"
	services=$(ftcpctl -j service list)
	rmmod ftcp
	echo "${*:2}: $services"
	[ "$(echo "$services" | grep -o '"port"' | wc -l)" = "$1" ]
}

wrong_port() {
	refused 'port.*0' port=0
	refused 'port.*65536' port=65536
	refused 'port.*-1' port=-1
	refused 'port.*http' port=http
	refused 'port.*99x' port=99x
	refused 'port' port=
	refused 'port' port=80,
	refused 'port' port=80,,81
	refused 'port.*4294967377' port=4294967377
}

port_twice() { refused 'port.*80|service' port=80,80; }
too_many_ports() { refused 'port' port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20; }

wrong_addr() {
	refused 'addr.*nonsense' port=80 addr=nonsense
	refused 'addr.*300' port=80 addr=10.9.0.300
	refused 'addr.*10.9.0.1/24' port=80 addr=10.9.0.1/24
	refused 'addr.*fd09' port=80 addr=fd09::1::2
	refused 'addr' port=80 addr=
}

good() {
	accepted 0
	accepted 1 port=9999
	accepted 1 port=65535
	accepted 3 port=1,2,3
	accepted 1 port=9999 addr=10.9.0.100
	accepted 1 port=9999 addr=fd09::100
	accepted 2 port=9999,9998 addr=::1
}

# A parameter that there is not is not the module's to refuse; the kernel warns.
unknown() {
	insmod "$ko" prot=80
	rmmod ftcp
}

# insmod loads no other module, and a service that a batch brings must not wait for one.
reassembly_is_there() {
	local found
	insmod "$ko"
	found=$(grep -c ' nf_defrag_ipv[46]_enable' /proc/kallsyms || true)
	rmmod ftcp
	[ "$found" -ge 2 ] || fail 'nobody reassembles'
}

# Until it is promoted, the port is silent: not even refused.
silent_at_first() {
	local output
	insmod "$ko" port=9999
	! output=$(echo_client 127.0.0.1 9999 -s 1 --timeout 1 2>&1) || fail 'it is served already'
	[[ $output == *'not done in time'* ]] || fail "$output"
	ftcpctl promote --force
	echo_client 127.0.0.1 9999 -s 100K --timeout 10
	echo_client ::1 9999 -s 100K --timeout 10
	rmmod ftcp
}

no_leftovers() {
	bed_module_loaded && fail 'the module is still there'
	! grep ftcp /proc/slabinfo
}

ktap_begin
ktap_case 'what reassembles datagrams is loaded, too' reassembly_is_there
ktap_case -t 60 'wrong ports are refused' wrong_port
ktap_case 'a port given twice is refused' port_twice
ktap_case 'too many ports are refused' too_many_ports
ktap_case -t 60 'wrong addresses are refused' wrong_addr
ktap_case -t 60 'good ones are taken' good
ktap_case 'unknown ones do no harm' unknown
ktap_case 'silence until the promotion' silent_at_first
ktap_case 'nothing is left' no_leftovers
ktap_end

#!/bin/bash
# The daemon: restarted on either side under load; wrong configurations, wrong peers, garbage on its port.
# limit: 600 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

sync_port=7789

load_start() {
	traffic_start load "$bed_vip4" -n 3 --rate 300K --timeout 540
	traffic_start load6 "$bed_vip6" --rate 200K --timeout 540
	load_moves
}

load_moves() {
	traffic_moves load 300000
	traffic_moves load6 100000
}

load_end() {
	traffic_end load
	traffic_end load6
}

# Who speaks goes on speaking; nobody has taken over.
restarted() { # HOST SIGNAL
	local epoch
	epoch=$(group_value primary epoch)
	syncd_end "$1" "$2"
	pair_syncd "$1"
	load_moves
	speaks_for_both primary
	[ "$(group_value primary epoch)" = "$epoch" ] || fail 'somebody has taken over'
	[ "$(group_value standby epoch)" = "$epoch" ]
	load_moves
}

# Again and again, without waiting for anything to be in order.
restarted_often() {
	local i epoch
	epoch=$(group_value primary epoch)
	for i in 1 2 3 4; do
		syncd_end primary KILL
		pair_syncd primary
		[ $((i % 2)) = 0 ] || syncd_end standby KILL
		[ $((i % 2)) = 0 ] || pair_syncd standby
	done
	speaks_for_both primary
	[ "$(group_value primary epoch)" = "$epoch" ] || fail 'somebody has taken over'
	load_moves
}

# Both at once: the kernels know who they are.
both_restarted() {
	syncd_end standby KILL
	syncd_end primary KILL
	pair_syncd standby
	pair_syncd primary
	load_moves
	speaks_for_both primary
}

# ---------------------------------------------------------------------------------------------------------------------
# Configurations that are wrong

good_conf() {
	cat <<-'END'
		[group]
		name = default
		role = primary
		[link]
		listen = 10.9.1.11:7789
		peer = 10.9.1.12:7789
		heartbeat_ms = 100
		dead_after_ms = 1000
		[standby_loss]
		policy = stall
		[address]
		add = 10.9.0.100/24 dev eth0
	END
}

config_is_good() {
	good_conf >/tmp/wrong.conf
	primary ftcp-syncd -t -c /tmp/wrong.conf
}

# Changed by sed so that line LINE is wrong: exit status 2, and a message that names file, line and the word.
config_is_refused() { # LINE WORD SED
	local status=0 output
	good_conf | sed "$3" >/tmp/wrong.conf
	output=$(timeout 10 ip netns exec primary ftcp-syncd -f -c /tmp/wrong.conf 2>&1) || status=$?
	echo "$3: status $status: $output"
	[ "$status" = 2 ]
	[[ $output == *"wrong.conf:$1:"* ]] || fail "it does not name line $1"
	[[ $output == *"$2"* ]] || fail "it does not say $2"
}

configs_are_refused() {
	config_is_refused 2 name 's/= default/= no good/'
	config_is_refused 2 name 's/= default/= 0123456789012345678901234567890123456789/'
	config_is_refused 2 name 's/^name.*/name =/'
	config_is_refused 3 primary 's/= primary/= prime/'
	config_is_refused 3 twice 's/^role.*/name = default/'
	config_is_refused 4 linc 's/\[link\]/[linc]/'
	config_is_refused 5 10.9.1.11 's/10.9.1.11:7789/10.9.1.11/'
	config_is_refused 5 localhost 's/10.9.1.11:7789/localhost:7789/'
	config_is_refused 5 700000 's/10.9.1.11:7789/10.9.1.11:700000/'
	config_is_refused 6 own 's/10.9.1.12/10.9.1.11/'
	config_is_refused 6 IPv6 's/10.9.1.12:/[fd09:1::12]:/'
	config_is_refused 7 number 's/= 100$/= soon/'
	config_is_refused 7 heartbeat_ms 's/= 100$/= -100/'
	config_is_refused 7 heartbeat_ms 's/= 100$/= 0/'
	config_is_refused 7 heart_beat 's/heartbeat_ms/heart_beat/'
	config_is_refused 8 dead_after_ms 's/= 1000/= 150/'
	config_is_refused 10 stall 's/= stall/= panic/'
	config_is_refused 12 dev 's/ dev eth0//'
	config_is_refused 12 10.9.0.100 's,/24,/33,'
	config_is_refused 12 10.9.0.300 's,10.9.0.100,10.9.0.300,'
	config_is_refused 2 name 's/\[group\]//'
	config_is_refused 13 '' '12a nonsense'
}

# What is missing has no line.
config_incomplete() { # WORD SED
	local status=0 output
	good_conf | sed "$2" >/tmp/wrong.conf
	output=$(timeout 10 ip netns exec primary ftcp-syncd -f -c /tmp/wrong.conf 2>&1) || status=$?
	echo "$2: status $status: $output"
	[ "$status" = 2 ]
	[[ $output == *"$1"* ]]
}

configs_are_incomplete() {
	config_incomplete role /^role/d
	config_incomplete listen /^listen/d
	config_incomplete peer /^peer/d
	config_incomplete wrong.conf 1,12d
	rm -f /tmp/wrong.conf
	config_incomplete_file
}

config_incomplete_file() {
	local status=0 output
	output=$(timeout 10 ip netns exec primary ftcp-syncd -f -c /tmp/nosuch.conf 2>&1) || status=$?
	echo "status $status: $output"
	[ "$status" = 2 ] && [[ $output == *nosuch.conf* ]]
	status=0
	timeout 10 ip netns exec primary ftcp-syncd --nonsense || status=$?
	[ "$status" = 2 ]
}

second_daemon() {
	local status=0 output
	output=$(timeout 10 ip netns exec primary ftcp-syncd -f -c /tmp/primary.conf 2>&1) || status=$?
	echo "status $status: $output"
	[ "$status" != 0 ] && [ "$status" != 124 ]
	[[ $output == *another* ]] || [[ $output == *'in use'* ]] || fail 'it does not say why'
}

# ---------------------------------------------------------------------------------------------------------------------
# Peers that are none. What they get to hear is the primary's log; the link and the load do not notice.

undisturbed() { # LINKS, the number of times that the link had come up before
	load_moves
	verdict primary protected 0
	[ "$(links_up)" = "$1" ] || fail 'the link was lost meanwhile'
}

links_up() { grep -c 'event=link_up' "$bed_log/primary.syncd.log"; }
log_lines() { wc -l <"$bed_log/primary.syncd.log"; }
log_since() { tail -n "+$(($1 + 1))" "$bed_log/primary.syncd.log"; } # LINES

# As root: from a port that others cannot have; any, since the one before is in TIME-WAIT.
as_root() { timeout 10 ip netns exec standby nc -p $((100 + RANDOM % 400)) "$@" >/dev/null 2>&1 || true; }
hang_up() { as_root -N -w 2 10.9.1.11 $sync_port; }

# Say it to the primary's sync port, as the standby's host would, and wait for an answer, or the end.
say() { as_root -w 2 10.9.1.11 $sync_port; }

# The log tells of one refusal a second, so that it may have to be said again.
say_until_refused() { # LINES PATTERN; what is said is in /tmp/said
	say </tmp/said
	log_since "$1" | grep -a 'refused ' | grep -a -E -q "$2"
}

# The beginning of a frame, and a hello with a version: what frame.h says.
frame_header() { printf 'ftLK%b\0\0\0\0\0%b' "\\x$1" "$2"; } # TYPE LENGTH, in hexadecimal escapes
hello() { # VERSION, in hexadecimal; GROUP
	frame_header 01 '\x00\x54'
	printf '\0%b\0\0\0\0\0\x64\0\0\x03\xe8' "\\x$1"
	printf '\x01\x02\x03\x04\x05\x06\x07\x08'
	printf '%s' "$2"
	head -c $((32 - ${#2} + 32)) /dev/zero
}

refused_for() { # PATTERN; what is said comes on standard input
	local links lines
	links=$(links_up)
	lines=$(log_lines)
	cat >/tmp/said
	wait_for 15 say_until_refused "$lines" "$1" || { log_since "$lines"; fail "the log does not say $1"; }
	log_since "$lines"
	undisturbed "$links"
}

wrong_group() { hello 02 other | refused_for 'group other'; }
wrong_version() { hello 63 default | refused_for 'another version'; }
no_hello() {
	{ frame_header 02 '\x00\x28'; head -c 40 /dev/zero; } | refused_for .
	{ frame_header 77 '\x00\x04'; head -c 4 /dev/zero; } | refused_for .
	frame_header 01 '\xff\xff' | refused_for .
}
other_protocol() { printf 'GET / HTTP/1.1\r\nHost: standby\r\n\r\n' | refused_for .; }

# Noise, noise that begins well, greetings that are cut short; some hang up at once, some wait for an answer.
garbage() {
	local links i
	links=$(links_up)
	for i in 1 2 3 4 5 6; do
		head -c $((i * i * 3000)) /dev/urandom | say
		{ printf ftLK; head -c 500 /dev/urandom; } | say
		hello 01 default | head -c $((i * 15)) | hang_up
		head -c $((i * 100)) /dev/urandom | hang_up
	done
	undisturbed "$links"
}

# Those who connect and say nothing do not keep others out.
silent_crowd() {
	local links i
	links=$(links_up)
	for i in $(seq 30); do
		spawn standby /tmp/log/crowd.log nc -d -p $((50 + i)) -w 20 10.9.1.11 $sync_port
		echo "$spawned" >>/tmp/log/crowd.pids
	done
	undisturbed "$links"
	syncd_end standby KILL
	pair_syncd standby
	speaks_for_both primary
	load_moves
	xargs kill -KILL </tmp/log/crowd.pids 2>/dev/null || true
}

stranger_refused() { # LINES
	timeout 10 ip netns exec standby nc -w 2 -s 10.9.1.99 10.9.1.11 $sync_port </tmp/said || true
	log_since "$1" | grep -a 'refused 10.9.1.99'
}

# A host that is not the peer, whatever it says.
stranger() {
	local links lines
	links=$(links_up)
	lines=$(log_lines)
	ip -n standby address add 10.9.1.99/24 dev sync0
	hello 01 default >/tmp/said
	wait_for 15 stranger_refused "$lines" || { log_since "$lines"; fail 'the log does not say so'; }
	ip -n standby address del 10.9.1.99/24 dev sync0
	undisturbed "$links"
}

say_as_anybody() { # LINES
	timeout 10 ip netns exec standby nc -w 2 10.9.1.11 $sync_port </tmp/said >/dev/null 2>&1 || true
	log_since "$1" | grep -a 'refused 10.9.1.12' | grep -a 'any user'
}

# Whoever is not root of the peer's host has its address, too.
not_root() {
	local links lines
	links=$(links_up)
	lines=$(log_lines)
	hello 02 default >/tmp/said
	wait_for 15 say_as_anybody "$lines" || { log_since "$lines"; fail 'the log does not say so'; }
	undisturbed "$links"
}

# The link, and the channel.
from_reserved_ports() {
	local ports port
	ports=$(ip netns exec primary ss -tnH state established "( sport = :$sync_port or dport = :$sync_port )" | grep -o '10\.9\.1\.1[12]:[0-9]*' |
		sed 's/.*://' | grep -v "^$sync_port$")
	echo "$ports"
	[ "$(echo "$ports" | wc -l)" = 2 ]
	for port in $ports; do [ "$port" -lt 1024 ]; done
}

# The name that kept others out once could be taken by anybody.
lock_is_roots() {
	local file
	file=/run/ftcp/syncd-$(ip netns exec primary stat -L -c %i /proc/self/ns/net)-default.lock
	[ "$(stat -c '%a %u' "$file")" = '600 0' ]
	[ "$(stat -c '%a %u' /run/ftcp)" = '755 0' ]
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up dead_after_ms=10000
ktap_must -t 60 'under load' load_start
ktap_case -t 60 "the standby's daemon is killed and restarted" restarted standby KILL
ktap_case -t 60 "the primary's daemon is killed and restarted" restarted primary KILL
ktap_case -t 60 "the standby's daemon is stopped and started" restarted standby TERM
ktap_case -t 60 "the primary's daemon is stopped and started" restarted primary TERM
ktap_case -t 60 'both are killed and restarted' both_restarted
ktap_case -t 100 'again and again' restarted_often
ktap_case 'a good configuration is good' config_is_good
ktap_case -t 60 'wrong configurations are refused, with the line' configs_are_refused
ktap_case -t 60 'incomplete configurations are refused' configs_are_incomplete
ktap_case 'a second daemon for the same group is refused' second_daemon
ktap_case -t 60 'a peer of another group is refused, nothing disturbed' wrong_group
ktap_case -t 60 'a peer of another version is refused, nothing disturbed' wrong_version
ktap_case -t 60 'a peer that does not greet is refused, nothing disturbed' no_hello
ktap_case -t 60 'another protocol is refused, nothing disturbed' other_protocol
ktap_case -t 60 'a stranger is refused, nothing disturbed' stranger
ktap_case -t 60 "one that is not root of the peer's host is refused, nothing disturbed" not_root
ktap_case 'link and channel come from reserved ports' from_reserved_ports
ktap_case "the lock is root's" lock_is_roots
ktap_case -t 100 'garbage, nothing disturbed' garbage
ktap_case -t 60 'a silent crowd keeps nobody out' silent_crowd
ktap_case -t 100 'every connection got back what it sent' load_end
ktap_end

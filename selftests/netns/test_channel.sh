#!/bin/bash
# The channel, by which the kernels replicate without the daemons: they agree on it, and it comes back whatever happens to it.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

sync_port=7789

connections() { # HOST: between the daemons, or the kernels
	ip netns exec "$1" ss -tnpH state established "( sport = :$sync_port or dport = :$sync_port )"
}

# The kernels' own has no process.
channels() { connections "$1" | grep -vc 'users:' || true; } # HOST
has_channels() { [ "$(channels "$1")" = "$2" ] || { connections "$1"; return 1; }; } # HOST NUMBER

one_each() {
	wait_for 10 has_channels primary 1
	wait_for 10 has_channels standby 1
}

none_at_all() {
	has_channels primary 0
	has_channels standby 0
}

load_start() {
	traffic_start load "$bed_vip4" -n 3 --rate 300K
	traffic_start load6 "$bed_vip6" --rate 200K
	load_moves
}

load_moves() {
	traffic_moves load 200000
	traffic_moves load6 50000
}

load_end() {
	traffic_end load
	traffic_end load6
}

# They are what watches, not what carries.
without_daemons() {
	syncd_stop primary
	syncd_stop standby
	load_moves
	syncd_continue standby
	syncd_continue primary
	load_moves
	speaks_for_both primary
}

# The ports of the channel as the primary has them: it connects.
channel_port() {
	connections primary | grep -v 'users:' | sed -n 's/.*10\.9\.1\.11:\([0-9]*\) .*/\1/p'
}

# The one that stays: after a pause daemons may have made a new link, and with it a new channel.
lasting_port() {
	wait_for 30 has_channels primary 1 >&2
	settles 2 channel_port
}

on_channel() { # HOST PORT ACTION...: to what comes by it
	in_host "$1" nft -f - <<-END
		table inet channel {
			chain in { type filter hook input priority 0; ip protocol tcp tcp sport { $2, $sync_port } tcp dport { $2, $sync_port } ${*:3}; }
		}
	END
}

off_channel() { in_host "$1" nft delete table inet channel; } # HOST

has_another() { # PORT: not that one
	local port
	port=$(channel_port)
	[ -n "$port" ] && [ "$port" != "$1" ]
}

# The connection is reset, while the link of the daemons stays.
torn() {
	local port
	port=$(lasting_port)
	on_channel standby "$port" reject with tcp reset
	wait_for 30 has_another "$port"
	off_channel standby
	speaks_for_both primary
	one_each
	load_moves
}

# Nothing comes by it any more, and nobody says so, while heartbeats go to and fro.
swallowed() {
	local port
	port=$(lasting_port)
	on_channel standby "$port" drop
	wait_for 60 has_another "$port"
	off_channel standby
	speaks_for_both primary
	one_each
	load_moves
}

# A batch that the standby cannot take: both sides say why, and go on when they can.
refused() {
	in_host standby ftcpctl service del --port "$bed_port"
	wait_for 20 syncd_says primary "no service on port $bed_port"
	syncd_says standby "no service on port $bed_port"
	in_host standby ftcpctl service add echo --port "$bed_port"
	speaks_for_both primary
	one_each
	load_moves
}

handed_over() {
	in_host standby ftcpctl promote
	speaks_for_both standby
	load_moves
	one_each
	in_host primary ftcpctl promote
	speaks_for_both primary
	load_moves
	one_each
}

crashed() {
	host_crash primary
	load_moves
	role_is standby detached
	has_channels standby 0
	load_end
}

# ---------------------------------------------------------------------------------------------------------------------

carried_by_daemons() {
	pair_up batches=daemon
	none_at_all
	load_start
	primary_decides
}

# It is the primary's file that counts.
primary_decides() {
	syncd_end primary TERM
	pair_conf primary batches=kernel
	pair_syncd primary
	speaks_for_both primary
	one_each
	load_moves
	syncd_end primary KILL
	pair_conf primary batches=daemon
	pair_syncd primary
	speaks_for_both primary
	wait_for 10 none_at_all
	load_moves
	load_end
}

# The standby's TCP is there and takes what it is sent, but nothing comes of it: the primary's kernel does not wait for that for ever.
stands_still() {
	local port
	pair_up dead_after_ms=120000
	load_start
	port=$(lasting_port)
	on_channel primary "$port" meta length gt 60 drop
	wait_for 60 has_another "$port"
	off_channel primary
	speaks_for_both primary
	one_each
	load_moves
	load_end
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up
ktap_case 'there is one channel' one_each
ktap_case -t 60 'connections are protected by it' load_start
ktap_case -t 60 'while both daemons stand still, too' without_daemons
ktap_case -t 100 'it is torn, and comes back' torn
ktap_case -t 100 'it falls silent, and comes back' swallowed
ktap_case -t 100 'what the standby cannot apply is refused, and both say why' refused
ktap_case -t 100 'handed over, and back' handed_over
ktap_case -t 100 'the primary dies' crashed
bed_down
ktap_case -t 200 'the daemons carry batches themselves if they are told to' carried_by_daemons
bed_down
ktap_case -t 200 'the standby takes all and holds nothing: it is asked again' stands_still
bed_down
ktap_end

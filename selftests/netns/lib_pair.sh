# shellcheck shell=bash
# What the tests of the bed share: a server alone, a protected pair, traffic that checks itself, questions to the hosts.
# Needs ../lib/ktap.sh and ./lib.sh.

# The service that tests talk to, if not another.
: "${bed_vip4:?}" "${bed_vip6:?}" "${bed_port:?}" "${bed_log:?}" "${bed_hosts:?}"

# Run one case that everything after it depends on.
ktap_must() { # as ktap_case
	local failed=${ktap_failed:?}
	ktap_case "$@"
	[ "$ktap_failed" = "$failed" ] || { ktap_end; exit; }
}

fail() {
	echo "fail: $*"
	exit 1
}

# ---------------------------------------------------------------------------------------------------------------------
# Servers

# One host that speaks without a standby.
lone_up() { # [SERVICE-OPTION...]
	bed_up
	bed_module_load
	primary ftcpctl service add echo --port "$bed_port" "$@"
	primary ftcpctl promote --force
	bed_vip primary
}

# More of what `ftcpctl service add` is told, in words.
: "${PAIR_SERVICE:=}"

# Two, the standby in sync with the primary, and the client knows where the service is. Settings are those of the
# daemon's configuration, for both.
pair_up() { # [KEY=VALUE...]
	pair_hosts "$@"
	wait_for 10 bed_reaches client "$bed_vip4"
	wait_for 10 bed_reaches client "$bed_vip6"
}

pair_hosts() { # [KEY=VALUE...]
	local host
	bed_up
	bed_module_load
	for host in primary standby; do
		# shellcheck disable=SC2086 # one word per option
		in_host $host ftcpctl service add echo --port "$bed_port" $PAIR_SERVICE
		pair_conf $host "$@"
		pair_syncd $host
	done
	protected primary
}

# A machine as slow as an emulated one is not dead because it says nothing for a second.
pair_conf() { # HOST [KEY=VALUE...]
	local -A value=(
		[name]=default [heartbeat_ms]=100 [dead_after_ms]=5000 [restart_grace_ms]=10000 [policy]=stall [detach_after_ms]=2000
		[alone_after_ms]=0 [announce]=5 [batches]=kernel [addresses]="$bed_vip4/24 $bed_vip6/64"
	)
	local host=$1 peer=standby setting
	[ "$host" = primary ] || peer=primary
	for setting in "${@:2}"; do
		value[${setting%%=*}]=${setting#*=}
	done
	cat >"/tmp/$host.conf" <<-END
		[group]
		name = ${value[name]}
		role = $host
		epoch_file = /run/$host.epoch
		[link]
		listen = 10.9.1.$(bed_number "$host"):7789
		peer = 10.9.1.$(bed_number $peer):7789
		heartbeat_ms = ${value[heartbeat_ms]}
		dead_after_ms = ${value[dead_after_ms]}
		batches = ${value[batches]}
		restart_grace_ms = ${value[restart_grace_ms]}
		[standby_loss]
		policy = ${value[policy]}
		detach_after_ms = ${value[detach_after_ms]}
		[start]
		alone_after_ms = ${value[alone_after_ms]}
		[address]
		announce = ${value[announce]}
	END
	# shellcheck disable=SC2086 # one word per address
	[ -z "${value[addresses]}" ] || printf 'add = %s dev eth0\n' ${value[addresses]} >>"/tmp/$host.conf"
}

# The daemon; what it says is added to its log.
pair_syncd() { # HOST
	echo "[$1] ftcp-syncd -c /tmp/$1.conf -f &" >&2
	ip netns exec "$1" ftcp-syncd -c "/tmp/$1.conf" -f >>"$bed_log/$1.syncd.log" 2>&1 </dev/null &
	echo $! >"/run/$1.syncd.pid"
}

syncd_pid() { cat "/run/$1.syncd.pid"; } # HOST

syncd_end() { # HOST SIGNAL
	local pid
	pid=$(syncd_pid "$1")
	echo "[$1] ftcp-syncd $pid is sent $2" >&2
	kill "-$2" "$pid"
	wait_for 10 ktap_gone "$pid"
}

syncd_stop() { # HOST: it exists and does nothing
	kill -STOP "$(syncd_pid "$1")"
	wait_for 5 grep -q '^State:.*T' "/proc/$(syncd_pid "$1")/status"
}

syncd_continue() { kill -CONT "$(syncd_pid "$1")"; } # HOST

# Nothing that comes by the sync link is heard: neither host, nor its daemon, can tell.
sync_silent() { # HOST
	in_host "$1" nft -f - <<-END
		table inet silent {
			chain in { type filter hook input priority 0; iifname sync0 drop; }
			chain out { type filter hook output priority 0; oifname sync0 drop; }
		}
	END
}

sync_heard() { in_host "$1" nft delete table inet silent; } # HOST

syncd_says() { grep -E -q -- "$2" "$bed_log/$1.syncd.log"; } # HOST PATTERN

protected() { in_host "$1" ftcpctl wait --for protected --timeout "${2:-30}"; } # HOST [SECONDS]

# The host dies: nobody hears of it any more, and it has done nothing before. Its kernel, in this bed, does not know.
host_crash() { # HOST
	bed_unplug "$1" eth0
	bed_unplug "$1" sync0
	bed_kill "$1"
}

# A host that has crashed boots again, and has forgotten everything. (Its old namespace may live on for a while, for the
# sake of a socket that cannot say goodbye, but nothing leads there.)
host_reboot() { # HOST
	local host=$1 other=standby
	[ "$host" = primary ] || other=primary
	ip -n "$host" link delete eth0
	ip -n "$host" link delete sync0
	ip netns delete "$host"
	ip netns add "$host"
	ip netns exec "$host" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n "$host" link set lo up
	bed_plug "$host"
	ip -n "$host" link add sync0 type veth peer name sync0 netns "$other"
	for host in primary standby; do
		ip -n "$host" address add "10.9.1.$(bed_number "$host")/24" dev sync0
		ip -n "$host" address add "fd09:1::$(bed_number "$host")/64" dev sync0
		ip -n "$host" link set sync0 up
	done
	in_host "$1" ftcpctl service add echo --port "$bed_port"
	wait_for 10 bed_reaches primary 10.9.1.12
}

# ---------------------------------------------------------------------------------------------------------------------
# Questions

json_value() { # KEY: of one object on standard input
	sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | tail -n 1
}

group_value() { ip netns exec "$1" ftcpctl -j group list | json_value "$2"; } # HOST KEY
conn_value() { ip netns exec "$1" ftcpctl -j conn list | json_value "$2"; } # HOST KEY; there is one connection
counter() { # HOST NAME
	local value
	value=$(ip netns exec "$1" ftcpctl -j stats -a | json_value "$2")
	echo "${value:-none}"
}

conns() { ip netns exec "$1" ftcpctl -j conn list | grep -o '"local_port"' | wc -l; } # HOST
has_conns() { [ "$(conns "$1")" = "$2" ]; } # HOST NUMBER

role_is() { [ "$(group_value "$1" role)" = "$2" ]; } # HOST ROLE

# Both hosts agree: one speaks, protected, and the other follows.
speaks_for_both() { # HOST
	local other=standby
	[ "$1" = primary ] || other=primary
	protected "$1"
	in_host $other ftcpctl wait --for ready --timeout 30
}

verdict() { # HOST STATE STATUS: of ftcpctl status
	local status=0 output
	output=$(ip netns exec "$1" ftcpctl -j status) || status=$?
	echo "verdict on $1: $output (status $status)" >&2
	[ "$(echo "$output" | sed 's/"groups".*//' | json_value state)" = "$2" ] && [ "$status" = "$3" ]
}

# A command prints the same for a while: whatever was on its way has arrived.
settles() { # SECONDS COMMAND...; prints it
	local deadline=$((SECONDS + 30)) since=$SECONDS last now seconds=$1
	shift
	last=$("$@")
	while [ $((SECONDS - since)) -le "$seconds" ]; do
		[ $SECONDS -lt $deadline ] || { echo "$* does not settle: $last" >&2; return 1; }
		sleep 0.1
		now=$("$@")
		[ "$now" = "$last" ] || since=$SECONDS
		last=$now
	done
	echo "$last"
}

# ---------------------------------------------------------------------------------------------------------------------
# Traffic: echo_client in the background, which finds out by itself if anything is not as it was sent

traffic_start() { # NAME ADDRESS [OPTION...]
	local name=$1 address=$2
	shift 2
	rm -f "$bed_log/$name".*
	echo "[client] echo_client $address $bed_port $* &" >&2
	ip netns exec client echo_client "$address" "$bed_port" -s 1G --timeout 240 --timeline "$bed_log/$name.timeline" \
		${LOAD_RATE:+--rate "$LOAD_RATE"} "$@" \
		>"$bed_log/$name.out" 2>"$bed_log/$name.err" </dev/null &
	echo $! >"$bed_log/$name.pid"
}

traffic_bytes() { # NAME: that have come back so far
	local bytes=
	[ ! -e "$bed_log/$1.timeline" ] || bytes=$(tail -n 1 "$bed_log/$1.timeline")
	bytes=${bytes#* }
	echo "${bytes:-0}"
}

traffic_over() { [ "$(traffic_bytes "$1")" -ge "$2" ] || ktap_gone "$(cat "$bed_log/$1.pid")"; } # NAME BYTES

# It goes on: so many bytes more come back.
traffic_moves() { # NAME [BYTES]
	local from
	from=$(traffic_bytes "$1")
	wait_for 60 traffic_over "$1" $((from + ${2:-100000})) || { traffic_tell "$1"; return 1; }
	[ "$(traffic_bytes "$1")" -ge $((from + ${2:-100000})) ] || { traffic_tell "$1"; return 1; }
	echo "$1: $from bytes, then $(traffic_bytes "$1")"
}

# It stands still, and is not over.
traffic_stands() { # NAME [SECONDS]
	settles "${2:-2}" traffic_bytes "$1"
	! ktap_gone "$(cat "$bed_log/$1.pid")" || { traffic_tell "$1"; return 1; }
}

traffic_tell() { # NAME
	echo "$1: $(traffic_bytes "$1") bytes came back; $(cat "$bed_log/$1.out" "$bed_log/$1.err")"
}

# Nothing more is sent; what was sent comes back, every byte of it, and then the end.
traffic_end() { # NAME
	kill -USR1 "$(cat "$bed_log/$1.pid")" 2>/dev/null || true
	wait_for 60 ktap_gone "$(cat "$bed_log/$1.pid")" || { traffic_tell "$1"; return 1; }
	traffic_tell "$1"
	grep -q ' resets=0 errors=0 ' "$bed_log/$1.out"
}

traffic_kill() { # NAME
	kill -KILL "$(cat "$bed_log/$1.pid")" 2>/dev/null || true
	wait_for 5 ktap_gone "$(cat "$bed_log/$1.pid")"
}

# ---------------------------------------------------------------------------------------------------------------------
# Single transfers

random_file() { # FILE BYTES
	[ "$(stat -c %s "$1" 2>/dev/null)" = "$2" ] || head -c "$2" /dev/urandom >"$1"
}

echo_nc() { # ADDRESS BYTES [PORT]: what nc sends comes back
	local sent=/tmp/sent.$2 received=/tmp/received.$2 status=0
	random_file "$sent" "$2"
	client timeout 200 nc -N "$1" "${3:-$bed_port}" <"$sent" >"$received" || status=$?
	cmp "$sent" "$received" || fail "$(stat -c %s "$received") bytes came back, nc's status is $status"
	rm "$received"
	[ "$status" = 0 ]
}

echo_once() { # ADDRESS [OPTION...]
	client echo_client "$1" "$bed_port" --timeout 100 "${@:2}"
}

# ---------------------------------------------------------------------------------------------------------------------
# The client's own firewall, which can make it vanish

client_vanishes() { # PORT
	client nft -f - <<-END
		table inet vanish {
			chain in { type filter hook input priority 0; tcp sport $1 drop; }
			chain out { type filter hook output priority 0; tcp dport $1 drop; }
		}
	END
}

client_returns() { client nft delete table inet vanish; }

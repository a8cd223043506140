# shellcheck shell=bash
# The bed: a whole cluster in one kernel, a host per network namespace.
#
#	 client                 primary                standby
#	 10.9.0.2               10.9.0.11              10.9.0.12         and, on whoever is primary,
#	 fd09::2                fd09::11               fd09::12          10.9.0.100, fd09::100 (the service)
#	 eth0                   eth0      sync0        sync0      eth0
#	  |                      |          |            |          |
#	  |                      |          +------------+          |
#	  |                      |    10.9.1.11       10.9.1.12     |
#	  |                      |    fd09:1::11    fd09:1::12      |
#	  |client                |primary                           |standby
#	+-+----------------------+----------------------------------+-+
#	|                         br0                            lan  |
#	+-------------------------------------------------------------+
#
# Verbs print and run:  client ip addr;  primary ftcpctl status
# Needs ../lib/ktap.sh.

bed_hosts='client primary standby'
bed_vip4=10.9.0.100
bed_vip6=fd09::100
bed_port=9999
bed_log=/tmp/log

bed_number() { # HOST
	case $1 in
	client) echo 2 ;;
	primary) echo 11 ;;
	standby) echo 12 ;;
	esac
}

# ---------------------------------------------------------------------------------------------------------------------
# Verbs

in_host() { # HOST COMMAND...
	echo "[$1] ${*:2}" >&2
	ip netns exec "$@"
}

client() { in_host client "$@"; }
primary() { in_host primary "$@"; }
standby() { in_host standby "$@"; }
lan() { in_host lan "$@"; }

# Run in the background, with its output in a log; the process is $spawned, and the command itself, so that signals reach it.
spawn() { # HOST LOG COMMAND...
	local host=$1 log=$2
	shift 2
	echo "[$host] $* &" >&2
	ip netns exec "$host" "$@" >"$log" 2>&1 </dev/null &
	spawned=$!
}

# ---------------------------------------------------------------------------------------------------------------------
# Up and down

# The kernel patches its own code where a hook is the first of its kind, or the last: a breakpoint first, then what is to be there. QEMU (7.2) may keep
# what it has translated in between, and who comes by there on the other processor does so for ever (asm_exc_int3 in the stall's backtrace). With hooks in a
# namespace that has no addresses, rules that come and go amid traffic are never the first. A kernel without nf_tables has no rules either.
bed_keep_hooks() {
	local hook
	for hook in prerouting input forward output postrouting; do
		echo "table inet kept { chain $hook { type filter hook $hook priority 0; }; }"
	done | ip netns exec lan nft -f - 2>/dev/null || true
}

bed_up() {
	local host
	mkdir -p "$bed_log"
	for host in lan $bed_hosts; do
		ip netns add "$host"
		rm -f "/run/$host.epoch"	# of the bed before: this one's disks are new
		# Duplicate address detection costs a second and finds nothing here.
		ip netns exec "$host" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
		ip -n "$host" link set lo up
	done
	bed_keep_hooks
	ip -n lan link add br0 type bridge forward_delay 0
	ip -n lan link set br0 up
	for host in $bed_hosts; do
		bed_plug "$host"
	done
	ip -n primary link add sync0 type veth peer name sync0 netns standby
	for host in primary standby; do
		ip -n "$host" address add "10.9.1.$(bed_number "$host")/24" dev sync0
		ip -n "$host" address add "fd09:1::$(bed_number "$host")/64" dev sync0
		ip -n "$host" link set sync0 up
	done
	wait_for 10 bed_works
}

bed_plug() { # HOST
	local number
	number=$(bed_number "$1")
	ip -n lan link add "$1" type veth peer name eth0 netns "$1"
	ip -n lan link set "$1" master br0 up
	ip -n "$1" link set eth0 address "$(printf '02:00:0a:09:00:%02x' "$number")"
	ip -n "$1" address add "10.9.0.$number/24" dev eth0
	ip -n "$1" address add "fd09::$number/64" dev eth0
	ip -n "$1" link set eth0 up
}

bed_reaches() { ip netns exec "$1" ping -c 1 -W 1 -q "$2" >/dev/null 2>&1; } # HOST ADDRESS

bed_works() {
	bed_reaches client 10.9.0.11 && bed_reaches client 10.9.0.12 && bed_reaches primary 10.9.1.12 &&
		bed_reaches client fd09::11 && bed_reaches client fd09::12 && bed_reaches primary fd09:1::12
}

# Take everything away, whatever state it is in; fails when something does not want to go.
bed_down() {
	local host
	for host in $bed_hosts lan; do
		bed_exists "$host" || continue
		bed_kill "$host"
		ip netns delete "$host"
	done
	if bed_module_loaded; then
		wait_for 10 bed_module_unload
	fi
}

bed_exists() { [ -e "/run/netns/$1" ]; }

bed_kill() { # HOST: every process in it
	local pids
	pids=$(ip netns pids "$1")
	# shellcheck disable=SC2086 # one word per process
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
	wait_for 5 bed_empty "$1"
}

bed_empty() { [ -z "$(ip netns pids "$1")" ]; }

# ---------------------------------------------------------------------------------------------------------------------
# The module and its services. The module's own port= would be a service of the machine itself, which is no host of the
# bed: here it is loaded bare, and the services are added where they belong.

bed_module_loaded() { [ -d /sys/module/ftcp ]; }
bed_module_load() { bed_module_loaded || modprobe ftcp; }
bed_module_unload() { rmmod ftcp 2>/dev/null; }

bed_service_add() { # HOST [PORT]
	in_host "$1" ftcpctl service add --port "${2:-$bed_port}" echo
}

# ---------------------------------------------------------------------------------------------------------------------
# The daemons

# The group wants its primary on the host called so; the two files mirror each other. Variables: policy, heartbeat_ms,
# dead_after_ms; further sections are appended by the caller.
bed_syncd_conf() { # HOST: prints the file's path
	local host=$1 peer file=/tmp/$1.conf
	case $host in
	primary) peer=standby ;;
	*) peer=primary ;;
	esac
	cat >"$file" <<-EOF
		[group]
		name = default
		role = $host
		epoch_file = /run/$host.epoch

		[link]
		listen = 10.9.1.$(bed_number "$host"):7789
		peer = 10.9.1.$(bed_number "$peer"):7789
		heartbeat_ms = ${heartbeat_ms-100}
		dead_after_ms = ${dead_after_ms-1000}

		[standby_loss]
		policy = ${policy-stall}

		[address]
		add = $bed_vip4/24 dev eth0
		add = $bed_vip6/64 dev eth0
	EOF
	echo "$file"
}

bed_syncd_start() { # HOST [ARGUMENT...]
	local host=$1 file
	shift
	file=$(bed_syncd_conf "$host")
	spawn "$host" "$bed_log/$host.syncd.log" ftcp-syncd -c "$file" -f "$@"
	echo "$spawned" >"/run/$host.syncd.pid"
}

# Everything, as an administrator would do it: both hosts run the service, primary is primary, connections are protected.
bed_ftcp_up() {
	local host
	bed_module_load
	for host in primary standby; do
		bed_service_add "$host"
		bed_syncd_start "$host"
	done
	primary ftcpctl wait --for protected --timeout 20
}

bed_syncd_signal() { # HOST SIGNAL
	kill "-$2" "$(<"/run/$1.syncd.pid")"
}

bed_syncd_stop() { # HOST [SIGNAL]
	local pid
	pid=$(<"/run/$1.syncd.pid")
	kill "-${2:-TERM}" "$pid"
	wait_for 10 ktap_gone "$pid"
}

# ---------------------------------------------------------------------------------------------------------------------
# The network's misbehaviour

# bed_netem to_client|from_client|both ARGUMENT...    as in: bed_netem both loss 1% delay 10ms
# bed_netem off
bed_netem() {
	local direction=$1
	shift
	case $direction in
	off)
		tc -n lan qdisc del dev client root 2>/dev/null || true
		tc -n client qdisc del dev eth0 root 2>/dev/null || true
		return ;;
	esac
	echo "[netem $direction] $*" >&2
	case $direction in
	to_client | both) tc -n lan qdisc replace dev client root netem limit 10000 "$@" ;;
	esac
	case $direction in
	from_client | both) tc -n client qdisc replace dev eth0 root netem limit 10000 "$@" ;;
	esac
}

memory_max() { echo "$1" >/sys/module/ftcp/parameters/max_memory; } # MIB

# Segments as the wire has them (off) or as large as GSO and GRO make them (on, the default).
bed_offload() { # on|off
	local host
	for host in $bed_hosts; do
		ip netns exec "$host" ethtool -K eth0 tso "$1" gso "$1" gro "$1" tx "$1" >/dev/null
		ip netns exec lan ethtool -K "$host" tso "$1" gso "$1" gro "$1" tx "$1" >/dev/null
	done
}

# Hosts of their own have processors of their own. Here whoever sends a packet would also do the work of whoever receives it, up to where
# a process is woken: all that a server in the kernel does would be the client's time. So the client and the standby have the first processor, the
# primary the second: for the packets that they receive, for the processes that run there already, and the first for what is started from here on.
# And a host's own network card tells it what has been sent, on its own processor, whereupon its TCP sends more (small queues). A packet that crosses
# a veth is its sender's until it is received, on the other's processor: the client would go on sending there. netem lets a packet go that it
# delays, and with a rate that is high enough it does so by nothing. What a host sends at once is whatever its windows allow: nothing is lost for
# want of room on the way.
bed_own_processors() {
	local host mask pid device
	# Not nproc, which counts those that this shell may use: one, from the second call on
	[ "$(grep -c ^processor /proc/cpuinfo)" -gt 1 ] || return 0
	sysctl -qw net.core.netdev_max_backlog=200000
	for host in $bed_hosts; do
		for device in $(ip netns exec "$host" ls /sys/class/net | grep -x 'eth0\|sync0'); do
			tc -n "$host" qdisc replace dev "$device" root netem limit 100000 rate 10000gbit
		done
		mask=$([ "$host" = primary ] && echo 2 || echo 1)
		ip netns exec "$host" sh -c "for queue in /sys/class/net/*/queues/rx-*; do echo $mask >\$queue/rps_cpus; done"
		for pid in $(ip netns pids "$host"); do
			taskset -ap $mask "$pid" >/dev/null || true
		done
	done
	taskset -p 1 $$ >/dev/null
}

# A host that is cut off: nothing on the LAN, nothing on the sync link (or only one of both).
bed_unplug() { # HOST eth0|sync0
	case $2 in
	eth0) ip -n lan link set "$1" down ;;
	*) ip -n "$1" link set "$2" down ;;
	esac
}

# The service's addresses, moved by hand: for tests without a daemon, or of what happens when someone does it wrong.
bed_vip() { # HOST|none
	local host
	for host in primary standby; do
		ip -n "$host" address del "$bed_vip4/24" dev eth0 2>/dev/null || true
		ip -n "$host" address del "$bed_vip6/64" dev eth0 2>/dev/null || true
	done
	[ "$1" != none ] || return 0
	ip -n "$1" address add "$bed_vip4/24" dev eth0
	ip -n "$1" address add "$bed_vip6/64" dev eth0 preferred_lft 0
	ip -n client neighbour flush dev eth0
}

# ---------------------------------------------------------------------------------------------------------------------
# What the wire saw

bed_capture_start() { # HOST FILE [FILTER]: sets $capture
	local log
	log=$(mktemp)
	spawn "$1" "$log" tcpdump -Z root -i eth0 -n -U -B 16384 --immediate-mode -s 128 -w "$2" "${@:3}"
	capture=$spawned
	wait_for 10 grep -q 'listening on' "$log" || { cat "$log"; return 1; }
}

bed_capture_stop() { # the capture that was started last
	kill -INT "$capture"
	wait_for 10 ktap_gone "$capture"
}

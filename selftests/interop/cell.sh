# shellcheck shell=bash
# A cell of the matrix: a client host of its own on the bed's LAN, with settings that no other cell has and no memory of earlier ones.
#
# A host's words:
#	v6			it uses the service's IPv6 address
#	port=N			another service
#	mtu=BYTES		of its link
#	router=BYTES		it is behind a router that lets packets of so many bytes pass to it, which it does not know
#	tso= gso= gro= tx= sg=	on or off: offloads of its link
#	limit=SECONDS		for the transfer (60)
#	NAME=VALUE		sysctl net.ipv4.tcp_NAME; a comma for a space
# A path's words: [both | to_client | from_client] and the arguments of tc's netem.
# Needs ../lib/ktap.sh, ../netns/lib.sh and ../netns/lib_pair.sh.

: "${bed_vip4:?}" "${bed_vip6:?}" "${bed_port:?}" "${bed_log:?}"

in_cell() { ip netns exec "$cell" "$@"; } # COMMAND...

# ---------------------------------------------------------------------------------------------------------------------
# Up and down. Variables: cell (the namespace), port4 (its place), near (the client's side), far (whose egress leads to it)

cell_sysctl() { ip netns exec "$1" sysctl -qw "${@:2}"; } # HOST NAME=VALUE...

cell_netns() { # NAME
	ip netns add "$1"
	cell_sysctl "$1" net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n "$1" link set lo up
}

cell_plug() { # HOST: onto the LAN
	ip -n lan link add "$1" type veth peer name eth0 netns "$1"
	ip -n lan link set "$1" mtu 9000 master br0 up
	ip -n "$1" link set eth0 address "$(printf '02:00:0a:09:01:%02x' "$cell_no")"
	ip -n "$1" address add "10.9.0.$cell_no/24" dev eth0
	ip -n "$1" address add "fd09::$cell_no/64" dev eth0
	ip -n "$1" link set eth0 up
}

# The servers find it by the router's addresses.
cell_route() { # MTU
	local router=$cell-r host
	cell_netns "$router"
	cell_plug "$router"
	cell_sysctl "$router" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$router" link add inner type veth peer name eth0 netns "$cell"
	ip -n "$router" address add "10.7.$cell_no.1/24" dev inner
	ip -n "$router" address add "fd07:$cell_no::1/64" dev inner
	ip -n "$router" link set dev inner up
	ip -n "$cell" address add "10.7.$cell_no.2/24" dev eth0
	ip -n "$cell" address add "fd07:$cell_no::2/64" dev eth0
	ip -n "$cell" link set eth0 up
	ip -n "$cell" route add default via "10.7.$cell_no.1"
	ip -n "$cell" route add default via "fd07:$cell_no::1"
	for host in primary standby; do
		ip -n "$host" route add "10.7.$cell_no.0/24" via "10.9.0.$cell_no"
		ip -n "$host" route add "fd07:$cell_no::/64" via "fd09::$cell_no"
	done
	# An interface of a pair drops what is larger than its own MTU: the route says it instead.
	ip -n "$router" route replace "10.7.$cell_no.0/24" dev inner mtu lock "$1"
	ip -n "$router" -6 route replace "fd07:$cell_no::/64" dev inner mtu lock "$1"
	cell_far=$router cell_far_dev=inner
}

cell_unroute() {
	local host
	for host in primary standby; do
		ip -n "$host" route delete "10.7.$cell_no.0/24" 2>/dev/null || true
		ip -n "$host" -6 route delete "fd07:$cell_no::/64" 2>/dev/null || true
	done
	ip netns delete "$cell-r"
}

cell_word() { # WORD
	local key=${1%%=*} value=${1#*=}
	case $key in
	v6) address=$bed_vip6 ;;
	port) port=$value ;;
	limit) limit=$value ;;
	router) ;;
	mtu)
		# IPv6 begins with 1280, and goes away below.
		ip -n "$cell" link set eth0 mtu "$value"
		[ "$value" -lt 1280 ] || ip -n "$cell" address replace "fd09::$cell_no/64" dev eth0 ;;
	tso | gso | gro | tx | sg)
		ip netns exec "$cell" ethtool -K eth0 "$key" "$value" >/dev/null
		ip netns exec "$cell_far" ethtool -K "$cell_far_dev" "$key" "$value" >/dev/null ;;
	*) cell_sysctl "$cell" "net.ipv4.tcp_$key=${value//,/ }" ;;
	esac
}

cell_netem() { # [both | to_client | from_client] ARGUMENT...
	local direction=both
	case $1 in
	both | to_client | from_client) direction=$1; shift ;;
	esac
	if [ "$direction" != from_client ]; then
		tc -n "$cell_far" qdisc replace dev "$cell_far_dev" root netem limit 10000 "$@"
	fi
	if [ "$direction" != to_client ]; then
		tc -n "$cell" qdisc replace dev eth0 root netem limit 10000 "$@"
	fi
}

cell_up() { # NUMBER WIRE HOST-WORDS PATH-WORDS
	local word router=''
	cell=cell$1
	cell_no=$((110 + $1 % 140)) cell_far=lan cell_far_dev=$cell
	address=$bed_vip4 port=$bed_port limit=60
	cell_netns "$cell"
	for word in $3; do
		case $word in
		router=*) router=${word#*=} ;;
		esac
	done
	if [ -n "$router" ]; then cell_route "$router"; else cell_plug "$cell"; fi
	if [ "$2" = wire ]; then
		for word in tso gso gro tx; do cell_word $word=off; done
	fi
	for word in $3; do cell_word "$word"; done
	wait_for 10 bed_reaches "$cell" "$address"
	# shellcheck disable=SC2086 # one word each
	[ -z "$4" ] || cell_netem $4
}

cell_down() {
	ip netns exec "$cell" ip link set eth0 down || true
	[ ! -e "/run/netns/$cell-r" ] || cell_unroute
	ip netns delete "$cell"
}

# ---------------------------------------------------------------------------------------------------------------------
# The transfer

cell_capture() {
	ip netns exec "$cell" tcpdump -Z root -i eth0 -n -U -s 96 -c 30000 -w "$bed_log/$cell.pcap" "tcp port $port or icmp or (icmp6 and ip6[40] < 128)" \
		>/dev/null 2>"$bed_log/$cell.tcpdump" </dev/null &
	cell_tcpdump=$!
	wait_for 10 grep -q 'listening on' "$bed_log/$cell.tcpdump"
}

# What the server knows of this cell's client.
cell_conns() {
	ip netns exec primary ftcpctl conn list | grep -E "10[.]9[.]0[.]${cell_no}:|10[.]7[.]${cell_no}[.]|fd09::${cell_no}\]|fd07:${cell_no}:"
}

# The client's last acknowledgements are in its network still when it ends, and would go with it.
cell_settled() { ! cell_conns 2>/dev/null | grep -qv time-wait; }

# What became of it, as both ends see it.
cell_tell() {
	echo "$(stat -c %s "$received" 2>/dev/null || echo 0) of $(stat -c %s "$sent") bytes are back"
	ip netns exec "$cell" ss -tin dport = ":$port" || true
	cell_conns || true
	ip netns exec "$cell" nstat -a 2>/dev/null | grep -E 'Retrans|Timeout|Abort|Reset|Csum|InErrs|Prune|PAWS' || true
	tc -n "$cell" -s qdisc show dev eth0 | grep -A 1 netem || true
	echo "captured: $cell.pcap"
}

# In a process group of its own; one that is late is looked at before it is killed.
cell_transfer() { # CLIENT
	local pid status=0
	set -m
	# shellcheck disable=SC2086 # one word each
	(set +m -eu; client_$1) &
	pid=$!
	set +m
	if wait_for "$limit" ktap_gone "$pid"; then
		wait "$pid" || status=$?
		[ $status = 0 ] || echo "the client ended with status $status"
	else
		status=124
		echo "the client was not done after $limit s"
		cell_tell
		kill -KILL -- "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	return $status
}

cell_same() {
	local was is
	was=$(sha256sum <"$sent") is=$(sha256sum <"$received")
	[ "$was" = "$is" ] || { echo 'what came back is not what was sent'; cmp "$sent" "$received"; return 1; }
}

# One line of the table, by itself.
cell_run() { # NUMBER WIRE CLIENT BYTES HOST-WORDS PATH-WORDS
	local status=0 began=$EPOCHREALTIME
	sent=$bed_log/cell$1.sent received=$bed_log/cell$1.received
	cell_up "$1" "$2" "$5" "$6"
	head -c "$4" /dev/urandom >"$sent"
	: >"$received"
	cell_capture
	cell_transfer "$3" || status=$?
	if [ $status = 0 ] && cell_same; then
		rm -f "$bed_log/$cell.pcap"
		wait_for 30 cell_settled || { cell_conns; status=1; }
	else
		[ $status = 124 ] || cell_tell
		status=1
	fi
	kill -INT "$cell_tcpdump" 2>/dev/null || true
	wait "$cell_tcpdump" 2>/dev/null || true
	rm -f "$sent" "$received" "$bed_log/$cell.tcpdump"
	cell_down
	awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "took %.1f s\n", b - a }'
	return $status
}

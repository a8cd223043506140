# shellcheck shell=bash disable=SC2154
# The clients, by the names that the table has for them. Each sends $sent to $address $port and writes what comes back to $received,
# both at once; within $limit seconds. They run inside of the cell's namespace.

: "${bed_log:?}" # of the cell: cell, sent, received, address, port, limit

complete() { [ "$(stat -c %s "$received")" -ge "$(stat -c %s "$sent")" ]; }

# Clients that close everything when their input ends: it does not before all has come back.
patiently() { # COMMAND...
	: >"$received"
	{ cat "$sent"; wait_for "$limit" complete; } | "$@" >"$received"
}

at_once() { in_cell "$@" <"$sent" >"$received"; } # COMMAND...

client_nc() { at_once nc.openbsd -N "$@" "$address" "$port"; }
client_nc.traditional() { patiently in_cell nc.traditional -q 0 "$@" "$address" "$port"; }
client_ncat() { at_once ncat "$@" "$address" "$port"; }
client_python() { at_once python3 ./client.py "$@" "$address" "$port"; }
client_busybox() { patiently in_cell busybox nc "$@" "$address" "$port"; }

client_socat() { # [,OPTION...]
	local to=TCP4:$address:$port
	[ "${address#*:}" = "$address" ] || to="TCP6:[$address]:$port"
	at_once socat -t "$limit" - "$to${1-}"
}

# It does not see that a pipe ends, and is told. While it waits for room to write it does not read: what is on its way must fit.
curl_until_complete() {
	local pid status=0
	ip netns exec "$cell" curl "$@" <&0 &
	pid=$!
	wait_for "$limit" complete || status=$?
	kill -TERM $pid
	wait $pid 2>/dev/null || true
	return $status
}

# Telnet has a meaning for some bytes: only text. -T .: its input is not waited for, or what comes back in more than one piece is left unread.
client_curl() {
	local host=$address
	[ "${address#*:}" = "$address" ] || host="[$address]"
	base64 -w 75 "$sent" >"$sent.text"
	mv "$sent.text" "$sent"
	patiently curl_until_complete -sS --no-buffer -T . "$@" "telnet://$host:$port"
}

client_bash() {
	: >"$received"
	# shellcheck disable=SC2016 # the inner bash's
	in_cell bash -c '
		exec 3<>"/dev/tcp/$1/$2"
		head -c "$(stat -c %s "$3")" <&3 >"$4" &
		cat "$3" >&3
		wait $!
	' bash "$address" "$port" "$sent" "$received"
}

# It makes its own streams and compares them; what it was given comes back from nowhere.
client_echo_client() {
	in_cell echo_client "$address" "$port" -s "$(stat -c %s "$sent")" --timeout "$limit" "$@"
	cp "$sent" "$received"
}

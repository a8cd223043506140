# shellcheck shell=bash disable=SC2154 # bed_* come from lib.sh
# ftcp on the two servers of the bed: a primary, its standby, one group with the echo service. Needs lib.sh.
#
#	pair_up alpha beta		# from whatever state: fresh module, daemons, protected; alpha is primary
#	pair_primary			# who is, as far as this script knows
#	pair_fail_over			# power cut for the primary; the other one is to take over
#	pair_rejoin			# the dead one boots and joins as standby; until it protects
#	pair_events HOST		# what its daemon reported: lines "TIME EVENT (DETAILS)", time by the host's clock
#	pair_trouble			# what there is to know after a failure

pair_config() { # HOST primary|standby; environment: policy=detach|stall
	cat <<-END
		[group]
		name = default
		role = $2

		[link]
		listen = 10.9.1.$(bed_number "$1"):7789
		peer = 10.9.1.$(bed_number "$(bed_peer "$1")"):7789
		heartbeat_ms = 100
		dead_after_ms = 1000

		[standby_loss]
		policy = ${policy-detach}
		$([ "${policy-detach}" = stall ] || echo detach_after_ms = 3000)

		[address]
		add = $bed_vip4/24 dev eth0
		add = $bed_vip6/64 dev eth0
	END
}

pair_start() { # HOST primary|standby
	pair_load "$1"
	pair_daemon "$1" "$2"
}

pair_load() { # HOST
	# shellcheck disable=SC2016 # the machine's
	on "$1" 'insmod /lib/modules/$(uname -r)/updates/ftcp.ko' "port=$bed_port"
}

pair_daemon() { # HOST primary|standby
	pair_config "$1" "$2" >"$bed/$1.conf"
	on "$1" "mkdir -p /etc/ftcp; printf '%s\\n' $(printf %q "$(<"$bed/$1.conf")") >/etc/ftcp/default.conf"
	on "$1" job syncd "'exec ftcp-syncd -f -c /etc/ftcp/default.conf >&9 2>&1'"
}

# A host without ftcp, whatever was going on there; one that is down boots.
pair_clear() { # HOST
	bed_alive "$1" || bed_boot "$1"
	on "$1" 'job_end syncd; job_end server
		! lsmod | grep -q "^ftcp " || rmmod ftcp
		ip address flush dev eth0 to '"$bed_vip4"'; ip -6 address flush dev eth0 to '"$bed_vip6"'; dmesg -c >/dev/null'
}

pair_up() { # PRIMARY STANDBY
	pair_clear "$1"
	pair_clear "$2"
	pair_primary=$1
	pair_start "$1" primary
	pair_start "$2" standby
	pair_wait "$1" protected
}

pair_wait() { # HOST STATE [SECONDS]
	on_within $((${3-20} + 10)) "$1" ftcpctl wait --for "$2" --timeout "${3-20}"
}

pair_primary() { echo "$pair_primary"; }
pair_standby() { bed_peer "$pair_primary"; }

pair_fail_over() {
	bed_power_cut "$pair_primary"
	pair_primary=$(bed_peer "$pair_primary")
}

pair_rejoin() {
	local host
	host=$(pair_standby)
	bed_boot "$host"
	pair_start "$host" standby
	pair_wait "$pair_primary" protected
}

pair_events() { # HOST
	awk -v clock="$(bed_clock "$1")" '
		/event=/ && / at_ms=[0-9]+$/ {
			name = at = text = ""
			for (i = 1; i <= NF; i++) {
				key = value = $i
				sub(/=.*/, "", key)
				sub(/[^=]*=/, "", value)
				if (key == "event")
					name = value
				else if (key == "at_ms")
					at = value - clock
				else if (name != "" && key != "group")
					text = text " " $i
			}
			printf "%.0f %s%s\n", at, name, text == "" ? "" : " (" substr(text, 2) ")"
		}' "$bed/$1.log"
}

# The first event of that name since then. Fails until it has come.
pair_event_ms() { # HOST EVENT SINCE_MS
	pair_events "$1" | awk -v since="$3" -v name="$2" '
		$1 >= since && $2 == name { print $1; found = 1; exit }
		END { exit !found }'
}

pair_trouble() {
	local host
	for host in alpha beta; do
		echo "--- $host: the end of its log"
		tail -n 15 "$bed/$host.log"
		if bed_alive "$host"; then
			on_within 5 "$host" 'ftcpctl status; ftcpctl conn list'
			pair_kernel_trouble "$host" | head -n 40
		else
			kmsg_trouble <"$bed/$host.console" | head -n 40
		fi
	done
}

pair_kernel_trouble() { # HOST
	on "$1" dmesg | kmsg_trouble
}

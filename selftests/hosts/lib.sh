# shellcheck shell=bash
# The bed of several machines: a whole cluster, each host a virtual machine with a kernel of its own, so that a host can
# really die.
#
#	 client                 alpha                  beta
#	 10.9.0.2               10.9.0.11              10.9.0.12         and, on whoever is primary,
#	 fd09::2                fd09::11               fd09::12          10.9.0.100, fd09::100 (the service)
#	 eth0                   eth0      eth1         eth1      eth0
#	  |                      |          +---(link)---+          |
#	  |                      |    10.9.1.11       10.9.1.12     |
#	  |                      |    fd09:1::11    fd09:1::12      |
#	  +----------------------+-------------(lan)----------------+
#
# lan and link are switches in user space (switch.c). Nothing here needs root.
#
#	bed_open DIRECTORY; trap bed_close EXIT
#	bed_boot client alpha beta
#	on alpha ftcpctl status			# run by the machine's shell: output and status are the command's
#	on client job big "'nc -N 10.9.0.100 9999 <a >b'"	# in the background (see agent)
#	bed_power_cut alpha			# SIGKILL to its QEMU
#	bed_unplug link beta; bed_plug link beta
#
# DIRECTORY/HOST.log has what the machine wrote to its descriptor 9, DIRECTORY/HOST.console its kernel's messages.

hosts_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/lib/ktap.sh
. "$hosts_dir/../lib/ktap.sh"
# shellcheck source=selftests/vm/lib.sh
. "$hosts_dir/../vm/lib.sh"

bed_hosts='client alpha beta'
# shellcheck disable=SC2034 # for those who source this
bed_vip4=10.9.0.100 bed_vip6=fd09::100 bed_port=9999

bed_number() { # HOST
	case $1 in
	client) echo 2 ;;
	alpha) echo 11 ;;
	beta) echo 12 ;;
	esac
}

bed_peer() { # HOST
	case $1 in
	alpha) echo beta ;;
	beta) echo alpha ;;
	esac
}

bed_mac() { printf '02:00:0a:09:%02x:%02x\n' "$1" "$(bed_number "$2")"; } # NET-NUMBER HOST

now_ms() { echo $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# ---------------------------------------------------------------------------------------------------------------------
# Up and down

bed_open() { # DIRECTORY
	bed=$1
	mkdir -p "$bed"
	exec {bed_lock}>"$bed/.lock"
	flock -n "$bed_lock" || { echo "$bed is in use by another run" >&2; return 1; }
	rm -rf "${bed:?}"/{*.log,*.console,net,machine,tools,image}
	mkdir -p "$bed"/{net,machine,tools/usr/local/bin}
	bed_build
	bed_switch lan client alpha beta
	bed_switch link alpha beta
	bed_guard
}

bed_build() {
	bed_compile switch "$bed/switch"
	bed_compile sampler "$bed/tools/usr/local/bin/sampler"
	bed_compile tsc "$bed/tsc"
	bed_tsc_khz=$("$bed/tsc")
	bed_release=$(vm_kernel_prepare "${KERNEL:-6.1}")
	vm_image_build "$bed/image" "$bed_release" /ftcp/selftests/hosts/agent
	vm_cpio "$bed/tools" >>"$bed/image"
}

bed_compile() { cc -O2 -Wall -Wextra -Werror -o "$2" "$hosts_dir/$1.c"; } # NAME PROGRAM

# Sockets have short names: they are relative to net/.
bed_switch() { # NAME HOST...
	local name=$1
	shift
	env -C "$bed/net" "$bed/switch" "${@/#/$name.}" </dev/null >"$bed/switch-$name.log" 2>&1 {bed_lock}>&- &
	echo $! >"$bed/net/$name.pid"
	disown
}

# Should this shell die without bed_close (SIGKILL, say), the machines do not outlive it for long.
bed_guard() {
	(
		tail --pid=$$ -f /dev/null
		bed_stop
	) </dev/null >/dev/null 2>&1 {bed_lock}>&- &
	echo $! >"$bed/net/guard.pid"
	disown
}

bed_close() {
	kill "$(<"$bed/net/guard.pid")" 2>/dev/null || true
	bed_stop
	rm -rf "$bed/image" "$bed/tools"
}

bed_stop() {
	local host name
	for host in $bed_hosts; do
		bed_power_cut "$host"
	done
	for name in lan link; do
		bed_is "$(bed_pid_file net "$name")" "$bed/switch" && kill "$(<"$bed/net/$name.pid")"
	done
	return 0
}

bed_pid_file() { echo "$bed/$1/$2.pid"; }

# A process that we started, and not another one that was given its number since.
bed_is() { # PID-FILE WHAT-ITS-COMMAND-LINE-HAS
	[ -e "$1" ] && grep -qsaF -e "$2" "/proc/$(<"$1")/cmdline"
}

bed_alive() { bed_is "$bed/machine/$1.pid" "$bed/machine/$1.agent"; } # HOST
bed_dead() { ! bed_alive "$1"; }

# ---------------------------------------------------------------------------------------------------------------------
# Machines

# bed_memory=([client]=1024) before booting, for more than the usual.
declare -A bed_memory

bed_boot() { # HOST...
	local host
	for host; do
		bed_power_on "$host"
	done
	for host; do
		on_within 90 "$host" true || { echo "$host does not boot: $bed/$host.console" >&2; return 1; }
		bed_measure_clock "$host"
	done
}

# no_timer_check: a machine that is not run for a while as it boots takes its timer for broken, and panics.
bed_power_on() { # HOST
	local host=$1 machine=$bed/machine/$1
	rm -f "$machine".*
	mkfifo "$machine".agent.in "$machine".agent.out
	vm_qemu_args "$bed_release" "$bed/image" "$bed/$host.console" "${bed_memory[$host]-384}" 1 \
		"no_timer_check tsc_early_khz=$bed_tsc_khz FTCP_HOST=$host FTCP_NUMBER=$(bed_number "$host")"
	bed_door agent "pipe,path=$machine.agent"
	bed_door log "file,append=on,path=$bed/$host.log"
	vm_nic lan "$(bed_mac 0 "$host")" "lan.$host.vm" "lan.$host.switch"
	[ "$host" = client ] || vm_nic link "$(bed_mac 1 "$host")" "link.$host.vm" "link.$host.switch"
	env -C "$bed/net" qemu-system-x86_64 "${vm_args[@]}" -pidfile "$machine.pid" </dev/null >>"$bed/$host.console" 2>&1 \
		{bed_lock}>&- &
	disown
	wait_for 20 bed_alive "$host"
}

bed_door() { # NAME CHARDEV
	vm_args+=(-chardev "${2/,/,id=$1,}" -device "virtserialport,chardev=$1,name=$1")
}

# No goodbye, no flush: whatever the machine was about to do or to send is gone.
bed_power_cut() { # HOST
	bed_alive "$1" || return 0
	kill -KILL "$(<"$bed/machine/$1.pid")"
	wait_for 10 bed_dead "$1"
}

bed_plug() { rm -f "$bed/net/$1.$2.unplugged"; kill -HUP "$(<"$bed/net/$1.pid")"; } # lan|link HOST
bed_unplug() { : >"$bed/net/$1.$2.unplugged"; kill -HUP "$(<"$bed/net/$1.pid")"; } # lan|link HOST

# ---------------------------------------------------------------------------------------------------------------------
# Commands

on() { on_within 30 "$@"; } # HOST COMMAND...

on_within() { # SECONDS HOST COMMAND...; status 124: not answered in time, 125: the machine is dead
	local seconds=$1 host=$2 id=$RANDOM$RANDOM$RANDOM
	shift 2
	(
		flock 5
		exec 6<>"$bed/machine/$host.agent.in" 7<>"$bed/machine/$host.agent.out"
		printf '%s %q\n' "$id" "$*" >&6
		bed_answer "$host" "$id" "$((SECONDS + seconds))"
	) 5>>"$bed/machine/$host.lock"
}

bed_answer() { # HOST ID DEADLINE
	local line part=
	while :; do
		line=
		if read -r -t 1 line <&7; then
			line=$part$line
			part=
			case $line in
			"$2>"*) printf '%s\n' "${line#*>}" ;;
			"$2="*) return "${line#*=}" ;;
			esac
			continue
		fi
		part+=$line
		bed_alive "$1" || { echo "$1: the machine is dead: $bed/$1.console" >&2; return 125; }
		[ "$SECONDS" -lt "$3" ] || { echo "$1: no answer in time" >&2; return 124; }
	done
}

# Wait for a job to end; prints what it printed, returns its status.
job_wait() { # SECONDS HOST NAME
	on_within "$1" "$2" "while [ ! -e /run/job/$3.status ]; do sleep 0.1; done
		cat /run/job/$3.out; exit \$(</run/job/$3.status)"
}

# What there is to know of the networks after a failure: who has sent and received how much, and whom the machines know.
bed_trouble() {
	local name host
	for name in lan link; do
		kill -USR1 "$(<"$bed/net/$name.pid")" || true
	done
	for host in $bed_hosts; do
		bed_alive "$host" || continue
		echo "--- $host: its networks"
		# shellcheck disable=SC2016 # the machine's
		on_within 10 "$host" 'grep -H . /sys/class/net/eth*/statistics/{rx,tx}_{packets,dropped}; ip neighbour' || true
	done
	tail -n 3 "$bed"/switch-*.log
}

# ---------------------------------------------------------------------------------------------------------------------
# Clocks. Every machine has its own; the log lines of all are put in order by what the host's clock showed.

bed_measure_clock() { # HOST
	local before after guest best=1000000
	for _ in 1 2 3 4 5; do
		before=$(now_ms)
		# shellcheck disable=SC2016 # the machine's
		guest=$(on "$1" 'echo $((${EPOCHREALTIME//[!0-9]/} / 1000))')
		after=$(now_ms)
		if [ $((after - before)) -lt "$best" ]; then
			best=$((after - before))
			echo $((guest - (before + after) / 2)) >"$bed/machine/$1.clock"
		fi
	done
}

bed_clock() { cat "$bed/machine/$1.clock"; } # HOST: by how many ms its clock is ahead of ours

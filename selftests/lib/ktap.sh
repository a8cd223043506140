# shellcheck shell=bash
# Test results as the kernel's selftests print them (KTAP): a line per result, the plan at the end.
#
#	ktap_begin
#	ktap_case 'echo of one byte' test_one_byte	# a function: ends with 0 (ok), 4 (skipped) or anything else
#	ktap_case -t 60 'echo of 100 MiB' test_large	# with its own time limit in seconds (default: 30)
#	ktap_ok NAME; ktap_fail NAME WHY; ktap_skip NAME WHY
#	ktap_include NAME COMMAND...			# the results of another program, numbered on, as 'NAME: result'
#	ktap_end					# prints the plan; status 0, 1 (failures) or 4 (nothing but skips)
#
# A case that fails is told with everything it printed; of one that passes nothing is shown unless VERBOSE is set.

ktap_passed=0 ktap_failed=0 ktap_skipped=0 ktap_failures=()

ktap_count() { echo $((ktap_passed + ktap_failed + ktap_skipped)); }

ktap_begin() {
	ktap_passed=0 ktap_failed=0 ktap_skipped=0 ktap_failures=()
	echo 'TAP version 13'
}

ktap_ok() { # NAME
	ktap_passed=$((ktap_passed + 1))
	echo "ok $(ktap_count) $1"
}

ktap_fail() { # NAME [WHY]
	ktap_failed=$((ktap_failed + 1))
	ktap_failures+=("$1")
	echo "not ok $(ktap_count) $1${2:+ # $2}"
}

ktap_skip() { # NAME [WHY]
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $(ktap_count) $1 # SKIP${2:+ $2}"
}

ktap_end() {
	echo "1..$(ktap_count)"
	[ "$ktap_failed" = 0 ] || return 1
	[ "$ktap_skipped" = 0 ] || [ "$ktap_passed" != 0 ] || return 4
}

# The rest of a case is not worth running: skip "no IPv6 here".
skip() {
	echo "skip: $*"
	exit 4
}

# Poll until a command succeeds. Conditions, never fixed sleeps: this machine may be ten times slower than yours.
wait_for() { # SECONDS COMMAND...
	local begin=$SECONDS limit=$1 step=0.05
	shift
	until "$@"; do
		[ $((SECONDS - begin)) -lt "$limit" ] || return 1
		# What takes long is not missed by much, and to look may be dear.
		[ $((SECONDS - begin)) -lt 3 ] || step=0.5
		sleep $step
	done
}

# ---------------------------------------------------------------------------------------------------------------------

ktap_gone() { ! kill -0 "$1" 2>/dev/null; }

# Run a function in a process group of its own, so that nothing survives a case that hangs.
ktap_case() { # [-t SECONDS] NAME FUNCTION [ARGUMENT...]
	local limit=30 name log pid status=0
	if [ "$1" = -t ]; then
		limit=$2
		shift 2
	fi
	name=$1
	shift
	log=$(mktemp)
	set -m
	(set -eu; "$@") >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	if ! wait_for "$limit" ktap_gone "$pid"; then
		kill -KILL -- "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		status=timeout
	else
		wait "$pid" || status=$?
	fi
	ktap_report "$name" "$status" "$limit" "$log"
	rm -f "$log"
}

ktap_report() { # NAME STATUS LIMIT LOG
	if [ "$2" != 0 ] || [ -n "${VERBOSE-}" ]; then
		sed 's/^/# /' "$4"
	fi
	case $2 in
	0) ktap_ok "$1" ;;
	4) ktap_skip "$1" "$(sed -n 's/^skip: //p' "$4" | tail -n 1)" ;;
	timeout) ktap_fail "$1" "not done after $3 s" ;;
	*) ktap_fail "$1" "status $2" ;;
	esac
}

# ---------------------------------------------------------------------------------------------------------------------

# Take over the results of another producer. It fails as a whole when it printed no plan, not as many results as planned,
# or ended badly without saying why. A command that prints no TAP at all is one result: its status.
# Several streams one after the other are as good as one. With -n the results keep their names.
ktap_include() { # [-n] NAME COMMAND...
	local prefix="$1: " line planned='' before failed_before status=''
	if [ "$1" = -n ]; then
		prefix=
		shift
	fi
	local name=$1
	shift
	before=$(ktap_count)
	failed_before=$ktap_failed
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		case $line in
		'ok '[0-9]* | 'not ok '[0-9]*) ktap_relay "$prefix" "$line" ;;
		1..[0-9]*) line=${line#1..}; planned=$((planned + ${line%%[!0-9]*})) ;;
		'TAP version '* | 'KTAP version '*) ;;
		*'## status '*)
			status=${line##*'## status '}
			line=${line%'## status '*}
			[ -z "$line" ] || printf '%s\n' "$line" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <(set +e; "$@" 2>&1; echo "## status $?")
	ktap_judge "$name" "$planned" $(($(ktap_count) - before)) "$status" $((ktap_failed - failed_before))
}

ktap_relay() { # PREFIX LINE
	local name=${2#not } why=
	name=${name#ok }
	name=${name#"${name%%[!0-9]*}"}
	name=${name# }
	name=${name#- }
	case $name in
	*' # '*) why=${name#* # }; name=${name%% # *} ;;
	'# '*) why=${name#'# '}; name= ;;
	esac
	name=$1$name
	case $2 in
	'not ok '*) ktap_fail "$name" "$why" ;;
	*) case $why in
		SKIP* | skip*) ktap_skip "$name" "${why#???? }" ;;
		*) ktap_ok "$name" ;;
		esac ;;
	esac
}

ktap_judge() { # NAME PLANNED SEEN STATUS FAILURES
	case $4:$2:$3 in
	0::0) ktap_ok "$1" ;;
	4::0 | 4:0:0) ktap_skip "$1" ;;
	*::0) ktap_fail "$1" "status $4" ;;
	*::*) ktap_fail "$1: ran to its end" "no plan after $3 results, status $4" ;;
	*)
		if [ "$2" != "$3" ]; then
			ktap_fail "$1: ran to its end" "$2 results planned, $3 seen, status $4"
		elif [ "$4" != 0 ] && [ "$4" != 4 ] && [ "$5" = 0 ]; then
			ktap_fail "$1: ended well" "status $4"
		fi ;;
	esac
}

# ---------------------------------------------------------------------------------------------------------------------

# What a kernel says when something is wrong with it. Reads a kernel log, prints the excerpts; status 0 when there are any.
kmsg_trouble() {
	grep -n -A 30 -E 'WARNING: |BUG: |BUG |Oops: |general protection fault|refcount_t: |kernel BUG at|Kernel panic|Call Trace:|unregister_netdevice: waiting|unable to handle|INFO: task .* blocked|INFO: rcu|self-detected stall|detected stalls|soft lockup|scheduling while atomic|sleeping function|Objects remaining|Slab cache still has objects|leaked'
}

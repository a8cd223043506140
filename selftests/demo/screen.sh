# shellcheck shell=bash disable=SC2154 # bed_*: selftests/hosts/lib.sh; current, mib_of: run
# What the demo shows to a person while it runs: what happens when, and how far the transfer is.
#
# On a terminal the progress is one line that is drawn again and again; else it is a line every few seconds.

screen_start() {
	screen_began=$(now_ms)
	screen_drawn=0
	screen_bar=
	screen_tty=
	[ ! -t 1 ] || screen_tty=1
	declare -gA screen_told=([alpha]=0 [beta]=0)
}

say() { say_at "$(now_ms)" "$@"; }

say_at() { # MS TEXT
	local since=$(($1 - screen_began))
	screen_clear
	printf '%4d.%03d s  %s\n' $((since / 1000)) $((since % 1000)) "$2"
}

say_step() {
	screen_clear
	printf '\n%s--- %s%s\n' "${screen_tty:+$'\e[1m'}" "$1" "${screen_tty:+$'\e[0m'}"
}

say_command() { # HOST COMMAND
	screen_clear
	printf '            %s# %s\n' "$1" "$2"
}

show() { # standard input
	screen_clear
	sed 's/^/            | /'
}

# ---------------------------------------------------------------------------------------------------------------------

# Until the condition holds: progress, and what the servers say.
follow() { # CONDITION...
	until "$@"; do
		[ "$SECONDS" -lt "$limit" ] || fail "not done after $limit s"
		bed_alive client || fail 'the client died'
		screen_news
		screen_progress
		sleep 0.1
	done
	screen_news
}

# Events of the servers' daemons, as they happen.
screen_news() {
	local host at text
	for host in alpha beta; do
		while read -r at text; do
			say_at "$at" "$host: $text"
			screen_told[$host]=$((${screen_told[$host]} + 1))
		done < <(server_events "$host" | tail -n "+$((${screen_told[$host]} + 1))")
	done
}

# The events that are news to a person.
server_events() { # HOST
	pair_events "$1" | awk '$2 ~ /^(noticed|promoted|announced|detached|attached|demoted|link_lost)$/'
}

# ---------------------------------------------------------------------------------------------------------------------

screen_progress() {
	local received total
	[ -n "$screen_tty" ] || [ $(($(now_ms) - screen_drawn)) -ge 3000 ] || return 0
	received=$(transfer_received "$current")
	total=$((${mib_of[$current]} * 1048576))
	screen_drawn=$(now_ms)
	if [ -n "$screen_tty" ]; then
		screen_bar=1
		printf '\r\e[K            %s' "$(screen_draw "$received" "$total")"
	else
		say "$(screen_draw "$received" "$total")"
	fi
}

screen_draw() { # RECEIVED TOTAL
	local width=40 filled
	filled=$((width * $1 / $2))
	printf '[%.*s%.*s] %3d %%  %d.%d of %d MiB' "$filled" '########################################' \
		$((width - filled)) '........................................' $((100 * $1 / $2)) \
		$(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576)) $(($2 / 1048576))
}

screen_clear() {
	[ -z "$screen_bar" ] || printf '\r\e[K'
	screen_bar=
}

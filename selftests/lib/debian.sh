# shellcheck shell=bash
# What the build and the tests want of Debian: become root when that is possible, ask apt for what is missing.

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
		sudo "$@"
	else
		echo "this needs root and there is no usable sudo; run as root:" >&2
		echo "    $*" >&2
		return 1
	fi
}

apt_update() { as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2; }

apt_missing() { # PACKAGE...: prints those that are not installed
	local package
	for package; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

apt_install() { # PACKAGE...
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends "$@"
}

#!/bin/bash
# Programs that know nothing of ftcp serve by it, each to its ordinary client.
# limit: 900 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh

server=10.9.0.11
work=/tmp/ftcprun

# Run a server in the primary until the case ends. What it listens with, chosen by -p, is ftcp's when this returns.
serve() { # PORTS COMMAND...
	local ports=$1 first=${1%%[,-]*}
	shift
	log=$bed_log/$(basename "$1").$first.log
	spawn primary "$log" ftcprun -v -p "$ports" -- "$@"
	wait_for 30 grep -q "port $first is served by ftcp" "$log" || { cat "$log"; return 1; }
}

# A case with an empty directory of its own, and nothing left in the hosts.
in_peace() { # FUNCTION [ARGUMENT...]
	trap 'bed_kill primary; bed_kill client; rm -rf "$work"' EXIT
	mkdir -p "$work"
	cd "$work"
	"$@"
}

case_of() { ktap_case -t 120 "$1" in_peace "${@:2}"; } # NAME FUNCTION [ARGUMENT...]

make_file() { head -c "$2" /dev/urandom >"$1"; } # NAME SIZE

tcp_listens() { [ -n "$(ip netns exec primary ss -Hltn "sport = $1")" ]; } # PORT

# ---------------------------------------------------------------------------------------------------------------------
# ftcprun itself

exits_with() { # STATUS TEXT COMMAND...
	local status=0 output
	output=$("${@:3}" 2>&1) || status=$?
	echo "$status: $output"
	[ "$status" = "$1" ] && [[ $output = *"$2"* ]]
}

tells_what_is_wrong() {
	exits_with 127 'no such program' ftcprun no-such-program
	exits_with 126 'not executable' ftcprun /etc/passwd
	exits_with 126 'linked statically' ftcprun /bin/busybox
	exits_with 2 'not a list of ports' ftcprun -p 80,http bash
	exits_with 2 'which program' ftcprun
	exits_with 0 'Usage:' ftcprun --help
	exits_with 0 'ftcprun 0.' ftcprun --version
}

# Sockets load the module by themselves, unless nothing can.
needs_module() {
	local loader status=0
	loader=$(sysctl -n kernel.modprobe)
	wait_for 10 bed_module_unload
	sysctl -qw kernel.modprobe=/bin/false
	exits_with 1 'is the module loaded?' ftcprun bash -c true || status=1
	sysctl -qw kernel.modprobe="$loader"
	return "$status"
}

passes_on() {
	exits_with 7 '' ftcprun bash -c 'exit 7'
	# shellcheck disable=SC2016 # for the other bash
	exits_with 0 '80,8000-8010 web' ftcprun -p 80 -p 8000-8010 -g web bash -c 'echo "$FTCPRUN_PORTS $FTCPRUN_GROUP"'
}

# ---------------------------------------------------------------------------------------------------------------------
# What the preloaded library does

python_serves() { # PORTS: the program is read from standard input
	cat >server.py
	serve "$1" python3 "$work/server.py"
}

only_chosen_ports() {
	python_serves 7002 <<-'E'
		import socket, time
		a = socket.create_server(("", 7001))
		b = socket.create_server(("", 7002))
		c = socket.socket()
		c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
		c.bind(("", 7003))
		c.listen()
		print("ready", flush=True)
		time.sleep(1000)
	E
	wait_for 10 grep -q ready "$log"
	tcp_listens 7001
	if tcp_listens 7002; then return 1; fi
	tcp_listens 7003
}

# Without rights a program gets the ports that root has made services of, and is told so; never a port of TCP instead.
rights_are_needed() {
	cat >server.py <<-'E'
		import os, socket, sys
		os.setuid(65534)
		s = socket.create_server(("", int(sys.argv[1])))
		conn, peer = s.accept()
		conn.sendall(b"hello\n")
	E
	exits_with 1 'ftcpctl service add socket' primary ftcprun python3 server.py 7005
	primary ftcpctl service add socket --port 7005
	serve 7005 python3 "$work/server.py" 7005
	[ "$(client nc -N "$server" 7005 </dev/null)" = hello ]
	bed_kill primary
	primary ftcpctl service del --port 7005
}

# A group is named, and must be there.
groups_are_chosen() {
	exits_with 1 'cannot be had from ftcp' primary ftcprun -g nobodys python3 -c 'import socket; socket.create_server(("", 7006))'
	primary ftcpctl group add web
	primary ftcpctl -g web promote --force
	spawn primary "$bed_log/web.log" ftcprun -v -g web python3 -c 'import socket; s = socket.create_server(("", 7006)); s.accept()[0].sendall(b"web")'
	wait_for 20 grep -q 'is served by ftcp' "$bed_log/web.log"
	ip netns exec primary ftcpctl -g web service list | grep 7006
	[ "$(client nc -N "$server" 7006 </dev/null)" = web ]
}

# Options, flags, and the epoll set where it stood before anybody knew that it is to listen.
keeps_what_was_set() {
	python_serves 7004 <<-'E'
		import fcntl, os, select, socket
		s = socket.socket()
		other = s.dup()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		s.setblocking(False)
		s.bind(("", 7004))
		poll = select.epoll()
		poll.register(s.fileno(), select.EPOLLIN)
		s.listen(5)
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100000
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_TCP
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
		assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
		assert s.getsockname()[1] == 7004
		assert fcntl.fcntl(s, fcntl.F_GETFD) == fcntl.FD_CLOEXEC
		assert fcntl.fcntl(s, fcntl.F_GETFL) & os.O_NONBLOCK
		assert poll.poll() == [(s.fileno(), select.EPOLLIN)]
		conn, peer = s.accept()
		assert conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
		conn.sendall(b"all is as it was\n")
		conn.close()
	E
	client nc -N "$server" 7004 </dev/null >said || true
	cat "$log" said
	grep -q 'all is as it was' said
}

# ---------------------------------------------------------------------------------------------------------------------
# Programs

socat_cat() {
	make_file sent 4M
	serve 7010 socat TCP6-LISTEN:7010,fork,reuseaddr EXEC:/bin/cat
	client nc -N "$server" 7010 <sent >received
	cmp sent received
	client nc -N fd09::11 7010 <sent >received
	cmp sent received
}

asyncio_echo() {
	python_serves 7011 <<-'E'
		import asyncio

		async def echo(reader, writer):
		    while data := await reader.read(65536):
		        writer.write(data)
		        await writer.drain()
		    writer.close()

		async def main():
		    server = await asyncio.start_server(echo, None, 7011)
		    await server.serve_forever()

		asyncio.run(main())
	E
	client echo_client "$server" 7011 -n 8 -s 512K
	client echo_client fd09::11 7011 -n 8 --ping-pong 100:700
}

iperf_all_ways() {
	serve 5201 iperf3 -s -p 5201
	client iperf3 -c "$server" -n 40M
	client iperf3 -c "$server" -n 40M -R
	client iperf3 -c "$server" -n 40M -P 4
	client iperf3 -c "$server" -n 40M --bidir
}

redis_works() {
	make_file sent 2M
	serve 6379 redis-server --port 6379 --save '' --protected-mode no --dir "$work"
	client redis-cli -h "$server" -x SET big <sent
	client redis-cli -h "$server" --raw GET big >received
	head -c 2M received | cmp sent -
	client redis-benchmark -h "$server" -n 5000 -c 50 -q -t ping,set,get,lpush
	client redis-benchmark -h "$server" -n 20000 -c 20 -P 16 -q -t set,get -d 1000
	[ "$(client redis-cli -h "$server" STRLEN big)" = $((2 << 20)) ]
}

nginx_conf() {
	mkdir -p html tmp
	chmod 777 . html tmp
	cat >nginx.conf <<-E
		daemon off;
		user root;
		worker_processes 2;
		pid $work/nginx.pid;
		error_log stderr;
		events { worker_connections 512; }
		http {
			access_log off;
			sendfile on;
			tcp_nopush on;
			client_max_body_size 0;
			client_body_temp_path $work/tmp;
			proxy_temp_path $work/tmp/proxy;
			fastcgi_temp_path $work/tmp/fastcgi;
			uwsgi_temp_path $work/tmp/uwsgi;
			scgi_temp_path $work/tmp/scgi;
			server {
				listen 80;
				listen [::]:80 ipv6only=on;
				root $work/html;
				dav_methods PUT DELETE;
			}
		}
	E
}

nginx_works() {
	nginx_conf
	make_file html/large 32M
	make_file html/small 20000
	make_file sent 8M
	serve 80 nginx -c "$work/nginx.conf"
	client curl -sSf "http://$server/large" -o received
	cmp html/large received
	client curl -sSf "http://[fd09::11]/large" -r 1000000-9000000 -o received
	tail -c +1000001 html/large | head -c 8000001 | cmp - received
	client curl -sSf -T sent "http://$server/put"
	cmp sent html/put
	client curl -sSf -Z --parallel-immediate --parallel-max 100 "http://$server/small?[1-300]" -o 'got#1'
	[ "$(sha256sum got* | cut -c -64 | uniq -c)" = "    300 $(sha256sum <html/small | cut -c -64)" ]
}

ssh_to() { client "$1" -q -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes "${@:2}"; } # PROGRAM ARGUMENT...

sshd_works() {
	grep -q ^sshd: /etc/passwd || echo 'sshd:x:101:65534::/run/sshd:/bin/false' >>/etc/passwd
	mkdir -p /run/sshd
	chmod 755 /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f host
	ssh-keygen -q -t ed25519 -N '' -f key
	cp key.pub authorized
	printf '%s\n' 'UsePAM no' 'StrictModes no' "HostKey $work/host" "AuthorizedKeysFile $work/authorized" \
		'Subsystem sftp /usr/lib/openssh/sftp-server' "PidFile $work/sshd.pid" 'UseDNS no' >sshd.conf
	make_file sent 4M
	serve 22 /usr/sbin/sshd -D -e -f "$work/sshd.conf"
	[ "$(ssh_to ssh "root@$server" 'expr 6 \* 7')" = 42 ]
	ssh_to ssh "root@$server" cat <sent >received
	cmp sent received
	ssh_to scp sent "root@$server:$work/up"
	cmp sent up
	ssh_to scp "root@$server:$work/up" down
	cmp sent down
	! ssh_to ssh "root@$server" exit 5
}

# The passive mode's ports are opened by a process that has dropped its rights, so they are made before.
vsftpd_works() {
	local port
	grep -q ^ftp: /etc/passwd || echo 'ftp:x:102:65534::/tmp/ftcprun/ftp:/bin/false' >>/etc/passwd
	mkdir -p ftp/in /run/vsftpd/empty
	chmod 777 ftp/in
	printf '%s\n' listen=YES listen_port=21 background=NO anonymous_enable=YES no_anon_password=YES write_enable=YES anon_upload_enable=YES \
		anon_umask=022 seccomp_sandbox=NO pasv_min_port=40000 pasv_max_port=40003 ftp_username=ftp nopriv_user=nobody \
		secure_chroot_dir=/run/vsftpd/empty xferlog_enable=NO "anon_root=$work/ftp" >vsftpd.conf
	make_file sent 4M
	for port in 40000 40001 40002 40003; do
		primary ftcpctl service add socket --port "$port"
	done
	serve 21,40000-40003 vsftpd "$work/vsftpd.conf"
	client lftp -c "set net:timeout 20; set net:max-retries 2; open $server; cd in; put sent; get sent -o received; ls"
	cmp sent ftp/in/sent
	cmp sent received
	for port in 40000 40001 40002 40003; do
		primary ftcpctl service del --port "$port"
	done
}

# The connection is handed to another program, as its standard input and output.
inetd_passes_on() {
	make_file sent 2M
	echo '7012 stream tcp nowait root /bin/cat cat' >inetd.conf
	serve 7012 inetd -i "$work/inetd.conf"
	client nc -N "$server" 7012 <sent >received
	cmp sent received
	client echo_client "$server" 7012 -n 8 -s 64K
}

ktap_begin
bed_up
bed_module_load
primary ftcpctl promote --force >&2
case_of 'ftcprun tells what is wrong' tells_what_is_wrong
case_of 'exit status and parameters are passed on' passes_on
case_of 'only chosen ports are taken' only_chosen_ports
case_of 'rights are needed, or a service made before' rights_are_needed
case_of 'groups are chosen' groups_are_chosen
case_of 'options, flags and epoll sets are kept' keeps_what_was_set
case_of 'socat' socat_cat
case_of 'python asyncio' asyncio_echo
case_of 'iperf3' iperf_all_ways
case_of 'redis' redis_works
case_of 'nginx' nginx_works
case_of 'sshd' sshd_works
case_of 'vsftpd' vsftpd_works
case_of 'inetd' inetd_passes_on
case_of 'without the module' needs_module
bed_down
ktap_end

#!/usr/bin/python3
"""A client with every socket option that changes what its segments look like: standard input to the service, and what comes back
to standard output, both at once; the input's end is a half close.

usage: client.py [--KEY=VALUE | --FLAG]... ADDRESS PORT
"""
import argparse
import select
import socket
import sys

TCP_MAXSEG, TCP_CORK, TCP_WINDOW_CLAMP = 2, 3, 10
MSG_ZEROCOPY, SO_ZEROCOPY, IPPROTO_MPTCP = 0x4000000, 60, 262
URGENT_EVERY = 10000


def parse():
    parser = argparse.ArgumentParser()
    for number, what in (
            ("rcvbuf", "SO_RCVBUF"), ("sndbuf", "SO_SNDBUF"), ("mss", "TCP_MAXSEG"), ("clamp", "TCP_WINDOW_CLAMP"),
            ("write", "bytes of one write, at most"), ("read", "bytes of one read, at most")):
        parser.add_argument("--" + number, type=int, default=0, help=what)
    for flag, what in (
            ("nodelay", "TCP_NODELAY"), ("cork", "TCP_CORK"), ("mptcp", "a socket of MPTCP"), ("zerocopy", "MSG_ZEROCOPY"),
            ("fastopen", "the first bytes go with the SYN, if the server lets them"),
            ("urgent", "now and then a byte is urgent: the service takes it like any other"),
            ("alternate", "a write, and all of it back, then the next")):
        parser.add_argument("--" + flag, action="store_true", help=what)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    return parser.parse_args()


def make_socket(args):
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, IPPROTO_MPTCP if args.mptcp else 0)
    for value, level, option in (
            (args.rcvbuf, socket.SOL_SOCKET, socket.SO_RCVBUF), (args.sndbuf, socket.SOL_SOCKET, socket.SO_SNDBUF),
            (args.mss, socket.IPPROTO_TCP, TCP_MAXSEG), (args.clamp, socket.IPPROTO_TCP, TCP_WINDOW_CLAMP),
            (args.nodelay, socket.IPPROTO_TCP, socket.TCP_NODELAY), (args.cork, socket.IPPROTO_TCP, TCP_CORK),
            (args.zerocopy, socket.SOL_SOCKET, SO_ZEROCOPY)):
        if value:
            sock.setsockopt(level, option, int(value))
    return sock


def connect(sock, args, data):
    """Returns how much has been sent already."""
    to = (args.address, args.port)
    if args.fastopen:
        return sock.sendto(data[:500], socket.MSG_FASTOPEN, to)
    sock.connect(to)
    return 0


def reap(sock):
    """What the kernel says about its zero copies is not of interest, but wakes poll() until it is read."""
    try:
        while sock.recvmsg(1, 200, socket.MSG_ERRQUEUE):
            pass
    except BlockingIOError:
        pass


class Transfer:
    def __init__(self, sock, args, data):
        self.sock, self.args, self.data = sock, args, data
        self.sent = connect(sock, args, data)
        self.back = 0
        self.open = True

    def write(self):
        if self.sent == len(self.data):
            self.sock.shutdown(socket.SHUT_WR)
            self.open = False
            return
        urgent = self.args.urgent and self.sent % URGENT_EVERY == URGENT_EVERY - 1
        limit = self.args.write or 65536
        if self.args.urgent and not urgent:
            limit = min(limit, URGENT_EVERY - 1 - self.sent % URGENT_EVERY)
        flags = MSG_ZEROCOPY if self.args.zerocopy else 0
        if urgent:
            limit, flags = 1, socket.MSG_OOB
        try:
            self.sent += self.sock.send(self.data[self.sent:self.sent + limit], flags)
        except BlockingIOError:
            pass

    def read(self):
        data = self.sock.recv(self.args.read or 65536)
        sys.stdout.buffer.write(data)
        self.back += len(data)
        return data

    def run(self):
        self.sock.setblocking(False)
        poll = select.poll()
        while True:
            may_write = self.open and not (self.args.alternate and self.back < self.sent)
            poll.register(self.sock, select.POLLIN | (select.POLLOUT if may_write else 0))
            for _, events in poll.poll():
                if events & select.POLLERR and self.args.zerocopy:
                    reap(self.sock)
                if events & (select.POLLIN | select.POLLHUP) and not self.read():
                    return
                if events & select.POLLOUT:
                    self.write()


def main():
    args = parse()
    data = memoryview(sys.stdin.buffer.read())
    transfer = Transfer(make_socket(args), args, data)
    transfer.run()
    sys.stdout.buffer.flush()
    if transfer.open:
        sys.exit("the service closed first: %d of %d bytes sent, %d back" % (transfer.sent, len(data), transfer.back))


main()

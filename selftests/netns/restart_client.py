#!/usr/bin/python3
"""Streams lines to servers that are killed all the time, and checks every byte that comes back, as it comes.

usage: restart_client.py [-n CONNS] [--seed N] [--rate BYTES] [--plain | --upload DIRECTORY] [--timeout S] [--progress FILE] ADDRESS PORT

The server is Documentation/examples' resume_echo; --plain: started without a directory; --upload: upload_receiver, and what each connection sent is in
DIRECTORY/N.sent, too. Until SIGUSR1: then it half-closes, and waits for the rest and the end of the server's stream. FILE has, at any time,
how many bytes came back or, for uploads, were sent. Ends with 0 only if every byte came once and in order.
"""
import argparse
import os
import random
import selectors
import signal
import socket
import sys
import time
import zlib

WINDOW = 262144     # sent and not yet come back, at most
stopping = False


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", dest="conns", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--upload")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--progress")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    return parser.parse_args()


class Conn:
    """One connection: what was made, of that what was sent; what is expected, of that what came."""

    def __init__(self, args, number):
        self.args, self.number = args, number
        self.random = random.Random(f"{args.seed}.{number}")
        self.crc = 0
        self.to_send, self.expected = bytearray(), bytearray()
        self.sent = self.received = self.budget = 0
        self.finished = self.ended = False
        self.answer = b""
        self.copy = open(f"{args.upload}/{number}.sent", "wb") if args.upload else None
        self.sock = socket.create_connection((args.address, args.port), timeout=60)
        self.sock.setblocking(False)
        self.last = time.monotonic()

    def make(self):
        """A line more."""
        line = self.random.randbytes(self.random.randrange(1, 600)).hex().encode()
        self.to_send += line + b"\n"
        if self.args.plain:
            self.expected += line.upper() + b"\n"
        elif not self.copy:
            self.crc = zlib.crc32(line, self.crc)
            self.expected += line.upper() + b" %08X\n" % self.crc
            self.crc = zlib.crc32(b"\n", self.crc)

    def may_send(self):
        if self.finished or len(self.expected) > WINDOW:
            return False
        if self.args.rate:
            now = time.monotonic()
            self.budget = min(self.budget + (now - self.last) * self.args.rate, self.args.rate)
            self.last = now
            return self.budget > 0
        return True

    def wants(self):
        events = 0 if self.ended else selectors.EVENT_READ
        if not self.finished and (self.to_send or stopping or self.may_send()):
            events |= selectors.EVENT_WRITE
        return events

    def write(self):
        while not stopping and len(self.to_send) < 16384 and self.may_send() and len(self.expected) < WINDOW:
            self.make()
        if self.to_send:
            try:
                n = self.sock.send(self.to_send)
            except BlockingIOError:
                return
            if self.copy:
                self.copy.write(self.to_send[:n])
            del self.to_send[:n]
            self.sent += n
            self.budget -= n
        elif stopping:
            self.sock.shutdown(socket.SHUT_WR)
            self.finished = True

    def read(self):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        if not data:
            self.ended = True
        elif self.copy:
            self.answer += data
        else:
            if not self.expected.startswith(data):
                good = len(os.path.commonprefix([bytes(self.expected[:len(data)]), data]))
                sys.exit(f"connection {self.number}: wrong byte at {self.received + good}: {data[good:good + 40]}, "
                         f"not {bytes(self.expected[good:good + 40])}")
            del self.expected[:len(data)]
        self.received += len(data)

    def verdict(self):
        if self.copy:
            self.copy.close()
            wanted = b"%d bytes kept\n" % self.sent
            return None if self.answer == wanted else f"was told {self.answer}, not {wanted}"
        return f"{len(self.expected)} bytes did not come back" if self.expected else None


def step(selector, conns):
    for conn in conns:
        wants = conn.wants()
        if wants and conn.sock not in selector.get_map():
            selector.register(conn.sock, wants, conn)
        elif wants:
            selector.modify(conn.sock, wants, conn)
        elif conn.sock in selector.get_map():
            selector.unregister(conn.sock)
    for key, events in selector.select(0.1):
        if events & selectors.EVENT_READ:
            key.data.read()
        if events & selectors.EVENT_WRITE:
            key.data.write()


def tell(args, conns):
    if args.progress:
        with open(args.progress + ".new", "w", encoding="utf-8") as file:
            print(sum(conn.sent if args.upload else conn.received for conn in conns), file=file)
        os.rename(args.progress + ".new", args.progress)


def stop(*_):
    global stopping
    stopping = True


def main():
    args = parse()
    signal.signal(signal.SIGUSR1, stop)
    deadline = time.monotonic() + args.timeout
    selector = selectors.DefaultSelector()
    conns = [Conn(args, number) for number in range(args.conns)]
    while not all(conn.finished and conn.ended for conn in conns):
        if time.monotonic() > deadline:
            sys.exit("not done in time: " + ", ".join(f"{c.sent} sent {c.received} received {c.finished} {c.ended}" for c in conns))
        for conn in conns:
            if conn.ended and not conn.finished:
                sys.exit(f"connection {conn.number}: ended by the server after {conn.received} bytes")
        step(selector, conns)
        tell(args, conns)
    troubles = [f"connection {conn.number}: {conn.verdict()}" for conn in conns if conn.verdict()]
    print(f"{args.conns} connections, {sum(c.sent for c in conns)} bytes sent, {sum(c.received for c in conns)} received")
    sys.exit("\n".join(troubles) or 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A client without manners: sends what has to be dropped, and says for what reason that should be.

usage: provoke.py INTERFACE SOURCE SERVER PORT [STANDBY]

The source must be no address of this host, so that no kernel answers for it. Prints the reasons that it has provoked, one a line.
"""

import socket
import struct
import sys
import time

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Client:
    """One connection's end. Sequence numbers are offsets from the initial one."""

    def __init__(self, interface, source, server, port):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.sock.bind((interface, 0))
        self.sock.settimeout(0.05)
        self.source, self.server, self.port = socket.inet_aton(source), socket.inet_aton(server), port
        self.server_mac = b"\xff" * 6
        self.my_mac = self.sock.getsockname()[4]
        self.sport = 20000
        self.iss, self.peer, self.tsval, self.tsecr, self.ts = 1000, 0, 5000, 0, False

    def resolve(self):
        """The server's hardware address, by ARP."""
        arp = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        arp.bind((sys.argv[1], 0))
        arp.settimeout(0.2)
        ask = b"\xff" * 6 + self.my_mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
        ask += self.my_mac + self.source + b"\0" * 6 + self.server
        for _ in range(50):
            arp.send(ask)
            try:
                frame = arp.recv(100)
            except socket.timeout:
                continue
            if frame[20:22] == b"\0\2" and frame[28:32] == self.server:
                self.server_mac = frame[22:28]
                return
        sys.exit("nobody answers for the server's address")

    def send(self, flags, seq=0, ack=0, data=b"", options=None, bad=False, header=None, tsval=None, source=None):
        """seq and ack are offsets; options None: a timestamp if that was agreed on."""
        if options is None:
            options = struct.pack("!BBBBII", 1, 1, 8, 10, self.tsval if tsval is None else tsval, self.tsecr) if self.ts else b""
        options += b"\0" * (-len(options) % 4)
        words = (20 + len(options)) // 4 if header is None else header
        source = source or self.source
        tcp = struct.pack("!HHIIBBHHH", self.sport, self.port, (self.iss + 1 + seq) & 0xFFFFFFFF,
                          (self.peer + 1 + ack) & 0xFFFFFFFF if flags & ACK else 0, words << 4, flags, 60000, 0, 0) + options + data
        pseudo = source + self.server + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp) ^ (0x5555 if bad else 0)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, self.server)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.sock.send(self.server_mac + self.my_mac + b"\x08\0" + ip + tcp)

    def receive(self, flags):
        """The next segment to us that has these flags; (sequence number, options)."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                frame = self.sock.recv(2000)
            except socket.timeout:
                continue
            tcp = frame[14 + 20:]
            if frame[23] == 6 and frame[30:34] == self.source and struct.unpack("!H", tcp[2:4])[0] == self.sport and tcp[13] & flags == flags:
                return struct.unpack("!I", tcp[4:8])[0], tcp[20:(tcp[12] >> 4) * 4]
        sys.exit("the server does not answer")

    def open(self, ts):
        self.sport += 1
        self.ts = False
        options = struct.pack("!BBH", 2, 4, 1460) + b"\4\2" + (struct.pack("!BBII", 8, 10, self.tsval, 0) if ts else b"")
        self.send(SYN, seq=-1, options=options)
        self.peer, got = self.receive(SYN | ACK)
        self.ts = ts
        if ts:
            at = got.index(b"\x08\x0a")
            self.tsecr = struct.unpack("!I", got[at + 6:at + 10])[0]
        self.send(ACK)
        self.send(ACK | PSH, data=b"0123456789")
        self.receive(ACK | PSH)
        self.send(ACK, seq=10, ack=10)


def provoke(client, standby):
    def did(reason):
        print(reason)

    client.send(ACK | PSH, data=b"x", bad=True)
    did("checksum")
    client.send(ACK, header=3)
    did("header")
    client.send(SYN, options=b"\x02\x00")
    did("option")
    client.send(SYN, options=b"\x13\x12" + b"\0" * 16)
    did("auth-option")
    client.send(SYN | FIN)
    did("flags")
    client.send(ACK, seq=77, ack=77)
    did("no-conn")
    client.send(RST)
    did("reset-no-conn")
    client.send(SYN, seq=-1, source=socket.inet_aton("127.0.0.1"))

    client.open(ts=True)
    client.send(ACK | PSH, seq=10, ack=10, data=b"x", tsval=client.tsval - 1000)
    did("paws")
    client.send(ACK | PSH, seq=10, ack=10, data=b"x", options=b"")
    did("no-timestamp")
    client.send(ACK | PSH, seq=0, ack=10, data=b"0123456789")
    did("old-data")
    client.send(ACK | PSH, seq=10_000_000, ack=10, data=b"x")
    did("out-of-window")
    client.send(RST, seq=11)
    did("rst-challenge")
    client.send(SYN, seq=10)
    did("syn-challenge")
    client.send(ACK, seq=10, ack=-100_000)
    did("ack-old")
    client.send(ACK, seq=10, ack=100_000)
    did("ack-future")
    for island in range(40):
        client.send(ACK | PSH, seq=20 + 2 * island, ack=10, data=b"x")
    did("ooo-limit")
    client.send(RST, seq=10)
    did("reset")
    if standby:
        client.server = socket.inet_aton(standby)
        client.resolve()
        client.send(SYN, seq=-1)
        did("standby")


def main():
    interface, source, server, port = sys.argv[1:5]
    client = Client(interface, source, server, int(port))
    client.resolve()
    provoke(client, sys.argv[5] if len(sys.argv) > 5 else None)


main()

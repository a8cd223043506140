#!/usr/bin/env python3
"""A host in a namespace that anybody could have made, for the tests of the bed: unshare -U -r -n ./guest.py

It has a service, and clients of it, and another group that is standby. Commands are read from standard input, and each is answered by a line:

    open N      so many clients more; answered by the number of connections that there are
    apply       a batch without records for the standby; answered by "taken", or by what netlink said
"""
import json
import socket
import struct
import subprocess
import sys
import time

PORT = 9
CTRL, GETFAMILY, FAMILY_ID, FAMILY_NAME = 16, 3, 1, 2
SYNC_APPLY, GROUP_NAME, BATCH = 17, 2, 19
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
NLMSG_ERROR, NLMSGERR_ATTR_MSG = 2, 1


def attr(kind, data):
    return struct.pack('HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attrs(data):
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from('HH', data)
        found[kind] = data[4:size]
        data = data[size + -size % 4:]
    return found


def ask(sock, family, command, payload):
    """The first message that comes back: its type, and what is in it."""
    body = struct.pack('BBH', command, 1, 0) + payload
    sock.send(struct.pack('IHHII', 16 + len(body), family, 5, 1, 0) + body)     # NLM_F_REQUEST | NLM_F_ACK
    answer = sock.recv(65536)
    size, kind = struct.unpack_from('IH', answer)
    return kind, answer[16:size]


def batch():
    """The beginning of a resync of nothing (include/ftcp/batch.h)."""
    return struct.pack('>IHHQQQIIII16s16s', 0x66744342, 1, 1, 1, time.monotonic_ns(), 1, 0, 0, 80, 0, b'', b'')


def apply():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)    # NETLINK_GENERIC
    sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
    sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
    _, family = ask(sock, CTRL, GETFAMILY, attr(FAMILY_NAME, b'ftcp\0'))
    sock.recv(65536)    # its acknowledgement
    family, = struct.unpack('H', attrs(family[4:])[FAMILY_ID])
    kind, answer = ask(sock, family, SYNC_APPLY, attr(GROUP_NAME, b'other\0') + attr(BATCH, batch()))
    assert kind == NLMSG_ERROR
    error, = struct.unpack_from('i', answer)
    if not error:
        return 'taken'
    text = attrs(answer[20:]).get(NLMSGERR_ATTR_MSG, b'').rstrip(b'\0')
    return f'{error} {text.decode()}'


def ftcpctl(*command):
    return subprocess.run(('ftcpctl', '-j') + command, check=True, stdout=subprocess.PIPE).stdout


clients = []


def open_many(n):
    for _ in range(n):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(('127.0.0.1', PORT))
        clients.append(sock)
    time.sleep(3)   # SYNs are repeated
    return json.loads(ftcpctl('stats', '-a'))['conns']


subprocess.run(('ip', 'link', 'set', 'lo', 'up'), check=True)
ftcpctl('service', 'add', 'echo', '--port', str(PORT))
ftcpctl('promote', '--force')
ftcpctl('group', 'add', 'other')
print('up', flush=True)
for line in sys.stdin:
    words = line.split()
    print(open_many(int(words[1])) if words[0] == 'open' else apply(), flush=True)

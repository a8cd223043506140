#!/usr/bin/env python3
"""An echo server on a socket of ftcp, for the tests of the bed.

usage: socket_server.py [--recover] [--explicit] [--once] [--persist MS] [--uid UID] [--device NAME] [--filter] PORT

What it reads it writes back. With --explicit it consumes only what it has written back, so that whoever comes after it can go on where it was: a
recovered connection is read again from what was consumed, and what was written since is recognised.
"""
import argparse
import array
import os
import selectors
import socket
import struct

IPPROTO_FTCP = SOL_FTCP = 253
SO_ATTACH_FILTER = 26
FTCP_RECOVER, FTCP_INFO, FTCP_CONSUME, FTCP_SEEK_READ, FTCP_SEEK_WRITE, FTCP_PERSIST = range(1, 7)


def info(conn):
    names = 'id epoch consumed read readable write written acked committed_in committed_out flags state'.split()
    return dict(zip(names, struct.unpack('10Q2I', conn.getsockopt(SOL_FTCP, FTCP_INFO, 88))))


class Connection:
    def __init__(self, conn, explicit):
        self.conn = conn
        self.explicit = explicit
        self.waiting = b''
        where = info(conn)
        print('accepted', where, flush=True)
        if explicit:
            # An echo writes what it reads: output stands where its input does.
            conn.setsockopt(SOL_FTCP, FTCP_SEEK_READ, struct.pack('Q', where['consumed']))
            conn.setsockopt(SOL_FTCP, FTCP_SEEK_WRITE, struct.pack('Q', where['consumed']))
        self.done = where['consumed']

    def work(self):
        """False: it is over."""
        if not self.waiting:
            try:
                self.waiting = self.conn.recv(65536)
            except ConnectionError as error:
                print('read:', error, flush=True)
                return False
            if not self.waiting:
                return False
        try:
            n = self.conn.send(self.waiting)
        except BlockingIOError:
            return True
        except ConnectionError as error:
            print('write:', error, flush=True)
            return False
        self.waiting = self.waiting[n:]
        self.done += n
        if self.explicit:
            self.conn.setsockopt(SOL_FTCP, FTCP_CONSUME, struct.pack('Q', self.done))
        return True

    def end(self):
        try:
            self.conn.shutdown(socket.SHUT_RDWR)    # or it would wait for another program
        except OSError:
            pass
        self.conn.close()

    def events(self):
        return selectors.EVENT_WRITE if self.waiting else selectors.EVENT_READ


def attach_filter(sock):
    """One that lets everything pass."""
    program = array.array('B', struct.pack('HBBI', 0x06, 0, 0, 0xffffffff))     # BPF_RET | BPF_K
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('HP', 1, program.buffer_info()[0]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--recover', action='store_true')
    parser.add_argument('--explicit', action='store_true')
    parser.add_argument('--once', action='store_true')
    parser.add_argument('--persist', type=int, default=0)
    parser.add_argument('--uid', type=int)
    parser.add_argument('--device')
    parser.add_argument('--filter', action='store_true')
    parser.add_argument('port', type=int)
    args = parser.parse_args()
    if args.uid:
        os.setgroups([])
        os.setuid(args.uid)
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, IPPROTO_FTCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(SOL_FTCP, FTCP_RECOVER, int(args.recover))
    listener.setsockopt(SOL_FTCP, FTCP_PERSIST, args.persist)
    if args.explicit:
        listener.setsockopt(SOL_FTCP, FTCP_CONSUME, struct.pack('Q', 0))
    if args.device:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.device.encode())
    if args.filter:
        attach_filter(listener)
    listener.bind(('::', args.port))
    listener.listen(128)
    print('listening', flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                one = Connection(conn, args.explicit)
                selector.register(conn, one.events(), one)
                continue
            one = key.data
            if one.work():
                selector.modify(one.conn, one.events(), one)
                continue
            selector.unregister(one.conn)
            one.end()
            print('closed', flush=True)
            if args.once:
                return


main()

"""An SFTP server on the Python package paramiko.

It serves the file system by its real names to who has the key. It implements what paramiko's own example of a server does
(tests/_stub_sftp.py), but no chattr: paramiko answers SETSTAT and FSETSTAT with OP_UNSUPPORTED. With "minimal" it also leaves
out what paramiko has a default for: FSTAT, posix-rename and symbolic links.

Usage: python3 paramiko.py PORT HOST_KEY AUTHORIZED_KEY full|minimal
"""

import os
import socket
import sys
import threading
import warnings

warnings.simplefilter("ignore")
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # else this file is imported for the package
import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.sftp import SFTP_FAILURE, SFTP_OK


def answering(method):
    """What the operating system refuses is the answer, too."""

    def answer(self, *args):
        try:
            result = method(self, *args)
        except OSError as e:
            return SFTPServer.convert_errno(e.errno)
        return SFTP_OK if result is None else result

    return answer


class MinimalHandle(SFTPHandle):
    pass


class Handle(MinimalHandle):
    @answering
    def stat(self):
        return SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class Minimal(SFTPServerInterface):
    handle = MinimalHandle

    @answering
    def open(self, path, flags, attr):
        fd = os.open(path, flags, 0o666 if attr.st_mode is None else attr.st_mode)
        append = flags & os.O_APPEND
        if flags & os.O_WRONLY:
            mode = "ab" if append else "wb"
        elif flags & os.O_RDWR:
            mode = "a+b" if append else "r+b"
        else:
            mode = "rb"
        handle = self.handle(flags)
        handle.readfile = handle.writefile = os.fdopen(fd, mode)
        return handle

    @answering
    def list_folder(self, path):
        return [SFTPAttributes.from_stat(os.lstat(os.path.join(path, name)), name) for name in os.listdir(path)]

    @answering
    def stat(self, path):
        return SFTPAttributes.from_stat(os.stat(path))

    @answering
    def lstat(self, path):
        return SFTPAttributes.from_stat(os.lstat(path))

    @answering
    def remove(self, path):
        os.remove(path)

    @answering
    def rename(self, old, new):
        if os.path.lexists(new):
            return SFTP_FAILURE
        os.rename(old, new)

    @answering
    def mkdir(self, path, attr):
        os.mkdir(path, 0o777 if attr.st_mode is None else attr.st_mode)

    @answering
    def rmdir(self, path):
        os.rmdir(path)


class Full(Minimal):
    handle = Handle

    @answering
    def posix_rename(self, old, new):
        os.rename(old, new)

    @answering
    def symlink(self, target, path):
        os.symlink(target, path)

    @answering
    def readlink(self, path):
        return os.readlink(path)


class Login(paramiko.ServerInterface):
    def __init__(self, key):
        self.key = key

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        known = key.get_base64() == self.key
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, channel):
        return paramiko.OPEN_SUCCEEDED


def serve(connection, host_key, authorized, interface):
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.set_subsystem_handler("sftp", SFTPServer, interface)
    try:
        transport.start_server(server=Login(authorized))
        transport.join()
    except (paramiko.SSHException, EOFError, OSError):
        pass  # a client that is gone, which is no reason to end
    transport.close()


def main():
    port, host_file, authorized_file, kind = sys.argv[1:]
    host_key = paramiko.Ed25519Key(filename=host_file)
    with open(authorized_file) as f:
        authorized = f.read().split()[1]
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=100)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        interface = {"full": Full, "minimal": Minimal}[kind]
        threading.Thread(target=serve, args=(connection, host_key, authorized, interface), daemon=True).start()


main()

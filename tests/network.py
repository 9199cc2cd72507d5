"""No test reaches for the network."""

from typing import Any, Final

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost", "", None)


def refuse_network(event: str, args: tuple[Any, ...]) -> None:
    """Let nothing but this machine be looked up or connected to: a hook for `sys.addaudithook`.

    Raises:
        RuntimeError: A host is another one.
    """
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in LOOPBACK:
        raise RuntimeError(f"a test reached for the network: {host}")

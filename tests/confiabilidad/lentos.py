"""Thousands of slow clients of one web server: some say their request byte by byte, some read the answer so.

``python -m tests.confiabilidad.lentos PUERTO CUANTOS RUTA``: prints ``ABIERTOS n`` once all are connected, keeps as
many until its standard input ends (those that the server closes come again), then prints ``CERRADOS n``: how often the
server closed one.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys

DIRECCIONES = 100
"""127.0.0.2 and the following: as many sources, none with more connections than another."""
GOTEO_S = 4.0
"""Between two bytes."""
A_LA_VEZ = 250
BUFER = 4096


class Lentos:
    """The clients."""

    def __init__(self, port: int, ruta: str) -> None:
        self._port = port
        self._path = ruta
        self.abiertos = 0
        self.cerrados = 0
        self._door = asyncio.Semaphore(A_LA_VEZ)

    async def uno(self, number: int) -> None:
        """One client for ever: an even one says its headers slowly, an odd one reads slowly."""
        while True:
            with contextlib.suppress(OSError):
                await self._once(number)
            await asyncio.sleep(0.5)

    async def _once(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        request = f"GET {self._path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\nX-Lento: ".encode()
        with socket.socket() as client:
            client.settimeout(0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFER)
            client.bind((f"127.0.0.{2 + number % DIRECCIONES}", 0))
            async with self._door:
                await loop.sock_connect(client, ("127.0.0.1", self._port))
            self.abiertos += 1
            try:
                await loop.sock_sendall(client, request if number % 2 == 0 else request + b"1\r\n\r\n")
                while True:
                    await asyncio.sleep(GOTEO_S)
                    if number % 2 == 0:
                        await loop.sock_sendall(client, b"x")
                    elif not await loop.sock_recv(client, 1):
                        return
            finally:
                self.abiertos -= 1
                self.cerrados += 1


async def main(port: int, count: int, ruta: str) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], wanted), max(limits[1], wanted)))
    slow = Lentos(port, ruta)
    tasks = [asyncio.create_task(slow.uno(number)) for number in range(count)]
    while slow.abiertos < count:
        await asyncio.sleep(0.05)
    print(f"ABIERTOS {slow.abiertos}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(f"CERRADOS {slow.cerrados} ABIERTOS {slow.abiertos}", flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))

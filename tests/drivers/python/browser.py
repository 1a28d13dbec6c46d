"""Many stock python-socketio clients in one process, driven by JSON lines on stdin and stdout.

The protocol is that of ../node/browser.mjs, with the commands connect (without client and options; an id in use is an
error), emit, disconnect, state and exit, and the reports connect, disconnect, connect_error and event. The driver reports
what the stock client does and works around nothing. It exits when stdin is closed.
"""

import asyncio
import base64
import json
import sys

import socketio

CONNECT_TIMEOUT_S = 30
DEFAULT_ACK_TIMEOUT_MS = 10_000
MAX_LINE_BYTES = 32 * 1024 * 1024

sockets: dict[str, socketio.AsyncClient] = {}
tasks: set[asyncio.Task] = set()


def write(line):
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def decode(value):
    if isinstance(value, dict):
        if isinstance(value.get("$binary"), str):
            return base64.b64decode(value["$binary"])
        return {key: decode(item) for key, item in value.items()}
    return [decode(item) for item in value] if isinstance(value, list) else value


def encode(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$binary": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return [encode(item) for item in value] if isinstance(value, (list, tuple)) else value


def observe(name, socket):
    def report(on, **fields):
        write({"id": name, "on": on, **fields})

    def denied(reason=None):
        report("connect_error", message=reason.get("message") if isinstance(reason, dict) else reason)

    # The stock client cannot recover a connection's state, so `recovered` is never true.
    socket.on("connect", lambda: report("connect", recovered=False, transport=socket.transport()))
    socket.on("disconnect", lambda reason: report("disconnect", reason=reason))
    socket.on("connect_error", denied)
    socket.on("*", lambda event, *args: report("event", event=event, args=encode(args)))


async def connect(command):
    name = command["id"]
    if name in sockets:
        raise ValueError(f"id in use: {name}")
    socket = sockets[name] = socketio.AsyncClient(handle_sigint=False)
    observe(name, socket)
    auth = decode(command["auth"]) if "auth" in command else {"token": command.get("token")}

    async def dial():
        try:
            await socket.connect(
                command["url"],
                headers=command.get("headers") or {},
                auth=auth,
                transports=command.get("transports"),
                wait_timeout=CONNECT_TIMEOUT_S,
            )
        except socketio.exceptions.ConnectionError:
            sockets.pop(name, None)  # reported by connect_error

    keep(dial())
    return {}


async def emit(command):
    socket = find(command)
    args = tuple(decode(command.get("args", [])))
    if not command.get("ack"):
        await socket.emit(command["event"], args)
        return {}
    response = asyncio.get_running_loop().create_future()

    def acknowledged(*values):
        if not response.done():
            response.set_result(values)

    await socket.emit(command["event"], args, callback=acknowledged)
    try:
        values = await asyncio.wait_for(response, command.get("timeoutMs", DEFAULT_ACK_TIMEOUT_MS) / 1000)
    except asyncio.TimeoutError:
        raise ValueError("timeout") from None
    return {"args": encode(values)}


async def disconnect(command):
    await find(command).disconnect()
    del sockets[command["id"]]
    return {}


async def state(command):
    socket = find(command)
    return {
        "connected": socket.connected,
        "recovered": False,
        "hasSid": socket.get_sid() is not None,
        "transport": socket.transport() if socket.connected else None,
    }


def find(command):
    if command["id"] not in sockets:
        raise ValueError(f"no socket {command['id']}")
    return sockets[command["id"]]


COMMANDS = {"connect": connect, "emit": emit, "disconnect": disconnect, "state": state}


async def execute(command):
    seq = command.get("seq")
    try:
        if command.get("cmd") not in COMMANDS:
            raise ValueError(f"no command {command.get('cmd')}")
        write({"seq": seq, "ok": True, **await COMMANDS[command["cmd"]](command)})
    except Exception as error:  # the response to a command that fails
        write({"seq": seq, "error": str(error) or type(error).__name__})


def keep(coroutine):
    task = asyncio.ensure_future(coroutine)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def main():
    lines = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        if command.get("cmd") == "exit":
            write({"seq": command.get("seq"), "ok": True})
            break
        keep(execute(command))
    for socket in list(sockets.values()):
        await socket.shutdown()


if __name__ == "__main__":
    asyncio.run(main())

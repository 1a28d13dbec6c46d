// Many stock Socket.IO clients in one process, driven by JSON lines: one command per line on stdin, one
// response or report per line on stdout. The driver reports what the stock client does and works around nothing. It exits
// when stdin is closed.
//
// A command has a number, `seq`, and a name, `cmd`. It has one response, `{ seq, ok: true, … }` or `{ seq, error }`:
//   connect     { id, url, token?, auth?, headers?, transports?, client?: "4.8" | "4.6", options? }
//               `auth` is the whole payload, of any JSON type, instead of `{ token }`; `options` are passed to io();
//               the response does not wait for the connection, which is reported; a socket with the same id is replaced
//   reconnect   { id, token? }              as a page does after a disconnect by the server; a token replaces `auth`
//   emit        { id, event, args?, ack?, timeoutMs? }   with `ack`: responds with `{ args }` or the error "timeout"
//   disconnect  { id }
//   engineClose { id }                      closes the transport; the stock client reconnects by itself
//   sendRaw     { id, data }                writes one Socket.IO packet without encoding it
//   pause       { id }                      stops reading from the WebSocket, as a page of a suspended machine
//   resume      { id }                      reads from the WebSocket again
//   state       { id } → { connected, active, recovered, hasSid, transport }
//   exit        { }
//
// Reports carry `id` and `on`:
//   connect { recovered, transport } · disconnect { reason } · connect_error { message, description?, body? } · event { event, args }
//   upgrade { transport } · reconnect_attempt { attempt }
//
// Binary values are `{ "$binary": "<base64>" }` in both directions.

import { createInterface } from "node:readline";
import { io as io48 } from "socket.io-client";
import { io as io46 } from "socket.io-client-4.6";

const CLIENTS = { "4.8": io48, "4.6": io46 };
const DEFAULT_ACK_TIMEOUT_MS = 10_000;

const sockets = new Map();

const commands = {
  connect({ id, url, token, auth, headers, transports, client = "4.8", options }) {
    const io = CLIENTS[client];
    if (!io) throw new Error(`no client ${client}`);
    if (sockets.has(id)) discard(sockets.get(id));
    const socket = io(url, {
      forceNew: true,
      autoConnect: false,
      auth: auth === undefined ? { token } : decode(auth),
      ...(headers && { extraHeaders: headers }),
      ...(transports && { transports }),
      ...options,
    });
    sockets.set(id, socket);
    observe(id, socket);
    socket.connect();
  },

  reconnect({ id, token }) {
    const socket = find(id);
    if (token !== undefined) socket.auth = { token };
    socket.connect();
  },

  emit({ id, event, args = [], ack = false, timeoutMs = DEFAULT_ACK_TIMEOUT_MS }) {
    const socket = find(id);
    const values = args.map(decode);
    if (!ack) {
      socket.emit(event, ...values);
      return {};
    }
    return new Promise((resolve, reject) => {
      socket.timeout(timeoutMs).emit(event, ...values, (error, ...response) => {
        if (!error) resolve({ args: response.map(encode) });
        else reject(error.message.includes("timed out") ? new Error("timeout") : error);
      });
    });
  },

  disconnect({ id }) {
    find(id).disconnect();
  },

  engineClose({ id }) {
    engineOf(id).close();
  },

  sendRaw({ id, data }) {
    engineOf(id).write(decode(data));
  },

  pause({ id }) {
    engineOf(id).transport.ws.pause();
  },

  resume({ id }) {
    engineOf(id).transport.ws.resume();
  },

  state({ id }) {
    const socket = find(id);
    return {
      connected: socket.connected,
      active: socket.active,
      recovered: socket.recovered,
      hasSid: socket.id !== undefined,
      transport: socket.io.engine?.transport?.name ?? null,
    };
  },

  exit() {
    setImmediate(() => process.exit(0));
  },
};

function observe(id, socket) {
  const report = (on, fields) => write({ id, on, ...fields });
  const transportName = () => socket.io.engine.transport.name;
  socket.on("connect", () => report("connect", { recovered: socket.recovered, transport: transportName() }));
  socket.on("disconnect", (reason) => report("disconnect", { reason }));
  socket.on("connect_error", (error) => {
    // What the transport reports: the HTTP status, or the error of the request.
    const description = error.description === undefined ? undefined : String(error.description);
    report("connect_error", { message: error.message, description, body: error.context?.responseText });
  });
  socket.onAny((event, ...args) => report("event", { event, args: args.map(encode) }));
  socket.io.on("reconnect_attempt", (attempt) => report("reconnect_attempt", { attempt }));
  // Each connection has a new engine, which needs a new listener.
  socket.io.on("open", () => {
    socket.io.engine.on("upgrade", (transport) => report("upgrade", { transport: transport.name }));
  });
}

function discard(socket) {
  socket.offAny();
  socket.removeAllListeners();
  socket.io.removeAllListeners();
  socket.disconnect();
}

function find(id) {
  const socket = sockets.get(id);
  if (!socket) throw new Error(`no socket ${id}`);
  return socket;
}

function engineOf(id) {
  const { engine } = find(id).io;
  if (!engine) throw new Error(`socket ${id} has no transport`);
  return engine;
}

function decode(value) {
  return mapTree(value, (node) =>
    typeof node.$binary === "string" ? Buffer.from(node.$binary, "base64") : undefined,
  );
}

function encode(value) {
  return mapTree(value, (node) => {
    if (ArrayBuffer.isView(node)) return binary(Buffer.from(node.buffer, node.byteOffset, node.byteLength));
    return node instanceof ArrayBuffer ? binary(Buffer.from(node)) : undefined;
  });
}

function binary(buffer) {
  return { $binary: buffer.toString("base64") };
}

/** Copies a JSON-like tree; an object for which `replace` returns a value is replaced by that value. */
function mapTree(value, replace) {
  if (value === null || typeof value !== "object") return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) return value.map((item) => mapTree(item, replace));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTree(item, replace)]));
}

function write(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function execute(line) {
  let seq = null;
  try {
    const command = JSON.parse(line);
    seq = command.seq ?? null;
    if (!Object.hasOwn(commands, command.cmd)) throw new Error(`no command ${command.cmd}`);
    write({ seq, ok: true, ...(await commands[command.cmd](command)) });
  } catch (error) {
    write({ seq, error: error.message });
  }
}

const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
input.on("line", execute);
input.on("close", () => process.exit(0));

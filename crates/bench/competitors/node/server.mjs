// socket.io as its documentation shows it: rooms by `join`, events by `to(room).emit`, and with a second argument the
// Redis adapter. Prints `listening HTTP CONTROL`; ends with its standard input.
//
//   node server.mjs FILL_BYTES [REDIS_URL]
//
// CONTROL takes records of twelve bytes: the room's number and the event's, little endian.

import { createServer } from "node:http";
import { createServer as createControl } from "node:net";
import { Server } from "socket.io";

const [fillBytes, redisUrl] = process.argv.slice(2);
const RECORD_BYTES = 12;
const fill = "x".repeat(Number(fillBytes));

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

if (redisUrl) {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publishing = createClient({ url: redisUrl });
  const subscribed = publishing.duplicate();
  await Promise.all([publishing.connect(), subscribed.connect()]);
  io.adapter(createAdapter(publishing, subscribed));
}

io.on("connection", (socket) => {
  socket.on("join-session", async (room, answer) => {
    await socket.join(room);
    answer({ ok: true });
  });
});

const control = createControl((connection) => {
  let left = Buffer.alloc(0);
  connection.on("data", (bytes) => {
    let all = left.length ? Buffer.concat([left, bytes]) : bytes;
    let at = 0;
    for (; at + RECORD_BYTES <= all.length; at += RECORD_BYTES) {
      const r = all.readUInt32LE(at);
      io.to(`s${r}`).emit("e", { n: Number(all.readBigUInt64LE(at + 4)), r, fill });
    }
    left = all.subarray(at);
  });
});

const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", 4096, () => resolve(`127.0.0.1:${server.address().port}`)));

console.log(`listening ${await listen(http)} ${await listen(control)}`);
process.stdin.on("end", () => process.exit(0)).resume();

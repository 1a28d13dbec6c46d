// A Socket.IO server as in its documentation: rooms with `join`, and events with `to(room).emit`. With a second argument it
// uses the Redis adapter. It prints `listening HTTP CONTROL`, and ends when its standard input ends.
//
//   node server.mjs FILL_BYTES [REDIS_URL]
//
// CONTROL receives records of twelve bytes: the number of the room (4 bytes) and the number of the event (8 bytes), little
// endian.

import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { Server } from "socket.io";

const [fillBytes, redisUrl] = process.argv.slice(2);
const RECORD_BYTES = 12;
const fill = "x".repeat(Number(fillBytes));

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

if (redisUrl) {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publisher = createClient({ url: redisUrl });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on("connection", (socket) => {
  socket.on("join-session", async (room, acknowledge) => {
    await socket.join(room);
    acknowledge({ ok: true });
  });
});

const control = createTcpServer((connection) => {
  let incomplete = Buffer.alloc(0);
  connection.on("data", (received) => {
    const bytes = incomplete.length ? Buffer.concat([incomplete, received]) : received;
    let offset = 0;
    for (; offset + RECORD_BYTES <= bytes.length; offset += RECORD_BYTES) {
      const room = bytes.readUInt32LE(offset);
      const number = Number(bytes.readBigUInt64LE(offset + 4));
      io.to(`s${room}`).emit("e", { n: number, r: room, fill });
    }
    incomplete = bytes.subarray(offset);
  });
});

const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", 4096, () => resolve(`127.0.0.1:${server.address().port}`)));

console.log(`listening ${await listen(http)} ${await listen(control)}`);
process.stdin.on("end", () => process.exit(0)).resume();
